package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.chain.ChainHead;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.RpcRefusedException;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jdbi.v3.core.Jdbi;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Follows the escrow events of one account, as requester or provider. It reads logs in bounded
/// ranges up to the confirmation depth, remembers the hash of every block that it read to, and
/// where a remembered block is no longer in the chain it goes back to the newest one that is, takes
/// back what was told since, and reads again. What it read survives a restart.
///
/// One thread of its own does the work and calls the listener.
public final class EscrowFollower implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EscrowFollower.class);

  private final ChainRpc rpc;
  private final FollowStore store;
  private final EscrowLogs logs;
  private final FollowSettings settings;
  private final EscrowListener listener;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Thread loop;
  private int blocksPerQuery;
  private boolean failing;

  private EscrowFollower(
      ChainRpc rpc,
      FollowStore store,
      EscrowLogs logs,
      FollowSettings settings,
      EscrowListener listener) {
    this.rpc = rpc;
    this.store = store;
    this.logs = logs;
    this.settings = settings;
    this.listener = listener;
    this.blocksPerQuery = settings.blocksPerQuery();
    this.loop = Thread.ofPlatform().name("ledger-follower").daemon().unstarted(this::run);
  }

  /// Starts following from where the last follower on this database has come to.
  public static EscrowFollower start(
      ChainRpc rpc,
      Jdbi jdbi,
      Address escrow,
      Address account,
      FollowSettings settings,
      EscrowListener listener) {
    EscrowFollower follower =
        new EscrowFollower(
            rpc,
            new JdbiFollowStore(jdbi, rpc.chainId(), escrow, account),
            new EscrowLogs(rpc, escrow, account),
            settings,
            listener);
    follower.loop.start();
    return follower;
  }

  /// Every event that was told and not taken back, the oldest first.
  public List<EscrowEvent> events() {
    return store.events();
  }

  /// Stops following.
  @Override
  public void close() {
    closing.countDown();
    try {
      loop.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      do {
        try {
          readOn();
          if (failing) {
            LOG.info("reading escrow events goes on");
            failing = false;
          }
        } catch (ChainUnavailableException | RpcRefusedException e) {
          // Each failure is said once, not at every poll.
          if (!failing) {
            LOG.warn("escrow events cannot be read, trying again: {}", e.getMessage());
            failing = true;
          }
        } catch (RuntimeException e) {
          if (!failing) {
            LOG.error("an escrow event could not be handled, it will be told again", e);
            failing = true;
          }
        }
      } while (!closing.await(settings.pollInterval().toNanos(), TimeUnit.NANOSECONDS));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void readOn() {
    long safe = rpc.head().number() - settings.confirmations() + 1;
    while (closing.getCount() > 0) {
      Optional<FollowStore.Mark> cursor = store.marks().stream().findFirst();
      if (cursor.isPresent() && safe < cursor.get().number()) {
        // An endpoint that is behind looks the same as a chain that was set back, and only one of
        // them comes past this block again with another hash. So does one that lacks the block.
        return;
      }
      if (cursor.isPresent()) {
        Optional<ChainHead> block = rpc.block(cursor.get().number());
        if (block.isEmpty()) {
          return;
        }
        if (!block.get().hash().equals(cursor.get().hash())) {
          rollBack();
          continue;
        }
      }
      long from = cursor.map(mark -> mark.number() + 1).orElse(settings.fromBlock());
      if (from > safe || !readRange(cursor, from, Math.min(safe, from + blocksPerQuery - 1))) {
        return;
      }
    }
  }

  /// Reads and tells one range. False if the chain changed meanwhile, so that it has to be looked
  /// at again.
  private boolean readRange(Optional<FollowStore.Mark> cursor, long from, long to) {
    Optional<Hash> before = rpc.block(to).map(ChainHead::hash);
    if (before.isEmpty()) {
      return false;
    }
    List<EscrowEvent> events;
    try {
      events = logs.read(from, to);
    } catch (RpcRefusedException e) {
      // Endpoints limit a query by blocks or by results, each in its own words.
      if (blocksPerQuery == 1) {
        throw e;
      }
      blocksPerQuery = Math.max(1, blocksPerQuery / 2);
      return true;
    }
    // The same last block before and after, on top of the same cursor, means one chain in between.
    FollowStore.Mark mark = new FollowStore.Mark(to, before.get());
    if (!inChain(mark) || (cursor.isPresent() && !inChain(cursor.get()))) {
      return false;
    }
    events.forEach(listener::happened);
    store.advance(mark, events);
    blocksPerQuery = Math.min(settings.blocksPerQuery(), 2 * blocksPerQuery);
    return true;
  }

  private boolean inChain(FollowStore.Mark mark) {
    return rpc.block(mark.number()).map(ChainHead::hash).equals(Optional.of(mark.hash()));
  }

  private void rollBack() {
    long ancestor =
        store.marks().stream()
            .filter(this::inChain)
            .mapToLong(FollowStore.Mark::number)
            .findFirst()
            .orElse(settings.fromBlock() - 1);
    List<EscrowEvent> lost = store.eventsAbove(ancestor);
    LOG.warn(
        "the chain was reorganised above block {}; {} events are taken back",
        ancestor,
        lost.size());
    lost.forEach(listener::takenBack);
    store.rollBack(ancestor);
  }
}
