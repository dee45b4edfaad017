package io.rigmesh.worker.ptx;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The simulated global memory: buffers at addresses that no other buffer is near to, so that what
/// leaves one meets nothing.
public final class DeviceMemory {
  private static final long FIRST = 0x7f0000000000L;
  private static final int GAP = 1 << 16;

  private final TreeMap<Long, DeviceBuffer> buffers = new TreeMap<>();
  private long next = FIRST;

  /// A new buffer whose contents nobody has written yet; it begins at a multiple of 256 bytes.
  public DeviceBuffer allocate(String name, int bytes) {
    return add(name, bytes, false);
  }

  /// Ends a buffer: touching it afterwards is an error.
  public void free(DeviceBuffer buffer) {
    buffers.remove(buffer.address());
  }

  /// A buffer that kernels may only read.
  DeviceBuffer constant(String name, byte[] contents) {
    DeviceBuffer buffer = add(name, contents.length, true);
    buffer.write(0, contents);
    return buffer;
  }

  /// The buffer that holds the byte at `address`, if one does.
  public Optional<DeviceBuffer> at(long address) {
    Map.Entry<Long, DeviceBuffer> below = buffers.floorEntry(address);
    return below != null && below.getValue().contains(address)
        ? Optional.of(below.getValue())
        : Optional.empty();
  }

  /// What lies near `address`, for an error.
  String near(long address) {
    Map.Entry<Long, DeviceBuffer> below = buffers.floorEntry(address);
    if (below == null || address - below.getKey() > 1L << 32) {
      return "which is no address of device memory";
    }
    DeviceBuffer buffer = below.getValue();
    long at = address - buffer.address();
    return at < buffer.size() + 16
        ? "byte " + at + " of " + buffer.name() + ", which has " + buffer.size()
        : (at - buffer.size()) + " bytes behind " + buffer.name() + ", which has " + buffer.size();
  }

  private DeviceBuffer add(String name, int bytes, boolean readOnly) {
    if (bytes < 1) {
      throw new PtxException("The buffer " + name + " would have " + bytes + " bytes.");
    }
    DeviceBuffer buffer = new DeviceBuffer(name, next, bytes, readOnly);
    buffers.put(next, buffer);
    next = (next + bytes + GAP + 255) & -256L;
    return buffer;
  }
}
