package io.rigmesh.worker.bench;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.embed.Embedder;
import io.rigmesh.worker.embed.MiniLm;
import io.rigmesh.worker.embed.OnnxRuntimeEncoder;
import io.rigmesh.worker.embed.QuantisedOnnx;
import io.rigmesh.worker.embed.VariedSentences;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/// Sentence embeddings by all-MiniLM-L6-v2 beside ONNX Runtime on the same export, tokens and
/// threads: f32-v1 beside its fp32, or i8-v1 beside its dynamically quantised form of the model.
///
/// The sentences are prose of 6 to 60 tokens in random order, as requests come; both sides get them
/// in the same batches, and both pool and normalise. On one thread both run on the caller's, whose
/// own CPU clock times them, so that other processes take less part; on two the wall clock does.
final class EmbeddingSpeed implements Benchmark {
  private static final int[] THREADS = {1, 2};
  private static final int[] BATCHES = {1, 8, 32};
  private static final int SENTENCES = 32;
  private static final int WARM_UPS = 3;
  private static final int ROUNDS = 7;

  private final Profile profile;

  EmbeddingSpeed(Profile profile) {
    this.profile = profile;
  }

  @Override
  public String name() {
    return profile == Profile.F32_V1 ? "embed-f32" : "embed-i8";
  }

  @Override
  public List<Measurement> run() throws Exception {
    List<Measurement> results = new ArrayList<>();
    boolean f32 = profile == Profile.F32_V1;
    byte[] onnx = f32 ? MiniLm.onnx() : QuantisedOnnx.of(MiniLm.onnx());
    for (int threads : THREADS) {
      try (Kernels kernels = new VectorKernels(threads);
          Embedder ours = Embedder.open(MiniLm.folder(), kernels, profile);
          OnnxRuntimeEncoder peer = new OnnxRuntimeEncoder(onnx, threads)) {
        List<int[]> sentences =
            VariedSentences.prose(SENTENCES).stream().map(ours::tokens).toList();
        for (int batch : BATCHES) {
          List<List<int[]>> batches = batches(sentences, batch);
          List<Callable<Double>> sides =
              List.of(
                  () -> perSecond(threads, () -> batches.forEach(ours::embedTokens)),
                  () -> perSecond(threads, () -> batches.forEach(peer::embed)));
          double[] medians = Interleaved.medians(WARM_UPS, ROUNDS, sides);
          results.add(
              new Measurement(
                  name(),
                  "batch " + batch + ", " + threads + (threads == 1 ? " thread" : " threads"),
                  medians[0],
                  "sentences/s",
                  f32 ? "ONNX Runtime fp32" : "ONNX Runtime int8",
                  medians[1]));
        }
      }
    }
    return results;
  }

  private static List<List<int[]>> batches(List<int[]> sentences, int size) {
    List<List<int[]>> batches = new ArrayList<>();
    for (int from = 0; from < sentences.size(); from += size) {
      batches.add(sentences.subList(from, Math.min(sentences.size(), from + size)));
    }
    return batches;
  }

  private static double perSecond(int threads, Runnable work) {
    long start = now(threads);
    work.run();
    return SENTENCES * 1e9 / (now(threads) - start);
  }

  private static long now(int threads) {
    return threads == 1 ? CpuClock.threadNanos() : System.nanoTime();
  }
}
