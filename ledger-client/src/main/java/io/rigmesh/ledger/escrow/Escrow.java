package io.rigmesh.ledger.escrow;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;

/// The money held for one job.
///
/// @param provider the account that may accept and prove
/// @param status where it stands
/// @param deadline each proof must be in a block before this time
/// @param amount what was locked
/// @param milestones in how many parts the job is proven and paid
/// @param proven how many of them are proven, in order
/// @param paid how many of the proven are paid, in any order
/// @param amountDue what was asked for with the proofs, in sum
public record Escrow(
    Address provider,
    EscrowStatus status,
    Instant deadline,
    TokenAmount amount,
    int milestones,
    int proven,
    int paid,
    TokenAmount amountDue) {
  /// Whether something may still be proven of it, or come back.
  public boolean isOpen() {
    return status == EscrowStatus.FUNDED || status == EscrowStatus.ACCEPTED;
  }
}
