package io.rigmesh.worker.kernels.vector;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.kernels.nativecode.NativeCode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Chooses how this machine's CPU runs the operations. Both ways give the same bits.
public final class CpuBackend {
  private static final Logger LOG = LoggerFactory.getLogger(CpuBackend.class);
  private static final String VECTOR_MODULE = "jdk.incubator.vector";

  private CpuBackend() {}

  /// Opens the vector kernels on `threads` threads, or, where the Java runtime lacks the vector
  /// module, the scalar reference on one; the choice and its reason are logged. The caller closes
  /// what it gets.
  public static Kernels open(int threads) {
    if (ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty()) {
      LOG.warn(
          "The slow scalar kernels run, since the module {} is not loaded; start java with --add-modules {}.",
          VECTOR_MODULE,
          VECTOR_MODULE);
      return new ScalarKernels();
    }
    String products =
        switch (NativeCode.find()) {
          case NativeCode.Present present ->
              "by machine code for " + present.fastest().set().label();
          case NativeCode.Absent absent ->
              "by the Vector API, since there is no machine code: " + absent.reason();
        };
    LOG.info(
        "The vector kernels run on {} threads with {} floats a vector, the widest this CPU offers; linear layers are computed {}.",
        threads,
        Lanes.WIDTH,
        products);
    return new VectorKernels(threads);
  }
}
