package io.rigmesh.worker.cuda;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUjit_option;
import jcuda.driver.CUmodule;
import jcuda.driver.CUresult;
import jcuda.driver.JCudaDriver;
import jcuda.driver.JITOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The shipped modules in the driver, each compiled by it when its first kernel is asked for.
final class CudaModules implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CudaModules.class);

  /// What a block may have of shared memory, its own and the launch's, without being asked.
  static final int SHARED_BYTES_PLAIN = 48 << 10;

  private static final int COMPILER_LOG_BYTES = 8 << 10;

  private final Architecture architecture;
  private final PtxManifest manifest = PtxManifest.load();
  private final Map<String, CUmodule> modules = new HashMap<>();
  private final Map<String, Kernel> kernels = new HashMap<>();

  /// A kernel in the driver.
  private static final class Kernel {
    final CUfunction function;

    /// What a launch may add.
    int sharedBytesGranted;

    /// @param sharedBytesOwn what it has by its own declaration
    Kernel(CUfunction function, int sharedBytesOwn) {
      this.function = function;
      this.sharedBytesGranted = SHARED_BYTES_PLAIN - sharedBytesOwn;
    }
  }

  CudaModules(Architecture architecture) {
    this.architecture = architecture;
  }

  /// The kernel of a launch, on the device and ready for the shared memory that it asks for.
  CUfunction function(Launch launch) {
    Kernel kernel = kernels.get(launch.entry());
    if (kernel == null) {
      kernel = load(launch.entry());
      kernels.put(launch.entry(), kernel);
    }
    if (launch.sharedBytes() > kernel.sharedBytesGranted) {
      Cuda.check(
          "cuFuncSetAttribute " + launch.entry(),
          JCudaDriver.cuFuncSetAttribute(
              kernel.function,
              CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
              launch.sharedBytes()));
      kernel.sharedBytesGranted = launch.sharedBytes();
    }
    return kernel.function;
  }

  private Kernel load(String entry) {
    CUfunction function = new CUfunction();
    PtxManifest.Module shipped = manifest.moduleOf(entry);
    Cuda.check(
        "cuModuleGetFunction " + entry,
        JCudaDriver.cuModuleGetFunction(function, module(shipped), entry));
    // The driver may put a kernel off until it is first launched, which must not happen while a
    // graph is captured; asking for an attribute loads it.
    int[] sharedBytes = {0};
    Cuda.check(
        "cuFuncGetAttribute " + entry,
        JCudaDriver.cuFuncGetAttribute(
            sharedBytes, CUfunction_attribute.CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, function));
    return new Kernel(function, sharedBytes[0]);
  }

  private CUmodule module(PtxManifest.Module shipped) {
    CUmodule known = modules.get(shipped.name());
    if (known != null) {
      return known;
    }
    long start = System.nanoTime();
    byte[] ascii = shipped.ptx().getBytes(StandardCharsets.US_ASCII);
    byte[] ptx = Arrays.copyOf(ascii, ascii.length + 1);
    CUmodule module = new CUmodule();
    int result = JCudaDriver.cuModuleLoadData(module, ptx);
    if (result != CUresult.CUDA_SUCCESS) {
      LOG.error("the driver's compiler says of {}: {}", shipped.name(), compilerLog(ptx));
    }
    Cuda.check("cuModuleLoadData " + shipped.name(), result);
    modules.put(shipped.name(), module);
    LOG.info(
        "kernels {} for {} loaded on {} in {} ms",
        shipped.name(),
        shipped.architecture(),
        architecture,
        (System.nanoTime() - start) / 1_000_000);
    return module;
  }

  /// What the driver's compiler has against a module that it refused.
  private static String compilerLog(byte[] ptx) {
    JITOptions options = new JITOptions();
    options.putBytes(CUjit_option.CU_JIT_ERROR_LOG_BUFFER, new byte[COMPILER_LOG_BYTES]);
    options.putInt(CUjit_option.CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, COMPILER_LOG_BYTES);
    int result = JCudaDriver.cuModuleLoadDataJIT(new CUmodule(), Pointer.to(ptx), options);
    String said = options.getString(CUjit_option.CU_JIT_ERROR_LOG_BUFFER);
    return said == null || said.isBlank() ? CUresult.stringFor(result) : said.strip();
  }

  /// Unloads all of them.
  @Override
  public void close() {
    kernels.clear();
    for (CUmodule module : modules.values()) {
      Cuda.check("cuModuleUnload", JCudaDriver.cuModuleUnload(module));
    }
    modules.clear();
  }
}
