package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.Rounds;
import java.time.Clock;
import java.util.concurrent.locks.ReentrantLock;

/// Hands a payee's vouchers in: many channels in one call, when together they are worth a multiple
/// of their gas, and those of a channel that was asked to close at once if they are worth it at all
/// (with the multiple 0, always). Every call is written down before it is made, and a restart goes
/// on with those that are open.
///
/// One thread of its own does the work until [#close].
public final class Redemption implements AutoCloseable {
  private static final Rounds.Words WORDS =
      new Rounds.Words("vouchers are not handed in, trying again", "handing vouchers in goes on");

  private final RedemptionRound round;
  private final ReentrantLock running = new ReentrantLock();
  private final Rounds rounds;

  private Redemption(RedemptionRound round, RedemptionSettings settings, String name) {
    this.round = round;
    this.rounds = Rounds.of(name, settings.interval(), WORDS, () -> run(false));
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
    redemption.rounds.start();
    return redemption;
  }

  /// Looks for work now instead of at the next interval.
  public void wake() {
    rounds.wake();
  }

  /// Hands in everything now, whatever its gas; returns when it is on its way.
  ///
  /// @throws LedgerException if the chain cannot be reached, or refuses
  public void redeemAll() {
    run(true);
  }

  @Override
  public void close() {
    rounds.close();
  }

  private void run(boolean all) {
    running.lock();
    try {
      round.run(all);
    } finally {
      running.unlock();
    }
  }
}
