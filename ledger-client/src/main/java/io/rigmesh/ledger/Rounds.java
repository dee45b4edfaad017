package io.rigmesh.ledger;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Work that is done in rounds by one thread of its own: after every interval, and at once when
/// somebody wakes it. A round that fails is followed by others; the failure is said once and not at
/// every round, and so is that the work goes on.
///
/// Safe for use by several threads.
public final class Rounds implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Rounds.class);

  private final Words words;
  private final Duration interval;
  private final Runnable round;
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition wake = lock.newCondition();
  private boolean woken;
  private boolean closing;
  private boolean failing;

  /// What is said of rounds that fail.
  ///
  /// @param failing that they do; the reason is put behind it
  /// @param goesOn that they no longer do
  public record Words(String failing, String goesOn) {}

  private Rounds(String threadName, Duration interval, Words words, Runnable round) {
    this.words = words;
    this.interval = interval;
    this.round = round;
    this.thread = Thread.ofPlatform().name(threadName).daemon().unstarted(this::run);
  }

  /// Rounds whose thread waits for [#start].
  ///
  /// @param interval how long the thread pauses behind a round
  /// @param round one round; what it throws is said and ends nothing
  public static Rounds of(String threadName, Duration interval, Words words, Runnable round) {
    return new Rounds(threadName, interval, words, round);
  }

  /// Starts the thread, the first round after an interval; [#wake] has it at once.
  public void start() {
    thread.start();
  }

  /// Has a round now instead of after the interval. One that runs is followed by another.
  public void wake() {
    lock.lock();
    try {
      woken = true;
      wake.signal();
    } finally {
      lock.unlock();
    }
  }

  /// True once there will be no further round; a long one should end.
  public boolean isClosing() {
    lock.lock();
    try {
      return closing;
    } finally {
      lock.unlock();
    }
  }

  /// Returns when the round that runs is over. There is none after it.
  @Override
  public void close() {
    lock.lock();
    try {
      closing = true;
      wake.signal();
    } finally {
      lock.unlock();
    }
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      while (pause()) {
        oneRound();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void oneRound() {
    try {
      round.run();
      if (failing) {
        LOG.info("{}", words.goesOn());
        failing = false;
      }
    } catch (LedgerException e) {
      if (!failing) {
        LOG.warn("{}: {}", words.failing(), e.getMessage());
        failing = true;
      }
    } catch (RuntimeException e) {
      if (!failing) {
        LOG.error("{}", words.failing(), e);
        failing = true;
      }
    }
  }

  private boolean pause() throws InterruptedException {
    lock.lock();
    try {
      long left = interval.toNanos();
      while (!closing && !woken && left > 0) {
        left = wake.awaitNanos(left);
      }
      woken = false;
      return !closing;
    } finally {
      lock.unlock();
    }
  }
}
