package io.rigmesh.worker.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.kernels.Kernels;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class DevicesTest {
  @Test
  void theCpuIsAlwaysFirst() {
    List<Device> devices = Devices.list();
    assertThat(devices.getFirst())
        .isInstanceOfSatisfying(
            Device.Cpu.class,
            cpu -> {
              assertThat(cpu.id()).isEqualTo("cpu");
              assertThat(cpu.name()).isNotBlank();
              assertThat(cpu.processors()).isPositive();
              assertThat(cpu.memoryTotalBytes()).isGreaterThan(cpu.memoryFreeBytes());
            });
    assertThat(devices.subList(1, devices.size())).allMatch(Device.Cuda.class::isInstance);
  }

  @Test
  void aMachineWithoutADriverHasNoCudaDeviceAndSaysNothing() {
    PrintStream out = System.out;
    PrintStream err = System.err;
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    try (PrintStream listening = new PrintStream(said, true, StandardCharsets.UTF_8)) {
      System.setOut(listening);
      System.setErr(listening);
      Devices.list();
      Devices.list();
    } finally {
      System.setOut(out);
      System.setErr(err);
    }
    assertThat(said.toString(StandardCharsets.UTF_8)).isEmpty();
  }

  @Test
  void aDeviceThatIsNotHereIsAClearError() {
    assertThatThrownBy(() -> ComputeDevice.open("cuda:99", 1))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("no device 'cuda:99'")
        .hasMessageContaining("It has: cpu")
        .hasMessageContaining("driver");
    assertThatThrownBy(() -> Devices.open("cuda:99", 1))
        .isInstanceOf(DeviceException.class)
        .hasMessageContaining("Choose --device cpu");
  }

  @Test
  void kernelsNameTheirDevice() {
    try (Kernels kernels = Devices.open("cpu", 2)) {
      assertThat(Devices.nameOf(kernels)).startsWith("cpu, ").contains("2 threads");
    }
  }
}
