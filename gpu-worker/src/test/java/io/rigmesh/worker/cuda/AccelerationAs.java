package io.rigmesh.worker.cuda;

import java.lang.foreign.MemorySegment;

/// A device for which kernels are chosen as for another architecture, which it can run.
record AccelerationAs(Accelerator device, Architecture architecture) implements Accelerator {
  @Override
  public String name() {
    return device.name() + " as " + architecture;
  }

  @Override
  public long memoryFreeBytes() {
    return device.memoryFreeBytes();
  }

  @Override
  public long memoryTotalBytes() {
    return device.memoryTotalBytes();
  }

  @Override
  public void free(long address) {
    device.free(address);
  }

  @Override
  public long allocate(long bytes) {
    return device.allocate(bytes);
  }

  @Override
  public void write(long address, MemorySegment source) {
    device.write(address, source);
  }

  @Override
  public void read(long address, MemorySegment target) {
    device.read(address, target);
  }

  @Override
  public void run(LaunchPlan plan) {
    device.run(plan);
  }

  @Override
  public Recording record(LaunchPlan plan) {
    return device.record(plan);
  }

  @Override
  public void close() {
    device.close();
  }
}
