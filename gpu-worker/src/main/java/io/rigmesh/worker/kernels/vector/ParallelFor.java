package io.rigmesh.worker.kernels.vector;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// A loop whose items are shared out among a fixed number of threads, the caller being one of them.
///
/// Items are independent outputs, so which thread computes one, and when, never changes a bit.
/// Threads take chunks of items from a common counter, and the caller waits for chunks that were
/// taken, not for threads: a helper that the operating system lets sleep holds up nothing. One
/// thread at a time calls.
///
/// Between loops the helpers spin for some microseconds, since operations follow each other
/// closely, then look again and again while they leave the processor to whoever wants it, and then
/// park: to wake a parked thread costs its waker up to 100 microseconds where the processor was
/// halted, in a virtual machine above all, as long as some whole operations take.
final class ParallelFor implements AutoCloseable {
  /// The body of a loop.
  interface Body {
    /// Computes the items `from` to `to` (excluded) on thread `worker`; returns whether a result is
    /// NaN or infinite.
    boolean run(int worker, int from, int to);
  }

  private static final int SPINS = 2_000;
  private static final long YIELD_NANOS = 500_000;
  private static final Loop NONE =
      new Loop((worker, from, to) -> false, 0, 1, Thread.currentThread());

  private final Thread[] helpers;
  private final AtomicIntegerArray parked;
  private volatile Loop current = NONE;
  private volatile boolean closed;

  ParallelFor(int threads) {
    if (threads < 1 || threads > 1024) {
      throw new IllegalArgumentException("threads must be 1 to 1024, but is " + threads + ".");
    }
    helpers = new Thread[threads - 1];
    parked = new AtomicIntegerArray(helpers.length);
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
  boolean run(int count, int chunkItems, Body body) {
    if (helpers.length == 0 || count <= chunkItems) {
      return count > 0 && body.run(0, 0, count);
    }
    Loop loop = new Loop(body, count, chunkItems, Thread.currentThread());
    current = loop;
    // Either this sees that a helper parks, or that sees the new loop before it does.
    for (int i = 0; i < helpers.length; i++) {
      if (parked.get(i) != 0) {
        LockSupport.unpark(helpers[i]);
      }
    }
    loop.drain(0);
    return loop.await();
  }

  @Override
  public void close() {
    closed = true;
    for (Thread helper : helpers) {
      LockSupport.unpark(helper);
    }
  }

  @SuppressWarnings("ThreadPriorityCheck") // To yield is a courtesy; nothing relies on it.
  private void help(int worker) {
    Loop seen = NONE;
    while (true) {
      for (int spins = 0; current == seen && !closed && spins < SPINS; spins++) {
        Thread.onSpinWait();
      }
      for (long start = System.nanoTime();
          current == seen && !closed && System.nanoTime() - start < YIELD_NANOS; ) {
        Thread.yield();
      }
      parked.set(worker - 1, 1);
      while (current == seen && !closed) {
        LockSupport.park(this);
      }
      parked.set(worker - 1, 0);
      if (closed) {
        return;
      }
      seen = current;
      seen.drain(worker);
    }
  }

  /// One loop. A thread that comes to it after its items were taken finds nothing to do.
  private static final class Loop {
    private final Body body;
    private final int items;
    private final int chunk;
    private final Thread caller;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private volatile boolean bad;
    private volatile boolean waiting;

    Loop(Body body, int items, int chunk, Thread caller) {
      this.body = body;
      this.items = items;
      this.chunk = chunk;
      this.caller = caller;
    }

    void drain(int worker) {
      while (true) {
        // The counter passes the end by a chunk a thread at most, after which it is only read.
        int from = next.get() < items ? next.getAndAdd(chunk) : items;
        if (from >= items) {
          return;
        }
        int to = Math.min(items, from + chunk);
        int finished = to - from;
        try {
          if (body.run(worker, from, to)) {
            bad = true;
          }
        } catch (RuntimeException | Error e) {
          failure.compareAndSet(null, e);
          // What nobody has taken yet is given up.
          finished += Math.max(0, items - next.getAndSet(items));
        }
        if (done.addAndGet(finished) == items && waiting) {
          LockSupport.unpark(caller);
        }
      }
    }

    /// Waits for the chunks that helpers took; returns whether any was bad.
    @SuppressWarnings("ThreadPriorityCheck")
    boolean await() {
      for (int spins = 0; done.get() < items && spins < SPINS; spins++) {
        Thread.onSpinWait();
      }
      for (long start = System.nanoTime();
          done.get() < items && System.nanoTime() - start < YIELD_NANOS; ) {
        Thread.yield();
      }
      waiting = true;
      while (done.get() < items) {
        LockSupport.park(this);
      }
      switch (failure.get()) {
        case null -> {}
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        default -> throw new IllegalStateException(failure.get());
      }
      return bad;
    }
  }
}
