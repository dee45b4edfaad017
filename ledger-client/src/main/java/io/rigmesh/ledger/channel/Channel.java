package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.Optional;

/// A channel as the chain has it.
///
/// @param terms what it is, for ever
/// @param deposit all that was ever put in
/// @param redeemed all that was ever paid out of it by vouchers
/// @param closesAt once it was asked to close: from when on anybody may close it
/// @param closed true once it is over
public record Channel(
    ChannelTerms terms,
    TokenAmount deposit,
    TokenAmount redeemed,
    Optional<Instant> closesAt,
    boolean closed) {
  /// True if vouchers above what is redeemed will still be good for as long as anybody can tell.
  public boolean isOpen() {
    return !closed && closesAt.isEmpty();
  }
}
