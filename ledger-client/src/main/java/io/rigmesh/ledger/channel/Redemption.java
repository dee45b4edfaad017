package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.LedgerException;
import java.time.Clock;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hands a payee's vouchers in: many channels in one call, when together they are worth their gas,
/// and a channel at once when it was asked to close. Every call is written down before it is made,
/// and a restart goes on with those that are open.
///
/// One thread of its own does the work until [#close].
public final class Redemption implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Redemption.class);

  private final RedemptionRound round;
  private final RedemptionSettings settings;
  private final ReentrantLock running = new ReentrantLock();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition wake = lock.newCondition();
  private final Thread loop;
  private boolean woken;
  private boolean closing;
  private boolean failing;

  private Redemption(RedemptionRound round, RedemptionSettings settings, String name) {
    this.round = round;
    this.settings = settings;
    this.loop = Thread.ofPlatform().name(name).daemon().unstarted(this::run);
  }

  /// Starts handing in the vouchers of a payee's book.
  public static Redemption start(
      PayeeBook book, ChannelContract contract, RedemptionSettings settings, Clock clock) {
    return start(
        new RedemptionRound(book.store(), contract, settings, clock, false),
        settings,
        "ledger-redemption");
  }

  static Redemption start(RedemptionRound round, RedemptionSettings settings, String name) {
    Redemption redemption = new Redemption(round, settings, name);
    redemption.loop.start();
    return redemption;
  }

  /// Looks for work now instead of at the next interval.
  public void wake() {
    lock.lock();
    try {
      woken = true;
      wake.signal();
    } finally {
      lock.unlock();
    }
  }

  /// Hands in everything now, whatever its gas; returns when it is on its way.
  ///
  /// @throws LedgerException if the chain cannot be reached, or refuses
  public void redeemAll() {
    running.lock();
    try {
      round.run(true);
    } finally {
      running.unlock();
    }
  }

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
      loop.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      while (pause()) {
        running.lock();
        try {
          round.run(false);
          if (failing) {
            LOG.info("handing vouchers in goes on");
            failing = false;
          }
        } catch (LedgerException e) {
          // Each failure is said once, not at every round.
          if (!failing) {
            LOG.warn("vouchers are not handed in, trying again: {}", e.getMessage());
            failing = true;
          }
        } catch (RuntimeException e) {
          if (!failing) {
            LOG.error("vouchers are not handed in, trying again", e);
            failing = true;
          }
        } finally {
          running.unlock();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean pause() throws InterruptedException {
    lock.lock();
    try {
      long left = settings.interval().toNanos();
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
