package io.rigmesh.worker.bench;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.PackedWeight;
import io.rigmesh.worker.kernels.Philox;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/// The exact f32 matrix product on one thread beside the machine's peak: a loop of independent
/// fused multiply-adds that touches no memory.
///
/// Both are timed by the thread's own CPU clock, so that other processes take less part. Square
/// shapes are the bar; the others are those of MiniLM's layers and of a small Llama's.
final class MatmulF32 implements Benchmark {
  private static final double FLOPS_PER_ROUND = 1e9;
  private static final int[][] SHAPES = {
    {512, 512, 512},
    {1024, 1024, 1024},
    {32, 384, 384},
    {128, 384, 1536},
    {512, 1536, 384},
    {512, 1152, 384},
    {1024, 256, 704},
    {1, 1024, 1024}
  };

  @Override
  public String name() {
    return "matmul-f32";
  }

  @Override
  public List<Measurement> run() throws Exception {
    List<Measurement> results = new ArrayList<>();
    try (Kernels kernels = new VectorKernels(1)) {
      for (int[] shape : SHAPES) {
        results.addAll(measure(kernels, shape[0], shape[1], shape[2]));
      }
    }
    return results;
  }

  private List<Measurement> measure(Kernels kernels, int rows, int out, int in) throws Exception {
    Tensor x = random(1, rows, in);
    Tensor w = random(2, out, in);
    Tensor y = Tensor.zeros(rows, out);
    Tensor dw = Tensor.zeros(out, in);
    Tensor dx = Tensor.zeros(rows, in);
    PackedWeight packed = kernels.pack(w, Profile.F32_V1);
    double flops = 2.0 * rows * out * in;
    int repeats = (int) Math.max(1, FLOPS_PER_ROUND / flops);
    List<Callable<Double>> sides =
        List.of(
            FmaPeak::gigaflops,
            () -> gigaflops(flops, repeats, () -> kernels.linear(x, packed, y)),
            () -> gigaflops(flops, repeats, () -> kernels.linear(x, w, y)),
            () -> gigaflops(flops, repeats, () -> kernels.linearInputGradient(y, w, dx)),
            () -> gigaflops(flops, repeats, () -> kernels.linearWeightGradient(y, x, dw)));
    double[] medians = Interleaved.medians(15, 25, sides);
    String shape = rows == out && out == in ? "" + rows : rows + "x" + out + "x" + in;
    String[] metrics = {"", " packed", "", " dX", " dW"};
    List<Measurement> results = new ArrayList<>();
    for (int i = 1; i < medians.length; i++) {
      results.add(
          new Measurement(
              name(), shape + metrics[i], medians[i], "GFLOP/s", "FMA peak", medians[0]));
    }
    return results;
  }

  private static double gigaflops(double flops, int repeats, Runnable operation) {
    long start = CpuClock.threadNanos();
    for (int i = 0; i < repeats; i++) {
      operation.run();
    }
    return flops * repeats / (CpuClock.threadNanos() - start);
  }

  private static Tensor random(long stream, int rows, int cols) {
    Tensor tensor = Tensor.zeros(rows, cols);
    for (int i = 0; i < tensor.size(); i++) {
      tensor.set(i, Philox.uniform(1, stream, i) - 0.5f);
    }
    return tensor;
  }
}
