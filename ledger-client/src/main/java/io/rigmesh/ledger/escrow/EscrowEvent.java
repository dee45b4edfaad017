package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.chain.Place;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;

/// Something that happened to an escrow, as the chain's log tells it.
public sealed interface EscrowEvent {
  /// Where in the chain it stands.
  Place place();

  /// Whose job and which.
  JobOf job();

  /// The parties and the job.
  ///
  /// @param requester the account that locked the money
  /// @param provider the account that does the job
  /// @param jobId the hash of the job
  record JobOf(Address requester, Address provider, Hash jobId) {}

  /// The requester locked the price.
  ///
  /// @param place where in the chain
  /// @param job whose and which
  /// @param amount what is locked
  /// @param deadline the proof must be in a block before this time
  record Funded(Place place, JobOf job, TokenAmount amount, Instant deadline)
      implements EscrowEvent {}

  /// The provider took the job on.
  ///
  /// @param place where in the chain
  /// @param job whose and which
  record Accepted(Place place, JobOf job) implements EscrowEvent {}

  /// The provider handed in its proof.
  ///
  /// @param place where in the chain
  /// @param job whose and which
  /// @param proofRoot the root of the proof
  /// @param amountDue what it asks for
  record ProofSubmitted(Place place, JobOf job, Hash proofRoot, TokenAmount amountDue)
      implements EscrowEvent {}

  /// The provider was paid and the requester got the rest.
  ///
  /// @param place where in the chain
  /// @param job whose and which
  /// @param amountPaid what the provider got
  /// @param amountReturned what the requester got
  record Released(Place place, JobOf job, TokenAmount amountPaid, TokenAmount amountReturned)
      implements EscrowEvent {}

  /// The requester got everything back.
  ///
  /// @param place where in the chain
  /// @param job whose and which
  /// @param amount what it got
  record Refunded(Place place, JobOf job, TokenAmount amount) implements EscrowEvent {}
}
