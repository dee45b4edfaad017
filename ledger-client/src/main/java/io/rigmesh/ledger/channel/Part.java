package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;

/// A job's part of a channel.
///
/// @param job the job's hash
/// @param most what it holds or may cost
/// @param used what of it is paid or owed
/// @param until when the lease ends
/// @param ended true once what it owes is counted with the channel
record Part(Hash job, TokenAmount most, TokenAmount used, Instant until, boolean ended) {
  private static final Instant LATEST = Instant.parse("9999-12-31T23:59:59Z");

  /// A deadline is what a stranger wrote; beyond this one milliseconds would not fit.
  Part {
    until = until.isAfter(LATEST) ? LATEST : until;
  }

  /// What it may still take at a time.
  TokenAmount left(Instant now) {
    return now.isBefore(until) && most.compareTo(used) > 0 ? most.minus(used) : TokenAmount.ZERO;
  }
}
