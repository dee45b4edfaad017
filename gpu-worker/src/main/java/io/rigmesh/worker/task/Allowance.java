package io.rigmesh.worker.task;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;

/// How many tokens a job may use, counted from its start: in a generation those that it makes, in
/// an embedding those that it reads. Whoever is paid for the work raises it while the work goes on;
/// it never falls. Safe for use by several threads.
public final class Allowance {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition raised = lock.newCondition();
  private long tokens;
  private LongConsumer listener = _ -> {};

  /// @param tokens what may be used at first
  public Allowance(long tokens) {
    this.tokens = tokens;
  }

  /// Of a job that may go to its end.
  public static Allowance unlimited() {
    return new Allowance(Long.MAX_VALUE);
  }

  /// What may be used now.
  public long tokens() {
    lock.lock();
    try {
      return tokens;
    } finally {
      lock.unlock();
    }
  }

  /// Lets so many be used; fewer than before change nothing.
  public void raise(long to) {
    lock.lock();
    try {
      if (to > tokens) {
        tokens = to;
        raised.signalAll();
        listener.accept(to);
      }
    } finally {
      lock.unlock();
    }
  }

  /// Says who hears what may be used: what it is now, and whenever it is raised.
  void follow(LongConsumer follower) {
    lock.lock();
    try {
      listener = follower;
      follower.accept(tokens);
    } finally {
      lock.unlock();
    }
  }

  /// Waits at most so long until more than `used` may be used; false if it may not.
  boolean awaitAbove(long used, long timeoutMillis) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      long nanos = TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
      while (tokens <= used && nanos > 0) {
        nanos = raised.awaitNanos(nanos);
      }
      return tokens > used;
    } finally {
      lock.unlock();
    }
  }
}
