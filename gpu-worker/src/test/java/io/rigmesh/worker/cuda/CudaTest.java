package io.rigmesh.worker.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import jcuda.driver.CUresult;
import org.junit.jupiter.api.Test;

final class CudaTest {
  @Test
  void aDriverThatIsTooOldIsRefusedWithTheVersionThatIsNeeded() {
    assertThatThrownBy(() -> Cuda.checkDriver(12_080))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("CUDA 12.8")
        .hasMessageContaining("driver 580 or newer");
    assertThatCode(() -> Cuda.checkDriver(13_000)).doesNotThrowAnyException();
  }

  @Test
  void aDeviceIsUsableFromDriver580AndTuringOn() {
    assertThat(CudaNeeds.unmet(13_000, 7, 5)).isEmpty();
    assertThat(CudaNeeds.unmet(13_010, 12, 0)).isEmpty();
    assertThat(CudaNeeds.unmet(12_090, 9, 0))
        .hasValueSatisfying(
            why -> assertThat(why).contains("CUDA 12.9").contains("driver 580 or newer"));
    assertThat(CudaNeeds.unmet(13_000, 7, 0))
        .hasValueSatisfying(
            why -> assertThat(why).contains("capability 7.0").contains("7.5, Turing"));
  }

  @Test
  void theDriversRefusalOfAKernelNamesTheDriverThatIsNeeded() {
    assertThatThrownBy(
            () -> Cuda.check("cuModuleLoadData", CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("driver 580 or newer");
  }

  @Test
  void theManifestsPtxVersionIsTheOneThatTheNeededDriverKnows() {
    // PTX ISA 9.0 came with CUDA 13.0; whoever builds with a newer compiler must raise DRIVER_MIN.
    for (PtxManifest.Module module : PtxManifest.load().modules()) {
      assertThat(module.ptxVersion()).as(module.name()).isEqualTo("9.0");
    }
  }
}
