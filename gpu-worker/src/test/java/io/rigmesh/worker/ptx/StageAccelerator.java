package io.rigmesh.worker.ptx;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.cuda.Accelerator;
import io.rigmesh.worker.cuda.Architecture;
import io.rigmesh.worker.cuda.Argument;
import io.rigmesh.worker.cuda.LaunchPlan;
import io.rigmesh.worker.cuda.Work;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Stages on an [Accelerator]. Around and between the buffers lie guard bytes that no kernel may
/// write; what the host has of a buffer goes to the device before every launch and comes back
/// behind it. Memory that nothing wrote holds NaN.
final class StageAccelerator implements StageDevice, AutoCloseable {
  private static final int GUARD_BYTES = 4096;
  private static final byte GUARD = (byte) 0xa5;
  private static final int ALIGNMENT = 256;

  private final Accelerator device;
  private final long region;
  private final int regionBytes;
  private final TreeMap<Long, DeviceBuffer> buffers = new TreeMap<>();
  private int used = GUARD_BYTES;

  /// @param device what runs the kernels; it stays the caller's to close
  /// @param regionBytes how much of its memory all buffers of a stage have
  StageAccelerator(Accelerator device, int regionBytes) {
    this.device = device;
    this.regionBytes = regionBytes;
    this.region = device.allocate(regionBytes);
  }

  /// What the device can run.
  Architecture architecture() {
    return device.architecture();
  }

  @Override
  public DeviceBuffer allocate(String name, int bytes) {
    int at = used;
    used = Math.addExact(at, bytes + GUARD_BYTES + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    assertThat(used).as("the region holds %s", name).isLessThanOrEqualTo(regionBytes);
    DeviceBuffer buffer = new DeviceBuffer(name, region + at, bytes, false);
    buffer.poison();
    buffers.put(buffer.address(), buffer);
    return buffer;
  }

  @Override
  public void free(DeviceBuffer buffer) {
    buffers.remove(buffer.address());
    if (buffers.isEmpty()) {
      used = GUARD_BYTES;
    }
  }

  @Override
  public void launch(
      String kernel, Extent grid, int threads, int sharedBytes, Object... arguments) {
    device.write(region, MemorySegment.ofArray(image()));
    device.run(
        new LaunchPlan(
            kernel,
            List.of(
                new io.rigmesh.worker.cuda.Launch(
                    "a check of " + kernel,
                    kernel,
                    grid.x(),
                    grid.y(),
                    grid.z(),
                    threads,
                    sharedBytes,
                    Arrays.stream(arguments).map(StageAccelerator::typed).toList(),
                    List.of(),
                    Work.moving(0, 0)))));
    byte[] left = new byte[used];
    device.read(region, MemorySegment.ofArray(left));
    take(kernel, left);
  }

  /// All that lies in the region.
  private byte[] image() {
    byte[] image = new byte[used];
    Arrays.fill(image, GUARD);
    for (DeviceBuffer buffer : buffers.values()) {
      System.arraycopy(buffer.data(), 0, image, at(buffer), buffer.size());
    }
    return image;
  }

  /// Brings what a launch left to the buffers.
  private void take(String kernel, byte[] left) {
    int free = 0;
    for (Map.Entry<Long, DeviceBuffer> entry : buffers.entrySet()) {
      DeviceBuffer buffer = entry.getValue();
      requireGuard(kernel, left, free, at(buffer), "before " + buffer.name());
      free = at(buffer) + buffer.size();
      buffer.write(0, Arrays.copyOfRange(left, at(buffer), free));
    }
    requireGuard(kernel, left, free, left.length, "behind everything");
  }

  private static void requireGuard(String kernel, byte[] left, int from, int to, String where) {
    for (int i = from; i < to; i++) {
      if (left[i] != GUARD) {
        throw new AssertionError(
            "%s wrote byte %d of the guard %s.".formatted(kernel, i - from, where));
      }
    }
  }

  private int at(DeviceBuffer buffer) {
    return Math.toIntExact(buffer.address() - region);
  }

  private static Argument typed(Object argument) {
    return switch (argument) {
      case Integer value -> new Argument.Int32(value);
      case Float value -> new Argument.Float32(value);
      // An address is 64 bits, too.
      case Long value -> new Argument.Int64(value);
      case DeviceBuffer buffer -> new Argument.Address(buffer.address());
      default -> throw new IllegalArgumentException("An argument is a " + argument.getClass());
    };
  }

  /// The device has its own order.
  @Override
  public void backwards(boolean descending) {}

  @Override
  public void close() {
    device.free(region);
  }
}
