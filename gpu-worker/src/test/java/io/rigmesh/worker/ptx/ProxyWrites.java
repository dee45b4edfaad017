package io.rigmesh.worker.ptx;

import java.util.Arrays;

/// Which bytes of a block's shared memory threads wrote through the generic proxy and have not yet
/// made visible to the asynchronous one, by which wgmma reads, with `fence.proxy.async` (PTX ISA,
/// "Async proxy"). cp.async writes through the generic proxy, cp.async.bulk does not.
final class ProxyWrites {
  private static final int NOBODY = -1;

  /// Pieces of 16 bytes, as rows of a matrix are read.
  private final int[] writers;

  ProxyWrites(int bytes) {
    this.writers = new int[(bytes + 15) / 16];
    Arrays.fill(writers, NOBODY);
  }

  private static int thread(Warp warp, int lane) {
    return warp.index() * Warp.LANES + lane;
  }

  void wrote(Warp warp, int lane, int at, int bytes) {
    Arrays.fill(writers, at / 16, (at + bytes + 15) / 16, thread(warp, lane));
  }

  /// As [#wrote], through the asynchronous proxy.
  void wroteAsynchronously(int at, int bytes) {
    Arrays.fill(writers, at / 16, (at + bytes + 15) / 16, NOBODY);
  }

  /// A thread's fence: what it wrote is visible.
  void fence(Warp warp, int lane) {
    int thread = thread(warp, lane);
    for (int i = 0; i < writers.length; i++) {
      if (writers[i] == thread) {
        writers[i] = NOBODY;
      }
    }
  }

  /// Whether 16 bytes can be read through the asynchronous proxy.
  boolean visible(int at) {
    return writers[at / 16] == NOBODY;
  }
}
