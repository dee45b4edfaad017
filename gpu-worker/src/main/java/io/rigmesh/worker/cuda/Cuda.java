package io.rigmesh.worker.cuda;

import jcuda.driver.CUresult;

/// Turns the driver's status codes into [CudaException]s. Source: the CUDA driver API, CUresult.
final class Cuda {
  private Cuda() {}

  /// Throws unless `result` is success.
  static void check(String call, int result) {
    if (result == CUresult.CUDA_SUCCESS) {
      return;
    }
    String name = CUresult.stringFor(result);
    throw new CudaException(
        switch (result) {
          case CUresult.CUDA_ERROR_UNSUPPORTED_PTX_VERSION, CUresult.CUDA_ERROR_INVALID_PTX ->
              "The NVIDIA driver refuses the kernels of this version (%s by %s). They need driver 580 or newer: update the driver."
                  .formatted(name, call);
          case CUresult.CUDA_ERROR_NO_BINARY_FOR_GPU ->
              "This GPU is older than the kernels of this version (%s by %s), which need compute capability 7.5, Turing, or newer."
                  .formatted(name, call);
          case CUresult.CUDA_ERROR_OUT_OF_MEMORY ->
              "The GPU has too little memory free (%s by %s). End what else uses it, or choose a smaller model."
                  .formatted(name, call);
          default ->
              "The NVIDIA driver answers %s to %s. Restart the worker; if it happens again, look in the system's log for NVRM or Xid."
                  .formatted(name, call);
        });
  }

  /// Refuses a driver that does not know the PTX.
  ///
  /// @param version as cuDriverGetVersion gives it
  static void checkDriver(int version) {
    CudaNeeds.ofDriver(version)
        .ifPresent(unmet -> {
          throw new CudaException(unmet);
        });
  }
}
