package io.rigmesh.worker.bench;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.CpuStepRunner;
import io.rigmesh.worker.serve.Segment;
import io.rigmesh.worker.serve.Step;
import io.rigmesh.worker.serve.StepRunner;
import io.rigmesh.worker.tensor.Tensor;
import io.rigmesh.worker.tokenizer.BpeTrainer;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Decoding or prefilling a random Llama of 50 million parameters beside Jlama with its native
/// operations, on the same weights and as many threads: tokens per second by the clock on the wall.
///
/// Jlama runs in a process of its own that waits while ours runs, and the other way round; each
/// round is a prompt and then greedy tokens. Beside decoding, the rate at which our weights are
/// read stands against the measured read bandwidth.
final class LanguageModelSpeed implements Benchmark {
  /// What is measured.
  enum Phase {
    DECODE,
    PREFILL
  }

  private static final LlamaConfig CONFIG =
      new LlamaConfig(
          8192,
          768,
          6,
          12,
          4,
          64,
          2048,
          1024,
          10_000.0,
          1e-5f,
          false,
          OptionalInt.of(0),
          List.of(0));
  private static final int PROMPT = 16;
  private static final int DECODED = 32;
  private static final int PREFILLED = 128;
  private static final int WARM_UPS = 2;
  private static final int ROUNDS = 5;

  private final Phase phase;
  private final Profile profile;
  private final String peerType;

  /// @param peerType the type of the peer's weights, `F32` or `Q4`
  LanguageModelSpeed(Phase phase, Profile profile, String peerType) {
    this.phase = phase;
    this.profile = profile;
    this.peerType = peerType;
  }

  @Override
  public String name() {
    String type = profile == Profile.F32_V1 ? "f32" : "i8";
    return (phase == Phase.DECODE ? "decode-" : "prefill-") + type;
  }

  @Override
  public List<Measurement> run() throws Exception {
    Path folder = Files.createTempDirectory("llama");
    try {
      weights().write(folder);
      new BpeTrainer(300, 2, List.of("<|endoftext|>"))
          .add("the mill grinds rye and the miller sings the song of the mill ".repeat(20))
          .train()
          .write(folder.resolve("tokenizer.json"));
      List<Measurement> results = new ArrayList<>();
      for (int threads = 1;
          threads <= Math.min(2, Runtime.getRuntime().availableProcessors());
          threads++) {
        results.addAll(measure(folder, threads));
      }
      return results;
    } finally {
      delete(folder);
    }
  }

  /// Gains of 1 and uniform weights of the usual deviation; which ones does not matter to speed.
  private static LlamaParameters weights() {
    SplittableRandom random = new SplittableRandom(1);
    LlamaParameters parameters = LlamaParameters.zeros(CONFIG);
    for (Tensor tensor : parameters.named().values()) {
      for (int i = 0; i < tensor.size(); i++) {
        tensor.set(i, tensor.rank() == 1 ? 1f : (random.nextFloat() - 0.5f) * 0.07f);
      }
    }
    return parameters;
  }

  private List<Measurement> measure(Path folder, int threads) throws Exception {
    int prompt = phase == Phase.DECODE ? PROMPT : PREFILLED;
    int decoded = phase == Phase.DECODE ? DECODED : 0;
    int counted = phase == Phase.DECODE ? DECODED : PREFILLED;
    String metric = threads == 1 ? "1 thread" : threads + " threads";
    Process jlama = jlama(folder, threads);
    try (Kernels kernels = new VectorKernels(threads);
        LlamaWeights weights = LlamaWeights.open(folder);
        StepRunner ours =
            new CpuStepRunner(
                kernels,
                weights,
                profile,
                new CpuStepRunner.Sizes(
                    KeyValuePages.pagesFor(PREFILLED + DECODED), PREFILLED, 1));
        Writer commands = jlama.outputWriter();
        BufferedReader answers = jlama.inputReader()) {
      String operations = ready(answers);
      ReadBandwidth bandwidth = new ReadBandwidth(threads);
      double[] medians =
          Interleaved.medians(
              WARM_UPS,
              ROUNDS,
              List.of(
                  () -> counted / seconds(ours, prompt, decoded),
                  () -> counted / seconds(commands, answers, prompt, decoded),
                  bandwidth::bytesPerSecond));
      List<Measurement> results = new ArrayList<>();
      String peer = "Jlama " + peerType + ", " + operations;
      results.add(new Measurement(name(), metric, medians[0], "tokens/s", peer, medians[1]));
      if (phase == Phase.DECODE) {
        results.add(
            new Measurement(
                name(),
                metric + ", weights read",
                medians[0] * weightBytes() / 1e9,
                "GB/s",
                "read bandwidth",
                medians[2] / 1e9));
      }
      return results;
    } finally {
      jlama.destroy();
      jlama.waitFor();
    }
  }

  /// What one token reads of the weights: all but the embedding table.
  private double weightBytes() {
    long read = CONFIG.parameterCount() - (long) CONFIG.vocabularySize() * CONFIG.hiddenSize();
    return read * (profile == Profile.F32_V1 ? 4.0 : 1.0);
  }

  private double seconds(StepRunner runner, int prompt, int decoded) {
    int[] table = IntStream.range(0, runner.pages()).toArray();
    long start = System.nanoTime();
    int token =
        runner.run(
                new Step(
                    tokens(prompt, CONFIG.vocabularySize()),
                    List.of(new Segment(0, prompt, 0, table, 1))))
            .argmax()[0];
    long prompted = System.nanoTime();
    for (int i = 0; i < decoded; i++) {
      Segment next = new Segment(0, 1, prompt + i, table, 1);
      token = runner.run(new Step(new int[] {token}, List.of(next))).argmax()[0];
    }
    return (phase == Phase.DECODE ? System.nanoTime() - prompted : prompted - start) / 1e9;
  }

  private double seconds(Writer commands, BufferedReader answers, int prompt, int decoded)
      throws IOException {
    commands.write(prompt + " " + decoded + "\n");
    commands.flush();
    String[] seconds = answer(answers, "seconds ").split(" ");
    return Double.parseDouble(seconds[phase == Phase.DECODE ? 1 : 0]);
  }

  private Process jlama(Path folder, int threads) throws IOException {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return new ProcessBuilder(
            java,
            "--add-modules",
            "jdk.incubator.vector",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            "-Xmx3g",
            "-cp",
            setting("rigmesh.jlama.classpath"),
            setting("rigmesh.jlama.source"),
            folder.toString(),
            Integer.toString(threads),
            peerType)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static String setting(String name) throws IOException {
    String value = System.getProperty(name);
    if (value == null) {
      throw new IOException(name + " is not set; run this benchmark by scripts/bench.sh");
    }
    return value;
  }

  private static String ready(BufferedReader answers) throws IOException {
    String operations = answer(answers, "ready ");
    return operations.contains("Native") ? "native" : operations;
  }

  /// The rest of the next line that begins so; others are the peer's log.
  private static String answer(BufferedReader answers, String beginning) throws IOException {
    String line = answers.readLine();
    while (line != null && !line.startsWith(beginning)) {
      line = answers.readLine();
    }
    if (line == null) {
      throw new IOException("Jlama ended early; what it printed stands above");
    }
    return line.substring(beginning.length());
  }

  /// A prompt of so many tokens, as JlamaMain makes it.
  private static int[] tokens(int count, int vocabulary) {
    int[] tokens = new int[count];
    for (int i = 0; i < count; i++) {
      tokens[i] = i * 7919 % vocabulary;
    }
    return tokens;
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> entries = Files.walk(folder)) {
      for (Path entry : entries.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(entry);
      }
    }
  }
}
