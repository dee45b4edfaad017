package io.rigmesh.node.chain;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// Wakes one thread. Rings that nobody waited for are one ring, and are not lost.
final class Bell {
  private final Semaphore rung = new Semaphore(0);

  void ring() {
    rung.release();
  }

  /// Waits for a ring.
  void await() throws InterruptedException {
    rung.acquire();
    rung.drainPermits();
  }

  /// Waits for a ring, or as long.
  void await(Duration most) throws InterruptedException {
    if (rung.tryAcquire(most.toNanos(), TimeUnit.NANOSECONDS)) {
      rung.drainPermits();
    }
  }
}
