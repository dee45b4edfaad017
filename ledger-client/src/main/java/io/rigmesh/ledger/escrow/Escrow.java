package io.rigmesh.ledger.escrow;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.Optional;

/// The money held for one job.
///
/// @param provider the account that may accept and prove
/// @param status where it stands
/// @param deadline the proof must be in a block before this time
/// @param amount what is locked
/// @param proof what the provider handed in; empty before
public record Escrow(
    Address provider,
    EscrowStatus status,
    Instant deadline,
    TokenAmount amount,
    Optional<Proof> proof) {
  /// A proof on the chain.
  ///
  /// @param root the root of the proof
  /// @param amountDue what the provider asks for
  /// @param provenAt the time of its block
  public record Proof(Hash root, TokenAmount amountDue, Instant provenAt) {}
}
