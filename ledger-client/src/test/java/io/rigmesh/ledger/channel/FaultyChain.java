package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.dev.DevChain;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/// Makes the blocks of a development chain, one every few milliseconds, and by a seed what happens
/// to chains: reorganisations, base fees above every cap, and clocks that jump.
final class FaultyChain implements AutoCloseable {
  /// What may happen beside a block.
  enum Event {
    REORGANISATION,
    FEE_SPIKE,
    CLOCK_JUMP,
    /// A jump of the clock close to the end of a challenge time.
    CHALLENGE_ALMOST_OVER
  }

  /// The deepest reorganisation.
  static final int DEPTH_MAX = 8;

  private static final long BLOCK_NANOS = 15_000_000L;
  private static final long SLOW_NANOS = 200_000_000L;
  private static final String SPIKE_WEI = "0x" + Long.toHexString(300_000_000_000L);
  private static final String USUAL_WEI = "0x" + Long.toHexString(1_000_000_000L);

  private final DevChain chain;
  private final Random random;
  private final Random ends;
  private final Thread thread;
  private final Map<Event, Integer> done = new EnumMap<>(Event.class);
  private volatile boolean faults = true;
  private volatile boolean closing;
  private volatile boolean slow;

  /// The next block's time is not before this.
  private final AtomicLong notBefore = new AtomicLong();

  private int spikeBlocks;
  private int blocks;

  FaultyChain(DevChain chain, long seed) {
    this.chain = chain;
    this.random = new Random(seed);
    this.ends = new Random(~seed);
    chain.request("evm_setAutomine", false);
    this.thread = Thread.ofPlatform().name("faulty-chain").daemon().start(this::run);
  }

  /// From now on only blocks are made.
  void calm() {
    faults = false;
  }

  /// Brings the chain's clock close to a time at which a challenge ends: to between three and five
  /// sixteenths of the challenge time before it, and not back where it was told so before. That is
  /// near for a party that has days otherwise, and still so many blocks that a party which lives,
  /// or is begun again, is in time on any machine.
  void almost(long endsSeconds, Duration challenge) {
    long left = challenge.toSeconds() * (3_000 + ends.nextInt(2_000)) / 16_000;
    passTo(endsSeconds - left);
    count(Event.CHALLENGE_ALMOST_OVER);
  }

  /// Makes blocks slowly, while a process starts: that would take so many of them else that a
  /// machine with few cores does little but make blocks.
  void slow(boolean now) {
    slow = now;
  }

  /// Brings the chain's clock to a time, where it is behind it.
  void passTo(long seconds) {
    notBefore.accumulateAndGet(seconds, Math::max);
  }

  /// What happened how often.
  synchronized Map<Event, Integer> done() {
    return new EnumMap<>(done);
  }

  private void run() {
    while (!closing) {
      try {
        step();
      } catch (LedgerException e) {
        // A reorganisation may ask for more than anvil has; the next block is made all the same.
        LockSupport.parkNanos(BLOCK_NANOS);
      }
      LockSupport.parkNanos(slow ? SLOW_NANOS : BLOCK_NANOS);
    }
    chain.request("anvil_setNextBlockBaseFeePerGas", USUAL_WEI);
    chain.request("anvil_mine", 1);
    chain.request("evm_setAutomine", true);
  }

  private void step() {
    int drawn = faults ? random.nextInt(1_000) : 1_000;
    long jump = 0;
    if (spikeBlocks > 0) {
      spikeBlocks--;
      chain.request("anvil_setNextBlockBaseFeePerGas", spikeBlocks > 0 ? SPIKE_WEI : USUAL_WEI);
    } else {
      if (drawn < 40 && blocks > DEPTH_MAX + 2) {
        reorganise(1 + random.nextInt(DEPTH_MAX));
      } else if (drawn < 50) {
        spikeBlocks = 3 + random.nextInt(8);
        count(Event.FEE_SPIKE);
      } else if (drawn < 75) {
        jump = 1 + random.nextInt(120);
        count(Event.CLOCK_JUMP);
      }
    }
    // Blocks come faster than one a second, so that the chain's clock is ahead of anvil's: only a
    // time that is named is a jump.
    long newest = time();
    long next = Math.max(newest + jump, notBefore.get());
    if (next > newest) {
      chain.request("evm_setNextBlockTimestamp", next);
    }
    chain.request("anvil_mine", 1);
    blocks++;
  }

  private long time() {
    String hex =
        chain.request("eth_getBlockByNumber", "latest", false).path("timestamp").stringValue("");
    return Long.decode(hex);
  }

  /// Other blocks take the place of the newest ones. What was in them is gone, unless its sender
  /// sends it again.
  private void reorganise(int depth) {
    chain.request("anvil_reorg", depth, List.of());
    blocks = 0;
    count(Event.REORGANISATION);
  }

  private synchronized void count(Event event) {
    done.merge(event, 1, Integer::sum);
  }

  @Override
  public void close() {
    closing = true;
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
