package io.rigmesh.worker.device;

import com.sun.management.OperatingSystemMXBean;
import io.rigmesh.worker.cuda.Accelerator;
import io.rigmesh.worker.cuda.CudaAccelerator;
import io.rigmesh.worker.cuda.CudaException;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.CpuBackend;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Finds the devices of this machine. Looking for CUDA devices loads NVIDIA's driver library into
/// the process where there is one, so the daemon leaves it to workers and to the command line.
public final class Devices {
  private static final Path CPU_INFO = Path.of("/proc/cpuinfo");

  private Devices() {}

  /// The CPU, then the CUDA devices by their numbers. A machine without NVIDIA's driver, or whose
  /// driver does not answer, has none.
  public static List<Device> list() {
    List<Device> devices = new ArrayList<>();
    devices.add(cpu());
    devices.addAll(CudaDriver.devices());
    return List.copyOf(devices);
  }

  /// The CPU.
  public static Device.Cpu cpu() {
    OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    return new Device.Cpu(
        cpuName(),
        Runtime.getRuntime().availableProcessors(),
        system.getTotalMemorySize(),
        system.getFreeMemorySize());
  }

  /// The kernels of the host's CPU, for what runs there alone.
  ///
  /// @param id `cpu`
  /// @param threads how many compute, which never changes a bit
  /// @throws DeviceException if it is another device; [ComputeDevice#open] opens those
  public static Kernels open(String id, int threads) {
    if (id.equals("cpu")) {
      return CpuBackend.open(threads);
    }
    throw new DeviceException(
        "'%s' is not the CPU. This machine has: %s. Choose --device cpu."
            .formatted(id, ids(list())));
  }

  /// A CUDA device, ready to run launch plans.
  ///
  /// @param id such as `cuda:0`
  /// @throws DeviceException if there is no such device, or it or its driver is too old
  public static Accelerator openAccelerator(String id) {
    for (Device.Cuda device : CudaDriver.devices()) {
      if (device.id().equals(id)) {
        try {
          return CudaAccelerator.open(device.ordinal(), device.name());
        } catch (CudaException e) {
          throw new DeviceException(id + ": " + e.getMessage());
        }
      }
    }
    throw new DeviceException(
        "This machine has no device '%s'. It has: %s. Is NVIDIA's driver installed, and can this user open /dev/nvidia0? Otherwise choose --device cpu."
            .formatted(id, ids(list())));
  }

  private static String ids(List<Device> devices) {
    return devices.stream().map(Device::id).collect(Collectors.joining(", "));
  }

  /// What receipts say of the device that kernels run on.
  public static String nameOf(Kernels kernels) {
    return "cpu, %s, %d threads, %s".formatted(cpuName(), kernels.threads(), kernels.name());
  }

  private static String cpuName() {
    try (Stream<String> lines = Files.lines(CPU_INFO)) {
      return lines
          .filter(line -> line.startsWith("model name") && line.contains(":"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .filter(name -> !name.isEmpty())
          .findFirst()
          .orElse(architecture());
    } catch (IOException e) {
      // Other systems have no such file; the architecture is what Java itself knows.
      return architecture();
    }
  }

  private static String architecture() {
    return System.getProperty("os.arch", "unknown");
  }
}
