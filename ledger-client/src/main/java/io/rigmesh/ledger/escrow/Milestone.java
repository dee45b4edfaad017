package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.generated.JobEscrow;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.Optional;

/// One part of a job that the provider has proven.
///
/// @param status where it stands
/// @param proofRoot what it is held to
/// @param amountDue what the provider asks for
/// @param since when the proof was in a block; of a disputed one, when the dispute was
public record Milestone(Status status, Hash proofRoot, TokenAmount amountDue, Instant since) {
  /// A milestone as the contract answers it; empty where it is not proven, or was settled in one
  /// step.
  public static Optional<Milestone> of(JobEscrow.Milestone raw) {
    int status = raw.status.intValueExact();
    return status == 0
        ? Optional.empty()
        : Optional.of(
            new Milestone(
                Status.ofNumber(status),
                Hash.of(raw.proofRoot),
                new TokenAmount(raw.amountDue),
                Instant.ofEpochSecond(raw.since.longValueExact())));
  }

  /// Where a milestone stands.
  public enum Status {
    /// It waits for the requester, or the end of the challenge time.
    PROVEN,
    /// It waits for the referee.
    DISPUTED,
    /// Its money has gone where it goes.
    PAID;

    static Status ofNumber(int number) {
      return switch (number) {
        case 1 -> PROVEN;
        case 2 -> DISPUTED;
        case 3 -> PAID;
        default ->
            throw new LedgerException(
                "The escrow contract answers with the unknown status "
                    + number
                    + " of a milestone; it is of another version than this node.");
      };
    }
  }
}
