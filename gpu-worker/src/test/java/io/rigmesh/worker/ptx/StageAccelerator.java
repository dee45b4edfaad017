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

/// Stages on an [Accelerator]. What the host has of the buffers that a launch is given goes to the
/// device before it, between guard bytes that no kernel may write, and comes back behind it. Memory
/// that nothing wrote holds NaN.
final class StageAccelerator implements StageDevice, AutoCloseable {
  private static final int GUARD_BYTES = 2048;
  private static final byte GUARD = (byte) 0xa5;
  private static final int ALIGNMENT = 256;

  private final Accelerator device;
  private final long region;
  private final int regionBytes;
  private int used = GUARD_BYTES;
  private int live;

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
    used = Math.addExact(at, bytes + 2 * GUARD_BYTES + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    assertThat(used).as("the region holds %s", name).isLessThanOrEqualTo(regionBytes);
    DeviceBuffer buffer = new DeviceBuffer(name, region + at, bytes, false);
    buffer.poison();
    live++;
    return buffer;
  }

  @Override
  public void free(DeviceBuffer buffer) {
    live--;
    if (live == 0) {
      used = GUARD_BYTES;
    }
  }

  @Override
  public void launch(
      String kernel, Extent grid, int threads, int sharedBytes, Object... arguments) {
    List<DeviceBuffer> given = given(arguments);
    given.forEach(this::bring);
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
    given.forEach(buffer -> take(kernel, buffer));
  }

  /// The buffers among the arguments.
  private static List<DeviceBuffer> given(Object... arguments) {
    return Arrays.stream(arguments)
        .filter(DeviceBuffer.class::isInstance)
        .map(DeviceBuffer.class::cast)
        .distinct()
        .toList();
  }

  /// Brings what the host has of a buffer to the device, and guards on both sides.
  private void bring(DeviceBuffer buffer) {
    byte[] image = new byte[buffer.size() + 2 * GUARD_BYTES];
    Arrays.fill(image, GUARD);
    System.arraycopy(buffer.data(), 0, image, GUARD_BYTES, buffer.size());
    device.write(buffer.address() - GUARD_BYTES, MemorySegment.ofArray(image));
  }

  /// Brings what a launch left to a buffer.
  private void take(String kernel, DeviceBuffer buffer) {
    byte[] image = new byte[buffer.size() + 2 * GUARD_BYTES];
    device.read(buffer.address() - GUARD_BYTES, MemorySegment.ofArray(image));
    int end = GUARD_BYTES + buffer.size();
    requireGuard(kernel, image, 0, GUARD_BYTES, "before " + buffer.name());
    requireGuard(kernel, image, end, image.length, "behind " + buffer.name());
    buffer.write(0, Arrays.copyOfRange(image, GUARD_BYTES, end));
  }

  private static void requireGuard(String kernel, byte[] image, int from, int to, String where) {
    for (int i = from; i < to; i++) {
      if (image[i] != GUARD) {
        throw new AssertionError(
            "%s wrote byte %d of the guard %s.".formatted(kernel, i - from, where));
      }
    }
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
