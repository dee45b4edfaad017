package io.rigmesh.worker.bench;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.generate.GeneratedToken;
import io.rigmesh.worker.generate.GenerationRequest;
import io.rigmesh.worker.generate.SamplingParameters;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.CpuStepRunner;
import io.rigmesh.worker.serve.Engine;
import io.rigmesh.worker.serve.EngineLimits;
import io.rigmesh.worker.serve.SequenceEvent;
import io.rigmesh.worker.serve.SequenceRequest;
import io.rigmesh.worker.serve.TokenStream;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;

/// A Llama of 14 million random parameters behind an engine, for benchmarks of serving.
final class ServingModel implements AutoCloseable {
  static final int PROMPT = 32;

  private static final LlamaConfig CONFIG =
      new LlamaConfig(
          4096,
          512,
          4,
          8,
          4,
          64,
          1408,
          1024,
          10_000.0,
          1e-5f,
          true,
          OptionalInt.empty(),
          List.of());

  private final Kernels kernels;
  private final Engine engine;

  ServingModel(Profile profile, int threads) {
    kernels = new VectorKernels(threads);
    LlamaParameters parameters = LlamaParameters.zeros(CONFIG);
    Random random = new Random(7);
    for (Tensor tensor : parameters.named().values()) {
      float deviation = tensor.rank() == 1 ? 0.1f : (float) (1 / Math.sqrt(tensor.cols()));
      float mean = tensor.rank() == 1 ? 1f : 0f;
      for (int i = 0; i < tensor.size(); i++) {
        tensor.set(i, mean + deviation * (2 * random.nextFloat() - 1));
      }
    }
    engine =
        new Engine(
            CpuStepRunner.load(kernels, LlamaWeights.of(parameters), profile, EngineLimits.usual()),
            kernels,
            EngineLimits.usual());
  }

  /// A sequence of its own scope, so that nothing is computed before it is asked for.
  SequenceRequest request(long seed, int tokens) {
    List<Integer> prompt = new ArrayList<>();
    for (int i = 0; i < PROMPT; i++) {
      prompt.add((int) ((seed * 31 + i * 17L) % CONFIG.vocabularySize()));
    }
    return new SequenceRequest(
        new GenerationRequest(prompt, new SamplingParameters(0.8f, 0, 1f, seed), tokens, Set.of()),
        new int[0],
        SequenceRequest.Mode.GENERATE,
        -1,
        Hash.ZERO,
        OptionalLong.empty());
  }

  /// Runs sequences at once, to their ends.
  ///
  /// @param sink gets every token of the first
  void run(List<SequenceRequest> requests, Consumer<GeneratedToken> sink)
      throws InterruptedException {
    List<TokenStream> streams = requests.stream().map(engine::submit).toList();
    for (int i = 0; i < streams.size(); i++) {
      SequenceEvent event = streams.get(i).next();
      while (event instanceof SequenceEvent.Token token) {
        if (i == 0) {
          sink.accept(token.token());
        }
        event = streams.get(i).next();
      }
      if (event instanceof SequenceEvent.Failed failed) {
        throw failed.cause();
      }
    }
  }

  @Override
  public void close() {
    engine.close();
    kernels.close();
  }
}
