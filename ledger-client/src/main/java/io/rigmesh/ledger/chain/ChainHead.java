package io.rigmesh.ledger.chain;

import io.rigmesh.protocol.Hash;
import java.time.Duration;
import java.time.Instant;

/// One block, usually the newest that an endpoint knows.
///
/// @param number its number
/// @param hash its hash
/// @param parent its parent's hash
/// @param timestamp the time that its header states
public record ChainHead(long number, Hash hash, Hash parent, Instant timestamp) {
  /// How old the block is at `now`; zero where clocks disagree by so much that it lies in the
  /// future.
  public Duration age(Instant now) {
    Duration age = Duration.between(timestamp, now);
    return age.isNegative() ? Duration.ZERO : age;
  }
}
