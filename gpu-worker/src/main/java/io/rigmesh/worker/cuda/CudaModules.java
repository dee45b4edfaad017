package io.rigmesh.worker.cuda;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUmodule;
import jcuda.driver.JCudaDriver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The shipped modules in the driver, each compiled by it when its first kernel is asked for.
final class CudaModules {
  private static final Logger LOG = LoggerFactory.getLogger(CudaModules.class);
  private static final int SHARED_BYTES_PLAIN = 48 << 10;

  private final Architecture architecture;
  private final PtxManifest manifest = PtxManifest.load();
  private final Map<String, CUmodule> modules = new HashMap<>();
  private final Map<String, CUfunction> functions = new HashMap<>();

  CudaModules(Architecture architecture) {
    this.architecture = architecture;
  }

  /// The kernel of a launch, ready for the shared memory that it asks for.
  CUfunction function(Launch launch) {
    CUfunction known = functions.get(launch.entry());
    if (known != null) {
      return known;
    }
    CUfunction function = new CUfunction();
    Cuda.check(
        "cuModuleGetFunction " + launch.entry(),
        JCudaDriver.cuModuleGetFunction(
            function, module(manifest.moduleOf(launch.entry())), launch.entry()));
    if (launch.sharedBytes() > SHARED_BYTES_PLAIN) {
      Cuda.check(
          "cuFuncSetAttribute " + launch.entry(),
          JCudaDriver.cuFuncSetAttribute(
              function,
              CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES,
              launch.sharedBytes()));
    }
    functions.put(launch.entry(), function);
    return function;
  }

  private CUmodule module(PtxManifest.Module shipped) {
    CUmodule known = modules.get(shipped.name());
    if (known != null) {
      return known;
    }
    long start = System.nanoTime();
    byte[] ptx = shipped.ptx().getBytes(StandardCharsets.US_ASCII);
    CUmodule module = new CUmodule();
    Cuda.check(
        "cuModuleLoadData " + shipped.name(),
        JCudaDriver.cuModuleLoadData(module, Arrays.copyOf(ptx, ptx.length + 1)));
    modules.put(shipped.name(), module);
    LOG.info(
        "kernels {} for {} loaded on {} in {} ms",
        shipped.name(),
        shipped.architecture(),
        architecture,
        (System.nanoTime() - start) / 1_000_000);
    return module;
  }
}
