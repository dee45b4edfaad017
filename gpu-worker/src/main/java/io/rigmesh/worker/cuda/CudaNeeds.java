package io.rigmesh.worker.cuda;

import java.util.Optional;

/// What the kernels of this version need of a machine: said before a device is opened, and asked
/// for when it is.
public final class CudaNeeds {
  /// The CUDA release whose drivers know the PTX that this build ships, as the driver says it:
  /// 13000 is 13.0, which came with driver 580.
  static final int DRIVER_MIN = 13_000;

  private CudaNeeds() {}

  /// What a device and its driver lack, as a sentence with a remedy, or empty if the kernels run
  /// there.
  ///
  /// @param driver as cuDriverGetVersion gives it
  /// @param major of the device's compute capability
  /// @param minor of the device's compute capability
  public static Optional<String> unmet(int driver, int major, int minor) {
    return ofDriver(driver).or(() -> ofCapability(major, minor));
  }

  static Optional<String> ofDriver(int driver) {
    return driver >= DRIVER_MIN
        ? Optional.empty()
        : Optional.of(
            "The NVIDIA driver is made for CUDA %d.%d, and the kernels of this version need %d.%d, which is driver 580 or newer: update the driver."
                .formatted(
                    driver / 1000, driver % 1000 / 10, DRIVER_MIN / 1000, DRIVER_MIN % 1000 / 10));
  }

  static Optional<String> ofCapability(int major, int minor) {
    Architecture least = Architecture.LEAST;
    return major > least.major() || (major == least.major() && minor >= least.minor())
        ? Optional.empty()
        : Optional.of(
            "It has compute capability %d.%d, and the kernels of this version need %d.%d, Turing, or newer."
                .formatted(major, minor, least.major(), least.minor()));
  }
}
