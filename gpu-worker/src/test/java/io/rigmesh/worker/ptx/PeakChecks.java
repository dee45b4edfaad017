package io.rigmesh.worker.ptx;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.function.Consumer;

/// Checks of the kernels that only measure: they must do the arithmetic that they are timed for.
final class PeakChecks {
  private static final int THREADS = 256;
  private static final int STEPS = 7;

  private PeakChecks() {}

  static void addTo(Map<String, Consumer<KernelStage>> checks) {
    checks.put("peak_f32", PeakChecks::float32);
    checks.put("peak_i8", stage -> int8(stage, 8 * 4));
    checks.put("peak_i8_wgmma", stage -> int8(stage, 128));
  }

  private static void float32(KernelStage stage) {
    DeviceBuffer y = stage.poisoned("y", THREADS);
    stage.launch(Extent.of(1), THREADS, 0, y, 0.75f, 1.5f, STEPS);
    ByteBuffer values = words(y);
    for (int thread = 0; thread < THREADS; thread++) {
      float sum = 0f;
      for (int i = 0; i < 16; i++) {
        float chain = thread + i;
        for (int step = 0; step < STEPS; step++) {
          chain = Math.fma(chain, 0.75f, 1.5f);
        }
        sum += chain;
      }
      assertThat(values.getFloat(4 * thread)).as("thread %d", thread).isEqualTo(sum);
    }
  }

  /// @param sums how many elements a thread adds up
  private static void int8(KernelStage stage, int sums) {
    DeviceBuffer y = stage.poisoned("y", THREADS);
    stage.launch(Extent.of(1), THREADS, 0, y, -3, 5, STEPS);
    ByteBuffer values = words(y);
    for (int thread = 0; thread < THREADS; thread++) {
      assertThat(values.getInt(4 * thread))
          .as("thread %d", thread)
          .isEqualTo(sums * STEPS * 32 * -3 * 5);
    }
  }

  private static ByteBuffer words(DeviceBuffer y) {
    return ByteBuffer.wrap(y.read(0, 4 * THREADS)).order(ByteOrder.LITTLE_ENDIAN);
  }
}
