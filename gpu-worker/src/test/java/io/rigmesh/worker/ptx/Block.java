package io.rigmesh.worker.ptx;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A thread block: its warps, its shared memory, its barriers.
final class Block {
  private static final int TURN = 20_000;

  private final Launch launch;
  private final int number;
  private final byte[] shared;
  private final Shadow sharedShadow;
  private final List<Warp> warps = new ArrayList<>();
  private final Barrier[] barriers = new Barrier[16];
  private final Map<Integer, MemoryBarrier> memoryBarriers = new HashMap<>();
  private final BitSet acquired = new BitSet();
  private final Optional<ProxyWrites> proxyWrites;
  private boolean fenced;

  Block(Launch launch, int number, byte[] shared, Shadow sharedShadow) {
    this.launch = launch;
    this.number = number;
    this.shared = shared;
    this.sharedShadow = sharedShadow;
    this.proxyWrites =
        launch.program().usesAsyncProxy()
            ? Optional.of(new ProxyWrites(shared.length))
            : Optional.empty();
    int count = (launch.block().count() + Warp.LANES - 1) / Warp.LANES;
    for (int i = 0; i < barriers.length; i++) {
      barriers[i] = new Barrier(this, count);
    }
    for (int i = 0; i < count; i++) {
      warps.add(new Warp(this, i, count));
    }
  }

  Launch launch() {
    return launch;
  }

  int number() {
    return number;
  }

  byte[] shared() {
    return shared;
  }

  Shadow sharedShadow() {
    return sharedShadow;
  }

  Barrier barrier(int id) {
    return barriers[id];
  }

  /// The memory barriers of this block by their shared addresses.
  Map<Integer, MemoryBarrier> memoryBarriers() {
    return memoryBarriers;
  }

  /// What was written past the asynchronous proxy, where the kernel multiplies with wgmma.
  Optional<ProxyWrites> proxyWrites() {
    return proxyWrites;
  }

  int warpCount() {
    return warps.size();
  }

  int liveWarps() {
    return (int) warps.stream().filter(warp -> !warp.finished()).count();
  }

  int liveThreads() {
    return warps.stream().mapToInt(warp -> Integer.bitCount(warp.live())).sum();
  }

  /// A warp that ended is waited for no longer.
  void warpFinished() {
    for (Barrier barrier : barriers) {
      barrier.openIfComplete();
    }
  }

  /// What this block wrote before is visible to who sees what it does atomically from now on.
  void fence() {
    fenced = true;
  }

  /// An atomic at a global address: this block learns what those published who came before, and
  /// publishes in its turn if it has fenced.
  void meet(BitSet published) {
    acquired.or(published);
    if (fenced) {
      published.or(acquired);
      published.set(number);
    }
  }

  /// Whether what `block` wrote lies before what this block does.
  boolean hasAcquired(int block) {
    return acquired.get(block);
  }

  /// Runs the block to its end.
  void run() {
    boolean backwards = launch.backwards();
    while (true) {
      boolean ran = false;
      boolean finished = true;
      for (int i = 0; i < warps.size(); i++) {
        Warp warp = warps.get(backwards ? warps.size() - 1 - i : i);
        if (!warp.finished() && !warp.waitsAtBarrier()) {
          ran |= warp.run(TURN);
        }
        finished &= warp.finished();
      }
      if (finished) {
        return;
      }
      if (!ran) {
        throw stuck();
      }
    }
  }

  private PtxException stuck() {
    List<String> waits = new ArrayList<>();
    warps.stream().filter(warp -> !warp.finished()).forEach(warp -> waits.addAll(warp.waits()));
    return new PtxException(
        "Kernel "
            + launch.program().name()
            + ": the threads of block "
            + launch.grid().place(number)
            + " wait for each other for ever: "
            + String.join("; ", waits));
  }
}
