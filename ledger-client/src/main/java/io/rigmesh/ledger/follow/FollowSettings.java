package io.rigmesh.ledger.follow;

import java.time.Duration;

/// How events are read.
///
/// @param fromBlock the first block to read where nothing was read before, usually that of the
///   deployment
/// @param confirmations blocks that an event's block needs, itself among them, before it is told
/// @param blocksPerQuery how many blocks one query covers at most
/// @param pollInterval how often the chain is asked for new blocks
public record FollowSettings(
    long fromBlock, int confirmations, int blocksPerQuery, Duration pollInterval) {
  /// Checks the ranges.
  public FollowSettings {
    if (fromBlock < 0) {
      throw new IllegalArgumentException("the first block is not below zero");
    }
    if (confirmations < 1 || confirmations > 1_000) {
      throw new IllegalArgumentException(
          "confirmations lie between 1 and 1000, not " + confirmations);
    }
    if (blocksPerQuery < 1 || blocksPerQuery > 100_000) {
      throw new IllegalArgumentException(
          "blocks per query lie between 1 and 100000, not " + blocksPerQuery);
    }
    if (pollInterval.isNegative() || pollInterval.isZero()) {
      throw new IllegalArgumentException("the poll interval is above zero");
    }
  }

  /// For a development chain: told at once, asked ten times a second.
  public static FollowSettings development(long fromBlock) {
    return new FollowSettings(fromBlock, 1, 1_000, Duration.ofMillis(100));
  }
}
