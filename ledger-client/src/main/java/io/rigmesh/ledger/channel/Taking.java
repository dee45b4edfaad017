package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.TokenAmount;

/// A payee's answer to a payment.
public sealed interface Taking {
  /// The voucher is good, and stored where it is the newest.
  ///
  /// @param paid what it adds to the vouchers before; zero for one that came late or twice
  /// @param total all that the channel has promised by its newest voucher
  record Taken(TokenAmount paid, TokenAmount total) implements Taking {}

  /// It is worth nothing.
  ///
  /// @param sentence why, and what would help
  record Refused(String sentence) implements Taking {}
}
