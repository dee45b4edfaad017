package io.rigmesh.worker.cuda;

import java.lang.foreign.MemorySegment;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A CUDA device through NVIDIA's driver: its primary context, one stream, and the shipped PTX,
/// which the driver compiles for the device. Source: the CUDA driver API.
///
/// Serves one thread at a time; every call makes the context current on its thread, so it need not
/// be the same thread.
public final class CudaAccelerator implements Accelerator {
  private static final Logger LOG = LoggerFactory.getLogger(CudaAccelerator.class);

  private final String name;
  private final CUdevice device;
  private final CUcontext context;
  private final CUstream stream;
  private final Architecture architecture;
  private final CudaModules modules;
  private final CudaMemory memory = new CudaMemory();
  private final PinnedStaging staging;

  private CudaAccelerator(CUdevice device, String name) {
    this.device = device;
    this.name = name;
    this.context = new CUcontext();
    Cuda.check("cuDevicePrimaryCtxRetain", JCudaDriver.cuDevicePrimaryCtxRetain(context, device));
    enter();
    this.architecture =
        new Architecture(
            attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
            attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
            attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
            attribute(CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN));
    CudaNeeds.ofCapability(architecture.major(), architecture.minor())
        .ifPresent(unmet -> {
          throw new CudaException(name + ": " + unmet);
        });
    this.stream = new CUstream();
    Cuda.check(
        "cuStreamCreate",
        JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
    this.modules = new CudaModules(architecture);
    this.staging = new PinnedStaging(stream, memory::pointer);
    LOG.info(
        "{}: {}, prompts in i8-v1 by {}",
        name,
        architecture,
        LinearLaunch.kernelOfPrompts(architecture));
  }

  /// Opens the device of a number, after the driver was initialised.
  ///
  /// @param ordinal from 0
  /// @param name for logs and receipts
  /// @throws CudaException when the driver or the device is too old, or does not answer
  public static CudaAccelerator open(int ordinal, String name) {
    int[] version = {0};
    Cuda.check("cuDriverGetVersion", JCudaDriver.cuDriverGetVersion(version));
    Cuda.checkDriver(version[0]);
    CUdevice device = new CUdevice();
    Cuda.check("cuDeviceGet", JCudaDriver.cuDeviceGet(device, ordinal));
    return new CudaAccelerator(device, name);
  }

  private int attribute(int attribute) {
    int[] value = {0};
    Cuda.check("cuDeviceGetAttribute", JCudaDriver.cuDeviceGetAttribute(value, attribute, device));
    return value[0];
  }

  private void enter() {
    Cuda.check("cuCtxSetCurrent", JCudaDriver.cuCtxSetCurrent(context));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Architecture architecture() {
    return architecture;
  }

  @Override
  public long memoryFreeBytes() {
    return memoryBytes()[0];
  }

  @Override
  public long memoryTotalBytes() {
    return memoryBytes()[1];
  }

  /// Free and total.
  private long[] memoryBytes() {
    enter();
    long[] free = {0};
    long[] total = {0};
    Cuda.check("cuMemGetInfo", JCudaDriver.cuMemGetInfo(free, total));
    return new long[] {free[0], total[0]};
  }

  @Override
  public void free(long address) {
    enter();
    Cuda.check("cuStreamSynchronize", JCudaDriver.cuStreamSynchronize(stream));
    memory.free(address);
  }

  @Override
  public long allocate(long bytes) {
    enter();
    long address = memory.allocate(bytes);
    // The filling with 0 is on another stream.
    Cuda.check("cuCtxSynchronize", JCudaDriver.cuCtxSynchronize());
    return address;
  }

  @Override
  public void write(long address, MemorySegment source) {
    enter();
    staging.write(address, source);
  }

  @Override
  public void read(long address, MemorySegment target) {
    enter();
    staging.read(address, target);
  }

  /// Copies within the device, which is how its memory's rate is measured.
  public void copy(long from, long to, long bytes) {
    enter();
    Cuda.check(
        "cuMemcpyDtoDAsync",
        JCudaDriver.cuMemcpyDtoDAsync(memory.pointer(to), memory.pointer(from), bytes, stream));
  }

  /// Carries bytes of no meaning from pinned memory to the device, as often as they fill `bytes`,
  /// which is how the bus's rate is measured: what [#write] does without reading a source.
  ///
  /// @return how many went
  public long carry(long address, long bytes) {
    enter();
    return staging.carry(address, bytes);
  }

  @Override
  public void run(LaunchPlan plan) {
    enter();
    plan.launches().forEach(this::launch);
  }

  private void launch(Launch launch) {
    Cuda.check(
        "cuLaunchKernel of " + launch.entry() + " for " + launch.what(),
        JCudaDriver.cuLaunchKernel(
            modules.function(launch),
            launch.gridX(),
            launch.gridY(),
            launch.gridZ(),
            launch.threads(),
            1,
            1,
            launch.sharedBytes(),
            stream,
            pointers(launch.arguments()),
            null));
  }

  private static Pointer pointers(List<Argument> arguments) {
    Pointer[] pointers = new Pointer[arguments.size()];
    for (int i = 0; i < pointers.length; i++) {
      pointers[i] =
          switch (arguments.get(i)) {
            case Argument.Address address -> Pointer.to(new long[] {address.value()});
            case Argument.Int32 number -> Pointer.to(new int[] {number.value()});
            case Argument.Int64 number -> Pointer.to(new long[] {number.value()});
            case Argument.Float32 number -> Pointer.to(new float[] {number.value()});
          };
    }
    return Pointer.to(pointers);
  }

  @Override
  public Recording record(LaunchPlan plan) {
    enter();
    // Nothing must be loaded while the stream is captured.
    plan.launches().forEach(modules::function);
    Cuda.check(
        "cuStreamBeginCapture",
        JCudaDriver.cuStreamBeginCapture(
            stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    CUgraph graph = new CUgraph();
    int ended = CUresult.CUDA_ERROR_UNKNOWN;
    try {
      plan.launches().forEach(this::launch);
    } finally {
      // Whatever happened: a stream that is left capturing refuses everything else.
      ended = JCudaDriver.cuStreamEndCapture(stream, graph);
    }
    Cuda.check("cuStreamEndCapture", ended);
    CUgraphExec executable = new CUgraphExec();
    int instantiated = JCudaDriver.cuGraphInstantiate(executable, graph, 0);
    Cuda.check("cuGraphDestroy", JCudaDriver.cuGraphDestroy(graph));
    Cuda.check("cuGraphInstantiate of " + plan.name(), instantiated);
    // Otherwise the first replay would bring the graph to the device.
    Cuda.check("cuGraphUpload", JCudaDriver.cuGraphUpload(executable, stream));
    return new Graph(executable);
  }

  /// A captured graph.
  private final class Graph implements Recording {
    private final CUgraphExec executable;

    Graph(CUgraphExec executable) {
      this.executable = executable;
    }

    @Override
    public void replay() {
      enter();
      Cuda.check("cuGraphLaunch", JCudaDriver.cuGraphLaunch(executable, stream));
    }

    @Override
    public void close() {
      enter();
      Cuda.check("cuGraphExecDestroy", JCudaDriver.cuGraphExecDestroy(executable));
    }
  }

  @Override
  public void close() {
    enter();
    Cuda.check("cuStreamSynchronize", JCudaDriver.cuStreamSynchronize(stream));
    staging.close();
    modules.close();
    memory.close();
    Cuda.check("cuStreamDestroy", JCudaDriver.cuStreamDestroy(stream));
    Cuda.check("cuDevicePrimaryCtxRelease", JCudaDriver.cuDevicePrimaryCtxRelease(device));
  }
}
