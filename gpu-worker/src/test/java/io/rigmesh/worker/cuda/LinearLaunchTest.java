package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.cuda.LinearLaunch.Mode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LinearLaunchTest {
  /// The last has Hopper's instructions, but not the shared memory that their tiles want.
  @ParameterizedTest
  @CsvSource({
    "7, 5, 65536, linear_i8_rows_8",
    "8, 0, 166912, linear_i8_mma_128x128",
    "8, 9, 101376, linear_i8_mma_128x128",
    "9, 0, 232448, linear_i8_wgmma_128x256",
    "10, 0, 232448, linear_i8_mma_128x128",
    "9, 0, 101376, linear_i8_mma_128x128"
  })
  void theKernelThatIsNamedForPromptsIsTheOneThatRuns(
      int major, int minor, int sharedBytes, String kernel) {
    Architecture architecture = new Architecture(major, minor, 40, sharedBytes);
    assertThat(LinearLaunch.kernelOfPrompts(architecture)).isEqualTo(kernel);
    DeviceMatrix weight = DeviceMatrix.take(Arena.measuring(), Profile.I8_V1, 28_672, 4_096);
    LinearLaunch.Use use =
        new LinearLaunch.Use("gate and up", weight, 0, 256, 256, 256, 256, 512, Mode.SWIGLU);
    assertThat(LinearLaunch.of(use, architecture, 256, 0).entry()).isEqualTo(kernel);
  }
}
