package io.rigmesh.worker.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.kernels.nativecode.ByteProducts;
import io.rigmesh.worker.kernels.nativecode.NativeCode;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.BiConsumer;

/// Compares the vector backend, on 1, 2 and 3 threads, with the scalar reference; products of i8-v1
/// with machine code, on 2 threads by the Vector API, and in [#BYTES] in every way that there is.
/// Its backends serve all tests of this JVM and are never closed; their threads are daemons.
final class Parity {
  static final Kernels SCALAR = new ScalarKernels();
  static final List<Kernels> VECTOR =
      List.of(new VectorKernels(1), new VectorKernels(2, Optional.empty()), new VectorKernels(3));
  static final List<Kernels> BYTES = everyInstructionSet();

  private Parity() {}

  private static List<Kernels> everyInstructionSet() {
    List<Kernels> all = new ArrayList<>(VECTOR);
    if (NativeCode.find() instanceof NativeCode.Present present) {
      for (ByteProducts products : present.slower()) {
        all.add(new VectorKernels(2, Optional.of(products)));
      }
    }
    return List.copyOf(all);
  }

  /// Runs the operation on all backends and compares all its results with the reference's, bit for
  /// bit.
  static void same(int results, BiConsumer<Kernels, Tensor[]> operation, int[]... shapes) {
    same(VECTOR, results, operation, shapes);
  }

  static void same(
      List<Kernels> backends,
      int results,
      BiConsumer<Kernels, Tensor[]> operation,
      int[]... shapes) {
    Tensor[] expected = new Tensor[results];
    for (int i = 0; i < results; i++) {
      expected[i] = Tensor.zeros(shapes[i]);
    }
    operation.accept(SCALAR, expected);
    for (Kernels kernels : backends) {
      Tensor[] actual = new Tensor[results];
      for (int i = 0; i < results; i++) {
        // Results land in the middle of an array, between values that must stay.
        int size = expected[i].size();
        float[] data = new float[size + 10];
        Arrays.fill(data, 77f);
        actual[i] = Tensor.view(data, 5, shapes[i]);
        actual[i].fill(0f);
      }
      operation.accept(kernels, actual);
      for (int i = 0; i < results; i++) {
        for (int j = 0; j < expected[i].size(); j++) {
          int want = Float.floatToRawIntBits(expected[i].get(j));
          int have = Float.floatToRawIntBits(actual[i].get(j));
          if (want != have) {
            throw new AssertionError(
                "result %d of %s on %d threads: element %d is %s (%08x), but the reference has %s (%08x)"
                    .formatted(
                        i,
                        kernels.name(),
                        kernels.threads(),
                        j,
                        actual[i].get(j),
                        have,
                        expected[i].get(j),
                        want));
          }
        }
        float[] data = actual[i].data();
        for (int j = 0; j < 5; j++) {
          assertThat(data[j]).isEqualTo(77f);
          assertThat(data[data.length - 1 - j]).isEqualTo(77f);
        }
      }
    }
  }

  static int[] shape(int... lengths) {
    return lengths;
  }

  /// Random tensors: values that are ordinary, tiny (subnormal products and sums), zeros of both
  /// signs, or far apart in magnitude.
  static final class Values {
    final Random random;

    Values(long seed) {
      random = new Random(seed);
    }

    Tensor tensor(int... shape) {
      int kind = random.nextInt(4);
      Tensor inner = Tensor.zeros(shape);
      // Inputs, too, begin in the middle of an array.
      Tensor tensor = Tensor.view(new float[inner.size() + 3], 3, shape);
      for (int i = 0; i < tensor.size(); i++) {
        tensor.set(i, value(kind));
      }
      return tensor;
    }

    private float value(int kind) {
      float x = (float) random.nextGaussian();
      return switch (kind) {
        case 0 -> x;
        case 1 -> x * 0x1p-70f;
        case 2 -> random.nextInt(3) == 0 ? x : random.nextBoolean() ? 0f : -0f;
        default -> Math.scalb(x, random.nextInt(-60, 3));
      };
    }
  }
}
