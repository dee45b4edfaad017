package io.rigmesh.worker.device;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class CudaDeviceTest {
  @Test
  void aListedDeviceSaysWhetherTheKernelsRunOnIt() {
    Device.Cuda turing = Device.Cuda.of(0, "a Turing", 16L << 30, 7, 5, 40, 13_010);
    assertThat(turing.id()).isEqualTo("cuda:0");
    assertThat(turing.computeCapability()).isEqualTo("7.5");
    assertThat(turing.driverVersion()).isEqualTo("13.1");
    assertThat(turing.unusable()).isEmpty();
    assertThat(Device.Cuda.of(1, "a Volta", 16L << 30, 7, 0, 80, 13_000).unusable())
        .hasValueSatisfying(why -> assertThat(why).contains("7.0"));
    assertThat(Device.Cuda.of(2, "a Hopper", 80L << 30, 9, 0, 132, 12_080).unusable())
        .hasValueSatisfying(why -> assertThat(why).contains("driver 580"));
  }
}
