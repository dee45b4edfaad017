package io.rigmesh.worker.kernels.vector;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A loop whose items are shared out among a fixed number of threads, the caller being one of them.
///
/// Items are independent outputs, so which thread computes one, and when, never changes a bit.
/// Threads take chunks of items from a common counter. Between loops the helpers spin for some
/// microseconds, since operations follow each other closely, and then park. One thread at a time
/// calls.
final class ParallelFor implements AutoCloseable {
  /// The body of a loop.
  interface Body {
    /// Computes the items `from` to `to` (excluded) on thread `worker`; returns whether a result is
    /// NaN or infinite.
    boolean run(int worker, int from, int to);
  }

  private static final int SPINS = 2_000;

  private final Thread[] helpers;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger busy = new AtomicInteger();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private final AtomicInteger round = new AtomicInteger();
  private volatile boolean closed;
  private volatile boolean bad;
  private volatile @Nullable Thread waiting;
  private Body body = (worker, from, to) -> false;
  private int items;
  private int chunk;

  ParallelFor(int threads) {
    if (threads < 1 || threads > 1024) {
      throw new IllegalArgumentException("threads must be 1 to 1024, but is " + threads + ".");
    }
    helpers = new Thread[threads - 1];
    for (int i = 0; i < helpers.length; i++) {
      int worker = i + 1;
      helpers[i] =
          Thread.ofPlatform()
              .daemon()
              .name("rigmesh-kernels-" + worker)
              .unstarted(() -> help(worker));
    }
    for (Thread helper : helpers) {
      helper.start();
    }
  }

  int threads() {
    return helpers.length + 1;
  }

  /// Runs the body over `count` items in chunks of `chunkItems`; returns whether any chunk reported
  /// a bad result.
  boolean run(int count, int chunkItems, Body loop) {
    if (helpers.length == 0 || count <= chunkItems) {
      return count > 0 && loop.run(0, 0, count);
    }
    body = loop;
    items = count;
    chunk = chunkItems;
    bad = false;
    next.set(0);
    busy.set(helpers.length);
    // This makes everything above visible to the helpers.
    round.incrementAndGet();
    for (Thread helper : helpers) {
      LockSupport.unpark(helper);
    }
    Throwable mine = null;
    try {
      drain(0);
    } catch (RuntimeException | Error e) {
      next.set(items);
      mine = e;
    }
    awaitHelpers();
    Throwable theirs = failure.getAndSet(null);
    rethrow(mine != null ? mine : theirs);
    return bad;
  }

  @Override
  public void close() {
    closed = true;
    for (Thread helper : helpers) {
      LockSupport.unpark(helper);
    }
  }

  private void awaitHelpers() {
    for (int spins = 0; busy.get() > 0 && spins < SPINS; spins++) {
      Thread.onSpinWait();
    }
    waiting = Thread.currentThread();
    while (busy.get() > 0) {
      LockSupport.park(this);
    }
    waiting = null;
  }

  private void help(int worker) {
    int seen = 0;
    while (true) {
      int spins = 0;
      while (round.get() == seen && !closed) {
        if (++spins < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
        }
      }
      if (closed) {
        return;
      }
      seen++;
      try {
        drain(worker);
      } catch (RuntimeException | Error e) {
        next.set(items);
        failure.compareAndSet(null, e);
      } finally {
        if (busy.decrementAndGet() == 0) {
          LockSupport.unpark(waiting);
        }
      }
    }
  }

  private void drain(int worker) {
    int count = items;
    int step = chunk;
    while (true) {
      int from = next.getAndAdd(step);
      if (from >= count) {
        return;
      }
      if (body.run(worker, from, Math.min(count, from + step))) {
        bad = true;
      }
    }
  }

  private static void rethrow(@Nullable Throwable failure) {
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (failure instanceof Error e) {
      throw e;
    }
  }
}
