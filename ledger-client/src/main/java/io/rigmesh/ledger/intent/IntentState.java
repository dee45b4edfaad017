package io.rigmesh.ledger.intent;

import io.rigmesh.ledger.chain.Inclusion;

/// Where a stored transaction stands.
///
///     Planned --> Signed <--> Mined --> Confirmed | Reverted
///        |  ^        |
///        v  |        +--> Displaced
///      Refused
///
/// A block that holds it may be reorganised away, so Mined goes back to Signed; from Signed on there is one nonce for
/// ever. Only Refused may be planned again, because nothing was ever signed for it.
public sealed interface IntentState {
  /// Stored, not signed.
  ///
  /// @param note why it waits; empty if it does not
  record Planned(String note) implements IntentState {}

  /// The chain would have reverted it, or the account could not pay for it. It cost nothing.
  ///
  /// @param reason a sentence with a remedy
  record Refused(String reason) implements IntentState {}

  /// Signed and stored, perhaps sent, not seen in a block.
  ///
  /// @param nonce its place in the account's order
  /// @param note why it waits; empty if it does not
  record Signed(long nonce, String note) implements IntentState {}

  /// In a block that is not deep enough yet.
  ///
  /// @param nonce its place in the account's order
  /// @param inclusion the block and what it cost
  record Mined(long nonce, Inclusion inclusion) implements IntentState {}

  /// Done, with its effect, at the configured depth.
  ///
  /// @param nonce its place in the account's order
  /// @param inclusion the block and what it cost
  record Confirmed(long nonce, Inclusion inclusion) implements IntentState {}

  /// In the chain at the configured depth but without effect; its gas is spent.
  ///
  /// @param nonce its place in the account's order
  /// @param inclusion the block and what it cost
  /// @param reason a sentence with a remedy
  record Reverted(long nonce, Inclusion inclusion, String reason) implements IntentState {}

  /// Its nonce was used by a transaction that this node did not make.
  ///
  /// @param nonce its place in the account's order
  /// @param reason a sentence with a remedy
  record Displaced(long nonce, String reason) implements IntentState {}
}
