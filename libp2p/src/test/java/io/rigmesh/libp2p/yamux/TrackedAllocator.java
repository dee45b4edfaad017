package io.rigmesh.libp2p.yamux;

import io.netty.buffer.UnpooledByteBufAllocator;

/// Counts every byte that is allocated and not yet released, so that a test sees a leak for certain
/// and at once, where Netty's detector needs the garbage collector's help.
public final class TrackedAllocator {
  private final UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(false, true);

  public UnpooledByteBufAllocator allocator() {
    return allocator;
  }

  public long usedBytes() {
    return allocator.metric().usedHeapMemory() + allocator.metric().usedDirectMemory();
  }
}
