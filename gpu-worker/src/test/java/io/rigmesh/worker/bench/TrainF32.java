package io.rigmesh.worker.bench;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaFixtures;
import io.rigmesh.worker.llama.TorchOracle;
import io.rigmesh.worker.train.TorchPlan;
import io.rigmesh.worker.train.Trainer;
import io.rigmesh.worker.train.TrainingPlan;
import io.rigmesh.worker.train.TrainingState;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/// Training the quickstart model beside torch on the same weights, plan and thread count: tokens
/// per second.
///
/// Torch runs in a process of its own that waits while ours runs, and the other way round. One
/// thread is measured in CPU time, which leaves out what other processes take; two threads, whose
/// waiting for each other counts, by the clock on the wall.
final class TrainF32 implements Benchmark {
  private static final int STEPS_A_ROUND = 4;
  private static final int COMPILING_STEPS = 60;
  private static final int WARM_UPS = 1;
  private static final int ROUNDS = 7;
  private static final int STEPS = 1000;

  @Override
  public String name() {
    return "train-f32";
  }

  @Override
  public List<Measurement> run() throws Exception {
    List<Measurement> results = new ArrayList<>();
    for (int threads = 1;
        threads <= Math.min(2, Runtime.getRuntime().availableProcessors());
        threads++) {
      results.add(measure(threads));
    }
    return results;
  }

  private Measurement measure(int threads) throws Exception {
    LlamaConfig config = QuickstartModel.config(QuickstartModel.VOCABULARY_SIZE, 0);
    TrainingPlan plan = QuickstartModel.plan(1, STEPS);
    int[] text = LlamaFixtures.learnable(100_000, config.vocabularySize(), 1);
    TrainingState state = TrainingState.initial(config, 1);
    Path folder = Files.createTempDirectory("train-f32");
    try {
      state.parameters().write(folder);
      TorchPlan.write(plan, folder);
      int windows = 50 * plan.batch() * (plan.length() + 1);
      TorchOracle.writeTokens(folder.resolve("tokens.bin"), java.util.Arrays.copyOf(text, windows));
      Process torch =
          TorchOracle.builder("bench", folder, threads)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try (Kernels kernels = new VectorKernels(threads);
          Writer commands = torch.outputWriter();
          BufferedReader answers = torch.inputReader()) {
        expect("ready".equals(answers.readLine()), "torch did not get ready");
        Trainer trainer = new Trainer(kernels, plan, state, text);
        for (int i = 0; i < COMPILING_STEPS; i++) {
          trainer.step();
        }
        int tokens = STEPS_A_ROUND * plan.tokensPerStep();
        boolean cpuTime = threads == 1;
        double[] medians =
            Interleaved.medians(
                WARM_UPS,
                ROUNDS,
                List.of(
                    () -> tokens / seconds(trainer, cpuTime),
                    () -> tokens / seconds(commands, answers, cpuTime)));
        String metric = cpuTime ? "1 thread, CPU time" : threads + " threads";
        return new Measurement(name(), metric, medians[0], "tokens/s", "python3-torch", medians[1]);
      } finally {
        torch.destroy();
        torch.waitFor();
      }
    } finally {
      delete(folder);
    }
  }

  private static double seconds(Trainer trainer, boolean cpuTime) {
    long start = cpuTime ? CpuClock.threadNanos() : System.nanoTime();
    for (int i = 0; i < STEPS_A_ROUND; i++) {
      trainer.step();
    }
    return ((cpuTime ? CpuClock.threadNanos() : System.nanoTime()) - start) / 1e9;
  }

  private static double seconds(Writer commands, BufferedReader answers, boolean cpuTime)
      throws IOException {
    commands.write(STEPS_A_ROUND + "\n");
    commands.flush();
    String answer = answers.readLine();
    expect(answer != null, "torch ended early");
    return Double.parseDouble(answer.split(" ")[cpuTime ? 1 : 0]);
  }

  private static void expect(boolean holds, String problem) throws IOException {
    if (!holds) {
      throw new IOException(problem + "; what it printed stands above");
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> entries = Files.walk(folder)) {
      for (Path entry : entries.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(entry);
      }
    }
  }
}
