package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import java.math.BigInteger;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/// A node of one side on its store, as a process opens it: the books of channels and the escrow,
/// which share the account's transactions and permits.
///
/// @param channels the channels' books
/// @param escrow the escrow
record FaultNode(ChannelParty channels, EscrowClient escrow) implements AutoCloseable {
  /// A reorganisation of the deepest kind does not reach what is confirmed.
  static final int CONFIRMATIONS = FaultyChain.DEPTH_MAX + 1;

  /// How long a node waits for an answer: some answers take longer.
  static final Duration REQUEST_MAX = Duration.ofMillis(700);

  private static final Duration STEP_MAX = Duration.ofMinutes(5);
  private static final Duration TRANSACTION_MAX = Duration.ofSeconds(10);
  private static final BigInteger GWEI = BigInteger.TEN.pow(9);

  /// Where a node finds its store, its contracts and its chain.
  ///
  /// @param folder of the stores of both sides
  /// @param deployment the contracts
  /// @param endpoints its endpoints
  /// @param startSeconds the chain's time when the schedule began
  record Place(Path folder, Deployment deployment, List<URI> endpoints, long startSeconds) {}

  static FaultNode open(
      FaultSchedule schedule,
      FaultSchedule.Side side,
      Place place,
      SendListener steps,
      Clock clock) {
    SenderSettings settings =
        new SenderSettings(
            CONFIRMATIONS,
            GWEI.multiply(BigInteger.valueOf(200)),
            25,
            Duration.ofSeconds(2),
            Duration.ofMillis(50));
    RpcSettings rpc =
        new RpcSettings(
            31_337,
            place.endpoints(),
            Duration.ofSeconds(5),
            REQUEST_MAX,
            schedule.hedges() ? REQUEST_MAX.dividedBy(4) : REQUEST_MAX.multipliedBy(2),
            60);
    Party party =
        retry(() ->
            Party.open(
                schedule.key(side),
                place.folder().resolve(side + ".db"),
                rpc,
                settings,
                steps,
                clock));
    ChannelParty channels =
        new ChannelParty(
            party,
            place.deployment(),
            party.address(),
            CONFIRMATIONS,
            ChannelParty.EAGER,
            TRANSACTION_MAX,
            clock);
    return new FaultNode(
        channels,
        new EscrowClient(
            party.sender(), channels.token, place.deployment().escrow(), TRANSACTION_MAX));
  }

  /// Does something again until it works: what fails by the chain's fault, or the other side's, is
  /// to be asked for again.
  static <T> T retry(Supplier<T> step) {
    long deadline = System.nanoTime() + STEP_MAX.toNanos();
    while (true) {
      try {
        return step.get();
      } catch (ChannelException e) {
        throw e;
      } catch (LedgerException e) {
        if (System.nanoTime() - deadline > 0) {
          throw new IllegalStateException("still fails after " + STEP_MAX, e);
        }
        LockSupport.parkNanos(20_000_000L);
      }
    }
  }

  /// What is to be asked for again unless something holds.
  static void require(boolean holds, String otherwise) {
    if (!holds) {
      throw new LedgerException(otherwise);
    }
  }

  @Override
  public void close() {
    channels.close();
  }
}
