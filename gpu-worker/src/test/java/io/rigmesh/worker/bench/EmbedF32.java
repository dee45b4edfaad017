package io.rigmesh.worker.bench;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.embed.Embedder;
import io.rigmesh.worker.embed.MiniLm;
import io.rigmesh.worker.embed.OnnxRuntimeEncoder;
import io.rigmesh.worker.embed.VariedSentences;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/// Sentence embeddings by all-MiniLM-L6-v2, exact f32 on our side, beside ONNX Runtime's fp32 on
/// the same export, tokens and threads.
///
/// The sentences are prose of 6 to 60 tokens in random order, as requests come; both sides get them
/// in the same batches, and both pool and normalise. On one thread both run on the caller's, whose
/// own CPU clock times them, so that other processes take less part; on two the wall clock does.
final class EmbedF32 implements Benchmark {
  private static final int[] THREADS = {1, 2};
  private static final int[] BATCHES = {1, 8, 32};
  private static final int SENTENCES = 32;
  private static final int WARM_UPS = 3;
  private static final int ROUNDS = 7;

  @Override
  public String name() {
    return "embed-f32";
  }

  @Override
  public List<Measurement> run() throws Exception {
    List<Measurement> results = new ArrayList<>();
    byte[] onnx = MiniLm.onnx();
    for (int threads : THREADS) {
      try (Kernels kernels = new VectorKernels(threads);
          Embedder ours = Embedder.open(MiniLm.folder(), kernels, Profile.F32_V1);
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
                  "ONNX Runtime fp32",
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
