package io.rigmesh.node.provider;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;

/// How far the jobs that one channel pays may go on credit.
///
/// A job may take a step (a token of a generation, the first one with the prompt; a sentence of an
/// embedding) if, without that step, what the channel owes and what its other jobs are allowed stay
/// within the limit. So a channel never owes more than the limit and one step. What a job is
/// allowed ahead of what it has used is a small part of the limit, so that jobs that begin later
/// find room, and large enough that a worker hears of more before it has used what it has. Not
/// thread-safe.
final class ChannelCredit {
  /// How many tokens a job is allowed ahead at most: what the fastest device makes, or reads in an
  /// embedding's batches, while word of more is on its way.
  static final long AHEAD_MADE_MAX = 256;

  static final long AHEAD_READ_MAX = 16_384;

  /// The part of the limit that one job may be allowed ahead, and that all may be together.
  private static final int AHEAD_PARTS = 8;

  private static final int AHEAD_ALL_PARTS = 2;

  private final BigInteger limit;

  /// The job that was allowed something the longest time ago first.
  private final Map<Hash, Part> parts = new LinkedHashMap<>();

  private BigInteger unpaid = BigInteger.ZERO;

  /// A job's part.
  private static final class Part {
    LongFunction<TokenAmount> price;
    long aheadMax;
    long used;
    BigInteger owed = BigInteger.ZERO;
    long allowed;

    /// What it owes when it has used all that it is allowed.
    BigInteger mayOwe = BigInteger.ZERO;

    Part(LongFunction<TokenAmount> price, long aheadMax) {
      this.price = price;
      this.aheadMax = aheadMax;
    }

    /// What it costs to have used so many tokens: nothing before the first.
    BigInteger cost(long tokens) {
      return tokens == 0 ? BigInteger.ZERO : price.apply(tokens).units();
    }

    BigInteger ahead() {
      return mayOwe.subtract(owed).max(BigInteger.ZERO);
    }
  }

  /// The credit of a channel that owes nothing.
  ChannelCredit(TokenAmount limit) {
    this.limit = limit.units();
  }

  /// Sets what the channel owes now, by all of its jobs together, above its vouchers.
  void owes(TokenAmount unpaidNow) {
    unpaid = unpaidNow.units();
  }

  /// What the channel owes.
  TokenAmount owes() {
    return new TokenAmount(unpaid);
  }

  /// Takes a job up, or goes on with it.
  ///
  /// @param owed what it owes from before, which the channel's debt contains
  /// @param price what it costs to have used so many tokens, at least one; never falls
  /// @param aheadMax how many tokens it may be allowed ahead
  void begin(Hash job, TokenAmount owed, LongFunction<TokenAmount> price, long aheadMax) {
    Part part = parts.computeIfAbsent(job, _ -> new Part(price, aheadMax));
    part.price = price;
    part.aheadMax = aheadMax;
    part.owed = part.owed.max(owed.units());
  }

  /// A job has used so many tokens. What was said before is no news.
  ///
  /// @return what it owes more by that
  TokenAmount use(Hash job, long tokens) {
    Part part = require(job);
    part.used = Math.max(part.used, tokens);
    BigInteger more = part.cost(part.used).subtract(part.owed).max(BigInteger.ZERO);
    part.owed = part.owed.add(more);
    unpaid = unpaid.add(more);
    return new TokenAmount(more);
  }

  /// What a job owes in all, whatever was paid.
  TokenAmount owedBy(Hash job) {
    return new TokenAmount(require(job).owed);
  }

  /// Whether a job is here.
  boolean has(Hash job) {
    return parts.containsKey(job);
  }

  /// Nobody works on a job for now: what it was allowed and has not used is others' again.
  void rest(Hash job) {
    Part part = require(job);
    part.allowed = part.used;
    part.mayOwe = part.owed;
  }

  /// The jobs in the order in which what is paid is allowed to them: whoever had something the
  /// longest time ago first, so that each has its turn.
  List<Hash> inTurn() {
    return List.copyOf(parts.keySet());
  }

  /// A job costs no more. What it owes stays the channel's debt.
  void end(Hash job) {
    parts.remove(job);
  }

  /// How many tokens a job may use, counted from its start, as things stand. Never falls.
  long allow(Hash job) {
    Part part = require(job);
    BigInteger room = limit.subtract(unpaid).add(part.owed);
    for (Part other : parts.values()) {
      if (other != part) {
        room = room.subtract(other.ahead());
      }
    }
    long most = most(part, room.min(part.owed.add(share())));
    boolean soonUsed = part.allowed - part.used <= (most - part.used) / 2;
    if (most > part.allowed && soonUsed) {
      part.allowed = most;
      part.mayOwe = part.cost(most);
      parts.remove(job);
      parts.put(job, part);
    }
    return part.allowed;
  }

  /// Whether a job has used all that it is allowed.
  boolean waits(Hash job) {
    Part part = require(job);
    return part.used >= part.allowed;
  }

  /// Whether so much is paid again that work that gave its device away is worth beginning anew:
  /// half of the limit, but for the unit of each job that is paid with its receipt.
  boolean isMostlyPaid(int jobs) {
    BigInteger half = limit.divide(BigInteger.TWO).add(BigInteger.valueOf(jobs));
    return unpaid.compareTo(half.min(limit)) <= 0;
  }

  private BigInteger share() {
    int jobs = Math.max(AHEAD_PARTS, AHEAD_ALL_PARTS * parts.size());
    return limit.divide(BigInteger.valueOf(jobs));
  }

  /// One token more than those that cost no more than this; none if even nothing is too much.
  private static long most(Part part, BigInteger cost) {
    if (cost.signum() < 0) {
      return 0;
    }
    long within = 0;
    long beyond = part.used + part.aheadMax;
    while (within + 1 < beyond) {
      long middle = within + (beyond - within) / 2;
      if (part.cost(middle).compareTo(cost) <= 0) {
        within = middle;
      } else {
        beyond = middle;
      }
    }
    return within + 1;
  }

  private Part require(Hash job) {
    Part part = parts.get(job);
    if (part == null) {
      throw new IllegalStateException("job " + job + " is not at work on this channel's credit");
    }
    return part;
  }
}
