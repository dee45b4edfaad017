package io.rigmesh.libp2p.resource;

/// Memory counted in one scope and in all those above it.
public interface MemoryScope {
  /// Must be called before the bytes are allocated.
  ///
  /// @throws ResourceLimitException when any scope above would exceed its limit; nothing is counted
  ///   then
  void reserveMemory(long bytes);

  void releaseMemory(long bytes);
}
