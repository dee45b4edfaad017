package io.rigmesh.worker.device;

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
  record Cuda(
      int ordinal,
      String name,
      long memoryTotalBytes,
      String computeCapability,
      int multiprocessors,
      String driverVersion)
      implements Device {
    @Override
    public String id() {
      return "cuda:" + ordinal;
    }
  }
}
