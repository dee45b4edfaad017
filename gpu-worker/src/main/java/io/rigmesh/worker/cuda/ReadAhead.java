package io.rigmesh.worker.cuda;

/// Memory that a later launch reads and that an earlier one, while it waits for something else,
/// asks the second-level cache for. No result depends on it.
///
/// @param address where it begins
/// @param bytes how much; 0 is nothing
record ReadAhead(long address, long bytes) {
  static final ReadAhead NONE = new ReadAhead(0, 0);

  /// The beginning of a weight.
  static ReadAhead of(DeviceMatrix weight, long bytesMax) {
    return between(weight.address(), weight.addressEnd(), bytesMax);
  }

  /// From one address on, up to another.
  static ReadAhead between(long from, long to, long bytesMax) {
    long bytes = Math.min(to - from, bytesMax);
    return bytes > 0 ? new ReadAhead(from, bytes) : NONE;
  }
}
