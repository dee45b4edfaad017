package io.rigmesh.worker.serve;

import java.util.ArrayDeque;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// What one sequence gives, read by whoever asked for it. While too much is unread the sequence
/// rests and its neighbours go on; so it does where it has given all that it is allowed. Closing it
/// before the end cancels the sequence, whose pages are free as soon as the running step, if it
/// takes part in one, is done.
public final class TokenStream implements AutoCloseable {
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition arrived = lock.newCondition();
  private final ArrayDeque<SequenceEvent> unread = new ArrayDeque<>();
  private final int unreadMax;
  private final Runnable wake;
  private volatile boolean cancelled;
  private volatile int promptTokensShared;
  private volatile long allowed;
  private boolean ended;

  /// @param allowed how many tokens the sequence may give
  /// @param wake tells the engine that this stream was read or closed, or allowed more
  TokenStream(int unreadMax, long allowed, Runnable wake) {
    this.unreadMax = unreadMax;
    this.allowed = allowed;
    this.wake = wake;
  }

  /// The next event, waited for.
  ///
  /// @throws IllegalStateException after the end
  public SequenceEvent next() throws InterruptedException {
    while (true) {
      Optional<SequenceEvent> event = poll(Long.MAX_VALUE);
      if (event.isPresent()) {
        return event.get();
      }
    }
  }

  /// The next event, waited for at most so long.
  ///
  /// @throws IllegalStateException after the end
  public Optional<SequenceEvent> poll(long timeoutMillis) throws InterruptedException {
    SequenceEvent event;
    boolean rested;
    lock.lockInterruptibly();
    try {
      long nanos = TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
      while (unread.isEmpty()) {
        if (ended) {
          throw new IllegalStateException("the sequence has ended, and its end was read");
        }
        if (nanos <= 0) {
          return Optional.empty();
        }
        nanos = arrived.awaitNanos(nanos);
      }
      rested = unread.size() >= unreadMax;
      event = unread.removeFirst();
    } finally {
      lock.unlock();
    }
    if (rested) {
      // Not under this lock: the engine takes it under its own.
      wake.run();
    }
    return Optional.of(event);
  }

  /// How many tokens of the prompt were not computed, since their pages were there: known once the
  /// first event has come.
  public int promptTokensShared() {
    return promptTokensShared;
  }

  /// Lets the sequence give so many tokens, counted from its first; fewer than before change
  /// nothing. Nothing behind them is computed before it may be given.
  public void allow(long tokens) {
    lock.lock();
    try {
      allowed = Math.max(allowed, tokens);
    } finally {
      lock.unlock();
    }
    wake.run();
  }

  /// Cancels the sequence unless it has ended.
  @Override
  public void close() {
    cancelled = true;
    wake.run();
  }

  /// How many tokens the sequence may give.
  long allowed() {
    return allowed;
  }

  boolean cancelled() {
    return cancelled;
  }

  /// Whether its reader is so far behind that the sequence rests.
  boolean rests() {
    lock.lock();
    try {
      return unread.size() >= unreadMax;
    } finally {
      lock.unlock();
    }
  }

  void shared(int promptTokens) {
    promptTokensShared = promptTokens;
  }

  void put(SequenceEvent event) {
    lock.lock();
    try {
      unread.addLast(event);
      ended |= !(event instanceof SequenceEvent.Token);
      arrived.signalAll();
    } finally {
      lock.unlock();
    }
  }
}
