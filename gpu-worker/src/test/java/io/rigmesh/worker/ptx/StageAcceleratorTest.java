package io.rigmesh.worker.ptx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.cuda.Architecture;
import io.rigmesh.worker.cuda.InterpretedAccelerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The way on which ShippedKernelsGpuTest runs its checks, on a device that interprets.
final class StageAcceleratorTest {
  private static final int REGION_BYTES = 4 << 20;

  /// With a fault word, quantised rows, scratch memory that is forgotten, and structures of words.
  @ParameterizedTest
  @ValueSource(strings = {"rms_norm", "gelu_i8", "linear_i8_row_plain_2", "argmax", "scale_rows"})
  void aKernelGivesTheBitsOfTheReference(String entry) {
    try (StageAccelerator stages = stages()) {
      KernelChecks.run(stages, entry, 1);
    }
  }

  @Test
  void whatIsWrittenBesideABufferIsFound() {
    try (StageAccelerator stages = stages();
        KernelStage stage = new KernelStage(stages, "add_rows", Numbers.Kind.ORDINARY, 1)) {
      DeviceBuffer a = stage.floats("a", stage.numbers().matrix(3, 8));
      DeviceBuffer tooSmall = stage.poisoned("y", 2 * 8);
      assertThatThrownBy(() ->
              stage.launch(
                  new Extent(3, 1, 1),
                  256,
                  0,
                  a,
                  a,
                  tooSmall,
                  stage.ints("rows", 3),
                  8,
                  stage.fault(),
                  KernelStage.OP))
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("add_rows wrote byte 0 of the guard");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "compute_75, 7, 5, true",
    "compute_80, 7, 5, false",
    "compute_80, 9, 0, true",
    "compute_90a, 9, 0, true",
    "compute_90a, 10, 0, false",
    "compute_90a, 8, 9, false"
  })
  void aDeviceRunsWhatIsForItAndOlderOnes(String least, int major, int minor, boolean runs) {
    assertThat(ShippedKernelsGpuTest.runs(new Architecture(major, minor, 1, 1), least))
        .isEqualTo(runs);
  }

  private static StageAccelerator stages() {
    return new StageAccelerator(new InterpretedAccelerator(Architecture.HOPPER), REGION_BYTES);
  }
}
