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
  /// @param deadline each proof must be in a block before this time
  /// @param milestones in how many parts the job is proven and paid
  record Funded(Place place, JobOf job, TokenAmount amount, Instant deadline, int milestones)
      implements EscrowEvent {}

  /// The provider took the job on.
  ///
  /// @param place where in the chain
  /// @param job whose and which
  record Accepted(Place place, JobOf job) implements EscrowEvent {}

  /// The provider handed in the proof of a milestone.
  ///
  /// @param place where in the chain
  /// @param job whose and which
  /// @param milestone which part of it, from 1
  /// @param proofRoot the root of the proof
  /// @param amountDue what it asks for
  record ProofSubmitted(
      Place place, JobOf job, int milestone, Hash proofRoot, TokenAmount amountDue)
      implements EscrowEvent {}

  /// The requester laid a milestone before the referee.
  ///
  /// @param place where in the chain
  /// @param job whose and which
  /// @param milestone which part of it, from 1
  /// @param rulingBefore the referee's time ends here, and the money goes back
  record Disputed(Place place, JobOf job, int milestone, Instant rulingBefore)
      implements EscrowEvent {}

  /// A milestone was paid.
  ///
  /// @param place where in the chain
  /// @param job whose and which
  /// @param milestone which part of it, from 1
  /// @param amountPaid what the provider got, the market's fee included
  /// @param amountReturned what the requester got: what a ruling gave back, and with the last
  ///   milestone the rest of the job
  record Released(
      Place place, JobOf job, int milestone, TokenAmount amountPaid, TokenAmount amountReturned)
      implements EscrowEvent {}

  /// What was not proven went back to the requester.
  ///
  /// @param place where in the chain
  /// @param job whose and which
  /// @param amount what it got
  record Refunded(Place place, JobOf job, TokenAmount amount) implements EscrowEvent {}
}
