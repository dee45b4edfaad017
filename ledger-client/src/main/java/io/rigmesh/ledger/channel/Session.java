package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;

/// What a session key may do for its payer.
///
/// @param limit what it may move into channels in all
/// @param spent what of that it has moved
/// @param expiresAt until when; the epoch where it was never authorised, or revoked
public record Session(TokenAmount limit, TokenAmount spent, Instant expiresAt) {
  /// What it may still move, in a block of this time.
  public TokenAmount left(Instant now) {
    return now.isBefore(expiresAt) && limit.compareTo(spent) > 0
        ? limit.minus(spent)
        : TokenAmount.ZERO;
  }

  /// True if the payer's word does not stand: never given, or revoked.
  public boolean isNone() {
    return expiresAt.equals(Instant.EPOCH);
  }
}
