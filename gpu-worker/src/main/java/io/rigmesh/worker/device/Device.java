package io.rigmesh.worker.device;

import io.rigmesh.worker.cuda.CudaNeeds;
import java.util.Optional;

/// A device of this machine.
public sealed interface Device {
  /// What `--device` takes: `cpu` or `cuda:0`.
  String id();

  /// The maker's name for it.
  String name();

  /// Its memory; for the CPU, the machine's.
  long memoryTotalBytes();

  /// The central processor.
  ///
  /// @param name the model, as the system says
  /// @param processors hardware threads that this process may use
  /// @param memoryTotalBytes the machine's memory, or the container's limit
  /// @param memoryFreeBytes what of it is free now
  record Cpu(String name, int processors, long memoryTotalBytes, long memoryFreeBytes)
      implements Device {
    @Override
    public String id() {
      return "cpu";
    }
  }

  /// A CUDA device, as NVIDIA's driver describes it.
  ///
  /// @param ordinal its number, from 0
  /// @param name the model
  /// @param memoryTotalBytes its memory
  /// @param computeCapability such as `9.0`
  /// @param multiprocessors how many
  /// @param driverVersion the CUDA version of the driver, such as `12.6`
  /// @param unusable why the kernels of this version do not run on it, or empty if they do
  record Cuda(
      int ordinal,
      String name,
      long memoryTotalBytes,
      String computeCapability,
      int multiprocessors,
      String driverVersion,
      Optional<String> unusable)
      implements Device {
    /// A device of a driver.
    ///
    /// @param major of its compute capability
    /// @param minor of its compute capability
    /// @param driver as cuDriverGetVersion gives it: 13000 is 13.0
    static Cuda of(
        int ordinal,
        String name,
        long memoryTotalBytes,
        int major,
        int minor,
        int multiprocessors,
        int driver) {
      return new Cuda(
          ordinal,
          name,
          memoryTotalBytes,
          major + "." + minor,
          multiprocessors,
          driver / 1000 + "." + driver % 1000 / 10,
          CudaNeeds.unmet(driver, major, minor));
    }

    @Override
    public String id() {
      return "cuda:" + ordinal;
    }
  }
}
