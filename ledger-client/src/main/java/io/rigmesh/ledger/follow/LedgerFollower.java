package io.rigmesh.ledger.follow;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.Rounds;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.ledger.chain.BlockLogs;
import io.rigmesh.ledger.chain.ChainHead;
import io.rigmesh.ledger.chain.ChainMovedException;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Place;
import io.rigmesh.ledger.chain.RpcRefusedException;
import io.rigmesh.protocol.Hash;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jdbi.v3.core.Jdbi;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Follows the events of several contracts up to the confirmation depth and tells them in the order
/// of the chain, each exactly once; see [EventListener].
///
/// Old blocks are read in bounded ranges, the newest ones block by block, each by its hash and only
/// on top of the block that was read before. Where a block that was read is no longer in the chain,
/// it goes back to the newest one that is, takes back what was told since, and reads again. What it
/// read survives a restart. Memory is bounded by the logs of one range.
///
/// One thread of its own does the work and calls the listeners.
public final class LedgerFollower implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LedgerFollower.class);
  private static final Rounds.Words WORDS =
      new Rounds.Words(
          "events are not read, or one could not be handled and will be told again",
          "reading events goes on");

  /// Blocks so near to the head are read one by one, since they may still be exchanged.
  private static final int NEAR_BLOCKS = 32;

  /// A range with more logs than this is halved.
  private static final int LOGS_PER_RANGE_MAX = 10_000;

  /// How often a block is looked at again whose header promises a log that is not given.
  private static final int DOUBTS_MAX = 5;

  private final ChainRpc rpc;
  private final FollowStore store;
  private final FollowSettings settings;
  private final Map<String, Followed<?>> followed = new LinkedHashMap<>();
  private final LogReader reader;
  private final Rounds rounds;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition moved = lock.newCondition();
  private long readTo;

  private int blocksPerQuery;
  private int doubts;

  private LedgerFollower(
      ChainRpc rpc, FollowStore store, List<Followed<?>> followed, FollowSettings settings) {
    this.rpc = rpc;
    this.store = store;
    this.settings = settings;
    this.blocksPerQuery = settings.blocksPerQuery();
    followed.forEach(one -> this.followed.put(one.source().name(), one));
    this.reader =
        new LogReader(rpc, store, followed.stream().<EventSource<?>>map(Followed::source).toList());
    this.readTo = store.cursor().map(FollowStore.Mark::number).orElse(settings.fromBlock() - 1);
    this.rounds = Rounds.of("ledger-follower", settings.pollInterval(), WORDS, this::readOn);
  }

  /// Starts following from where the last follower of this name on this database has come to.
  ///
  /// @param name tells followers on one database apart
  /// @throws IllegalArgumentException if two sources have one name
  public static LedgerFollower start(
      ChainRpc rpc, Jdbi jdbi, String name, List<Followed<?>> followed, FollowSettings settings) {
    Set<String> names = new HashSet<>();
    for (Followed<?> one : followed) {
      if (!names.add(one.source().name())) {
        throw new IllegalArgumentException("two sources are named " + one.source().name());
      }
    }
    LedgerFollower follower =
        new LedgerFollower(
            rpc,
            FollowStore.open(jdbi, rpc.chainId(), name, followed, settings.fromBlock()),
            followed,
            settings);
    follower.rounds.start();
    follower.lookNow();
    return follower;
  }

  /// A page of what was told and not taken back, the newest first.
  ///
  /// @param source one of those that are followed
  /// @param before only older ones than this; empty for the newest
  public <E> List<E> newest(EventSource<E> source, Optional<Place> before, int limit) {
    return store.newest(Set.of(source.name()), before, limit).stream()
        .map(entry -> source.event(entry.log()))
        .toList();
  }

  /// The last block up to which everything was told; one below the first where nothing was read.
  public long readTo() {
    lock.lock();
    try {
      return readTo;
    } finally {
      lock.unlock();
    }
  }

  /// Looks for new blocks now instead of at the next poll.
  public void lookNow() {
    rounds.wake();
  }

  /// Waits until everything up to a block was told.
  ///
  /// @throws TransactionPendingException if that takes longer than `timeout`
  public void awaitBlock(long number, Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    rounds.wake();
    lock.lock();
    try {
      while (readTo < number) {
        long left = deadline - System.nanoTime();
        if (left <= 0) {
          throw new TransactionPendingException(
              "The chain's events are known up to block %d, and those of block %d were not read in %d s; is the chain away, or making no blocks?"
                  .formatted(readTo, number, timeout.toSeconds()));
        }
        moved.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TransactionPendingException("Waiting for block " + number + " was interrupted.");
    } finally {
      lock.unlock();
    }
  }

  /// Stops following.
  @Override
  public void close() {
    rounds.close();
  }

  private void readOn() {
    try {
      while (!rounds.isClosing() && rpc.atOneEndpoint(this::readSome)) {}
    } catch (ChainMovedException e) {
      // What was read no longer belongs together; the next round reads it again.
      LOG.debug("{}", e.getMessage());
    }
  }

  /// Reads one range or one block.
  ///
  /// @return true if there may be more to read
  private boolean readSome() {
    long head = rpc.head().number();
    long safe = head - settings.confirmations() + 1;
    Optional<FollowStore.Mark> cursor = store.cursor();
    long from = cursor.map(mark -> mark.number() + 1).orElse(settings.fromBlock());
    if (cursor.isPresent()) {
      if (safe < cursor.get().number()) {
        // An endpoint that is behind looks the same as a chain that was set back, and only one of
        // them comes past this block again with another hash. So does one that lacks the block.
        return false;
      }
      Optional<ChainHead> block = rpc.block(cursor.get().number());
      if (block.isEmpty()) {
        return false;
      }
      if (!block.get().hash().equals(cursor.get().hash())) {
        rollBack();
        return true;
      }
    }
    if (from > safe) {
      return false;
    }
    long far = Math.min(safe, head - NEAR_BLOCKS);
    return from <= far
        ? readRange(cursor, from, Math.min(far, from + blocksPerQuery - 1))
        : readBlocks(cursor, from, Math.min(safe, from + NEAR_BLOCKS - 1));
  }

  /// Reads a few blocks one by one, each on top of the one before, and tells them together.
  private boolean readBlocks(Optional<FollowStore.Mark> cursor, long from, long to) {
    Optional<Hash> parent = cursor.map(FollowStore.Mark::hash);
    List<ChainHead> blocks = new ArrayList<>();
    List<FollowStore.Entry> entries = new ArrayList<>();
    boolean more = true;
    for (long number = from; number <= to; number++) {
      Optional<BlockLogs> found = rpc.blockLogs(number, reader.contracts());
      if (found.isEmpty()) {
        more = false;
        break;
      }
      BlockLogs read = found.get();
      if (parent.isPresent() && !read.block().parent().equals(parent.get())) {
        // The chain changed since the block below was read.
        return true;
      }
      if (!read.complete() && ++doubts < DOUBTS_MAX) {
        more = false;
        break;
      }
      doubts = 0;
      parent = Optional.of(read.block().hash());
      blocks.add(read.block());
      entries.addAll(reader.block(read, entries));
    }
    // A block that left the chain while its logs were read may have been given without them.
    if (blocks.isEmpty() || !inChain(FollowStore.Mark.of(blocks.getLast()))) {
      return more;
    }
    advance(blocks, entries);
    return more;
  }

  /// Reads and tells one range of old blocks.
  private boolean readRange(Optional<FollowStore.Mark> cursor, long from, long to) {
    Optional<ChainHead> before = rpc.block(to);
    if (before.isEmpty()) {
      return false;
    }
    List<FollowStore.Entry> entries;
    try {
      entries = reader.range(from, to);
    } catch (RpcRefusedException e) {
      // Endpoints limit a query by blocks or by results, each in its own words.
      if (from == to) {
        throw e;
      }
      halve(from, to);
      return true;
    } catch (ChainUnavailableException e) {
      // A range that takes longer than a request may looks like an endpoint that is gone.
      halve(from, to);
      throw e;
    }
    if (entries.size() > LOGS_PER_RANGE_MAX && from < to) {
      halve(from, to);
      return true;
    }
    // The same last block before and after, on top of the same cursor, means one chain in between.
    if (!inChain(FollowStore.Mark.of(before.get()))
        || (cursor.isPresent() && !inChain(cursor.get()))) {
      return true;
    }
    advance(List.of(before.get()), entries);
    blocksPerQuery = Math.min(settings.blocksPerQuery(), 2 * blocksPerQuery);
    return true;
  }

  private void halve(long from, long to) {
    blocksPerQuery = (int) Math.max(1, (to - from + 1) / 2);
  }

  private void advance(List<ChainHead> blocks, List<FollowStore.Entry> entries) {
    store.advance(
        blocks.stream().map(FollowStore.Mark::of).toList(),
        entries,
        (handle, entry) -> of(entry).happened(handle, entry.log()));
    ChainHead block = blocks.getLast();
    reached(block.number());
    followed.values().forEach(one -> one.listener().reached(block));
  }

  private void reached(long block) {
    lock.lock();
    try {
      readTo = block;
      moved.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private Followed<?> of(FollowStore.Entry entry) {
    Followed<?> one = followed.get(entry.source());
    if (one == null) {
      throw new IllegalStateException("nothing followed is named " + entry.source());
    }
    return one;
  }

  private boolean inChain(FollowStore.Mark mark) {
    return rpc.block(mark.number()).map(ChainHead::hash).equals(Optional.of(mark.hash()));
  }

  private void rollBack() {
    Optional<FollowStore.Mark> ancestor =
        store.ancestors().stream().filter(this::inChain).findFirst();
    long taken =
        store.rollBack(ancestor, (handle, entry) -> of(entry).takenBack(handle, entry.log()));
    long above = ancestor.map(FollowStore.Mark::number).orElse(settings.fromBlock() - 1);
    reached(above);
    LOG.warn("the chain was reorganised above block {}; {} events are taken back", above, taken);
  }
}
