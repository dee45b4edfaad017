package io.rigmesh.worker.ptx;

import java.util.ArrayList;
import java.util.List;

/// One of a block's sixteen barriers.
final class Barrier {
  private final Block block;
  private final List<Waiting> waiting = new ArrayList<>();
  private final int[] clocks;
  private int arrivedWarps;
  private int arrivedTrue;
  private int expectedThreads;

  /// A warp that waits, and what it is told when the barrier opens.
  private record Waiting(Warp warp, BarrierOp op) {}

  Barrier(Block block, int warps) {
    this.block = block;
    this.clocks = new int[warps];
  }

  /// A warp arrives, and waits if it has to.
  ///
  /// @param threads how many threads the barrier is for, or 0 for all of the block
  /// @param trues how many of the warp's threads bring a true predicate
  void arrive(Warp warp, BarrierOp op, int threads, int trues, boolean waits) {
    if (arrivedWarps > 0 && threads != expectedThreads) {
      throw warp.fault(
          op, 0, "the barrier was entered for " + expectedThreads + " threads and for " + threads);
    }
    expectedThreads = threads;
    arrivedWarps++;
    arrivedTrue += trues;
    warp.release(clocks);
    if (waits) {
      waiting.add(new Waiting(warp, op));
    } else {
      warp.passBarrier();
    }
    openIfComplete();
  }

  /// Opens if all who are expected have come.
  void openIfComplete() {
    boolean complete =
        arrivedWarps > 0
            && (expectedThreads == 0
                ? arrivedWarps >= block.liveWarps()
                : arrivedWarps * Warp.LANES >= expectedThreads);
    if (!complete) {
      return;
    }
    List<Waiting> all = List.copyOf(waiting);
    int trues = arrivedTrue;
    int threads = expectedThreads == 0 ? block.liveThreads() : expectedThreads;
    waiting.clear();
    arrivedWarps = 0;
    arrivedTrue = 0;
    for (Waiting one : all) {
      one.warp().acquire(clocks);
      one.op().passed(one.warp(), trues, threads);
      one.warp().passBarrier();
    }
  }
}
