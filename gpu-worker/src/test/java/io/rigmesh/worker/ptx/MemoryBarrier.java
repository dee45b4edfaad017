package io.rigmesh.worker.ptx;

import java.util.ArrayList;
import java.util.List;

/// A barrier object (`mbarrier`) in shared memory: it counts arrivals and bytes that are under way.
final class MemoryBarrier {
  private final int expected;
  private final int[] clocks;
  private final List<Runnable> copies = new ArrayList<>();
  private int pending;
  private long bytes;
  private long phase;

  MemoryBarrier(int expected, int warps) {
    this.expected = expected;
    this.pending = expected;
    this.clocks = new int[warps];
  }

  long phase() {
    return phase;
  }

  void expectBytes(long count) {
    bytes += count;
  }

  /// A thread arrives; what its warp did before is known to who sees the phase complete.
  void arrive(Warp warp, int count) {
    warp.release(clocks);
    pending -= count;
    completeIfDone();
  }

  /// A copy that will bring `count` bytes; it happens when somebody asks whether it did.
  void copy(Warp warp, long count, Runnable copy) {
    copies.add(() -> {
      copy.run();
      warp.release(clocks);
      bytes -= count;
      completeIfDone();
    });
  }

  /// Whether the phase `asked` (or, with `parity`, the latest of that parity) is complete.
  boolean complete(Warp warp, long asked, boolean parity) {
    List<Runnable> arrived = List.copyOf(copies);
    copies.clear();
    arrived.forEach(Runnable::run);
    boolean done = parity ? (phase & 1) != (asked & 1) : phase != asked;
    if (done) {
      warp.acquire(clocks);
    }
    return done;
  }

  private void completeIfDone() {
    if (pending < 0) {
      throw new PtxException("More threads arrived at an mbarrier than it was made for.");
    }
    if (pending == 0 && bytes == 0) {
      phase++;
      pending = expected;
    }
  }
}
