package io.rigmesh.worker.ptx;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// The asynchronous copies (`cp.async`) of the threads of one warp; a copy happens as late as it
/// may, when its thread waits for it.
final class AsyncCopies {
  private static final class Lane {
    private final Deque<List<Runnable>> committed = new ArrayDeque<>();
    private List<Runnable> open = new ArrayList<>();
  }

  private final Lane[] lanes = new Lane[Warp.LANES];

  AsyncCopies() {
    for (int lane = 0; lane < lanes.length; lane++) {
      lanes[lane] = new Lane();
    }
  }

  void add(int lane, Runnable copy) {
    lanes[lane].open.add(copy);
  }

  void commit(int lane) {
    lanes[lane].committed.add(lanes[lane].open);
    lanes[lane].open = new ArrayList<>();
  }

  /// Completes all committed groups but the `keep` latest.
  void await(int lane, int keep) {
    while (lanes[lane].committed.size() > keep) {
      lanes[lane].committed.remove().forEach(Runnable::run);
    }
  }

  /// Completes everything, committed or not.
  void awaitAll(int lane) {
    commit(lane);
    await(lane, 0);
  }
}
