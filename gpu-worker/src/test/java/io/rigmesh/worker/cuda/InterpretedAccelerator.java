package io.rigmesh.worker.cuda;

import io.rigmesh.worker.ptx.DeviceBuffer;
import io.rigmesh.worker.ptx.Extent;
import io.rigmesh.worker.ptx.LaunchCounts;
import io.rigmesh.worker.ptx.PtxDevice;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// A device on which the shipped PTX runs in the interpreter: what [CudaAccelerator] sends to
/// NVIDIA's driver, executed instruction by instruction, with a sanitizer's checks.
public class InterpretedAccelerator implements Accelerator {
  private static final long MEMORY_BYTES = 256L << 20;

  private final Architecture architecture;
  private final PtxDevice device = new PtxDevice();
  private final PtxManifest manifest = PtxManifest.load();
  private final Map<String, PtxDevice.Module> modules = new HashMap<>();
  private final List<String> launched = new ArrayList<>();
  private final List<Integer> bytesRead = new ArrayList<>();
  private final List<Ran> ran = new ArrayList<>();
  private int replays;
  private int allocations;
  private int recordings;

  /// A launch, and what it was seen to do.
  record Ran(Launch launch, LaunchCounts counts) {}

  /// A device of an architecture, on which the choice of kernels depends.
  public InterpretedAccelerator(Architecture architecture) {
    this.architecture = architecture;
  }

  /// Makes blocks and warps run in descending order; no result may change.
  public InterpretedAccelerator backwards() {
    device.backwards(true);
    return this;
  }

  /// Makes launches count the different bytes that they touch.
  InterpretedAccelerator countingBytes() {
    device.countDistinct();
    return this;
  }

  /// What was launched, in order.
  List<Ran> ran() {
    return ran;
  }

  /// How often device memory was asked for.
  int allocations() {
    return allocations;
  }

  /// How often a plan was recorded.
  int recordings() {
    return recordings;
  }

  /// The entry points that were launched, in order.
  public List<String> launched() {
    return launched;
  }

  /// The size of everything that was copied to the host, in order.
  public List<Integer> bytesRead() {
    return bytesRead;
  }

  /// How many recorded plans ran.
  public int replays() {
    return replays;
  }

  @Override
  public String name() {
    return "interpreted PTX";
  }

  @Override
  public Architecture architecture() {
    return architecture;
  }

  @Override
  public long memoryFreeBytes() {
    return MEMORY_BYTES;
  }

  @Override
  public long memoryTotalBytes() {
    return MEMORY_BYTES;
  }

  @Override
  public void free(long address) {
    device.memory().free(buffer(address));
  }

  @Override
  public long allocate(long bytes) {
    allocations++;
    DeviceBuffer buffer = device.memory().allocate("arena", Math.toIntExact(bytes));
    buffer.write(0, new byte[buffer.size()]);
    return buffer.address();
  }

  @Override
  public void write(long address, MemorySegment source) {
    DeviceBuffer buffer = buffer(address);
    buffer.write(at(buffer, address), source.toArray(ValueLayout.JAVA_BYTE));
  }

  @Override
  public void read(long address, MemorySegment target) {
    DeviceBuffer buffer = buffer(address);
    bytesRead.add(Math.toIntExact(target.byteSize()));
    byte[] bytes = buffer.read(at(buffer, address), Math.toIntExact(target.byteSize()));
    target.copyFrom(MemorySegment.ofArray(bytes));
  }

  private DeviceBuffer buffer(long address) {
    return device.memory().at(address).orElseThrow();
  }

  private static int at(DeviceBuffer buffer, long address) {
    return Math.toIntExact(address - buffer.address());
  }

  @Override
  public void run(LaunchPlan plan) {
    for (Launch launch : plan.launches()) {
      PtxManifest.Module module = manifest.moduleOf(launch.entry());
      launched.add(launch.entry());
      LaunchCounts counts =
          device.launch(
              modules.computeIfAbsent(module.name(), ignored -> device.load(module.ptx())),
              launch.entry(),
              new Extent(launch.gridX(), launch.gridY(), launch.gridZ()),
              new Extent(launch.threads(), 1, 1),
              launch.sharedBytes(),
              launch.arguments().stream().map(InterpretedAccelerator::plain).toArray());
      ran.add(new Ran(launch, counts));
    }
  }

  private static Object plain(Argument argument) {
    return switch (argument) {
      case Argument.Address address -> address.value();
      case Argument.Int32 number -> number.value();
      case Argument.Int64 number -> number.value();
      case Argument.Float32 number -> number.value();
    };
  }

  @Override
  public Recording record(LaunchPlan plan) {
    recordings++;
    return new Recording() {
      @Override
      public void replay() {
        replays++;
        run(plan);
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public void close() {}
}
