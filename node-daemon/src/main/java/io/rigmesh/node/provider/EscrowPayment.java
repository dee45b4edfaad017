package io.rigmesh.node.provider;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.escrow.Escrow;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.escrow.EscrowStatus;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.RefusedException;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// Money that waits in the escrow of each job: accepted before the work, proven after it, released
/// by the requester or after the challenge time; or declined.
final class EscrowPayment implements Payment {
  /// Jobs are proven and paid in one part.
  private static final int ONE = 1;

  private final NodeConfig config;
  private final JobStore store;
  private final ChainLink chain;
  private final Address account;
  private final Moves moves;
  private final Clock clock;

  EscrowPayment(
      NodeConfig config,
      JobStore store,
      ChainLink chain,
      Address account,
      Moves moves,
      Clock clock) {
    this.config = config;
    this.store = store;
    this.chain = chain;
    this.account = account;
    this.moves = moves;
    this.clock = clock;
  }

  @Override
  public Optional<ChannelTerms> requireFunds(Job job, Optional<ChannelTerms> channel) {
    Optional<Escrow> found;
    try {
      found = chain.require().escrow().escrow(job.requester(), job.id());
    } catch (LedgerException e) {
      throw refuse(RefusalCode.UNAVAILABLE, String.valueOf(e.getMessage()));
    }
    Escrow escrow =
        found.orElseThrow(() ->
            refuse(
                RefusalCode.NOT_FUNDED,
                "there is no escrow for it; fund "
                    + job.priceMax()
                    + " for provider "
                    + account
                    + " with "
                    + chain.contracts().escrow()));
    if (!escrow.provider().equals(account)) {
      throw refuse(RefusalCode.NOT_FUNDED, "its escrow is for provider " + escrow.provider());
    }
    if (escrow.status() != EscrowStatus.FUNDED) {
      throw refuse(
          RefusalCode.NOT_FUNDED,
          "its escrow is "
              + escrow.status().name().toLowerCase(java.util.Locale.ROOT)
              + " already; sign a new job");
    }
    if (escrow.milestones() != ONE) {
      throw refuse(
          RefusalCode.NOT_FUNDED,
          "its escrow is paid in " + escrow.milestones() + " parts; this node takes one");
    }
    if (escrow.amount().compareTo(job.priceMax()) < 0) {
      throw refuse(
          RefusalCode.NOT_FUNDED,
          "its escrow holds " + escrow.amount() + ", less than its limit of " + job.priceMax());
    }
    if (escrow.deadline().getEpochSecond() < job.deadlineSeconds()) {
      throw refuse(
          RefusalCode.NOT_FUNDED,
          "its escrow takes proofs until "
              + escrow.deadline().getEpochSecond()
              + ", before its deadline of "
              + job.deadlineSeconds());
    }
    return Optional.empty();
  }

  @Override
  public void forget(Hash job) {
    // An escrow knows nothing of who looked at it.
  }

  @Override
  public Metering meter(JobRow row) {
    return Metering.WHOLE;
  }

  @Override
  public Pause pause(JobRow row) {
    return new Pause.None();
  }

  /// Accepts the escrow on the chain.
  @Override
  public Optional<Refusal> bind(JobRow row) {
    EscrowClient escrows = chain.require().escrow();
    Optional<Escrow> escrow = escrows.escrow(row.job().requester(), row.id());
    EscrowStatus status = escrow.map(Escrow::status).orElse(EscrowStatus.REFUNDED);
    if (status == EscrowStatus.FUNDED) {
      try {
        escrows.accept(row.job().requester(), row.id());
      } catch (TransactionRefusedException | TransactionFailedException e) {
        return Optional.of(new Refusal(RefusalCode.NOT_FUNDED, String.valueOf(e.getMessage())));
      }
    } else if (status != EscrowStatus.ACCEPTED) {
      return Optional.of(new Refusal(RefusalCode.NOT_FUNDED, "its escrow is not there any more"));
    }
    return Optional.empty();
  }

  /// Proves the work and waits for the money.
  @Override
  public Step collect(JobRow row) {
    EscrowClient escrows = chain.require().escrow();
    JobRow.Completion completion = row.completion().orElseThrow();
    Job job = row.job();
    Optional<Escrow> escrow = escrows.escrow(job.requester(), row.id());
    if (escrow.isEmpty()) {
      return new Step.Retry("the escrow of job " + row.id() + " is not on the chain");
    }
    return switch (escrow.get().status()) {
      case ACCEPTED, FUNDED -> prove(row, escrows, completion);
      case PROVEN ->
          escrows
              .milestone(job.requester(), row.id(), ONE)
              .map(proof -> awaitRelease(row, escrows, proof.since()))
              .orElseGet(
                  () -> new Step.Retry("the proof of job " + row.id() + " is not on the chain"));
      case RELEASED -> moves.move(row, Transition.to(new JobState.Settled()));
      case REFUNDED -> moves.move(row, Transition.to(new JobState.Expired()));
    };
  }

  private Step prove(JobRow row, EscrowClient escrows, JobRow.Completion completion) {
    try {
      escrows.submitProof(
          row.job().requester(), row.id(), ONE, completion.receiptHash(), completion.price());
      return new Step.Moved();
    } catch (TransactionRefusedException | TransactionFailedException e) {
      // After the deadline the contract takes no proof, and the requester gets its money back.
      return moves.isPastDeadline(row)
          ? moves.move(row, Transition.to(new JobState.Expired()))
          : new Step.Retry(String.valueOf(e.getMessage()));
    }
  }

  /// The requester releases the money, or after the challenge time this node does.
  private Step awaitRelease(JobRow row, EscrowClient escrows, Instant provenAt) {
    if (clock.instant().isAfter(provenAt.plus(escrows.challengeTime()))) {
      try {
        escrows.release(row.job().requester(), row.id(), ONE);
        return new Step.Moved();
      } catch (TransactionRefusedException | TransactionFailedException e) {
        // Most likely the chain's clock is behind ours, or the requester was faster.
        return new Step.Retry(String.valueOf(e.getMessage()));
      }
    }
    return new Step.Wait(Duration.ofMillis(config.chain().pollMillis()));
  }

  /// Gives the money of a job that ended without a result back to its requester.
  @Override
  public Step giveBack(JobRow row) {
    EscrowClient escrows = chain.require().escrow();
    Optional<Escrow> escrow = escrows.escrow(row.job().requester(), row.id());
    boolean mine = escrow.map(e -> e.provider().equals(account)).orElse(false);
    EscrowStatus status = escrow.map(Escrow::status).orElse(EscrowStatus.REFUNDED);
    if (mine && (status == EscrowStatus.FUNDED || status == EscrowStatus.ACCEPTED)) {
      try {
        escrows.decline(row.job().requester(), row.id());
      } catch (TransactionRefusedException | TransactionFailedException e) {
        return new Step.Retry(String.valueOf(e.getMessage()));
      }
    }
    store.closed(row.id());
    return new Step.Moved();
  }

  private static RefusedException refuse(RefusalCode code, String sentence) {
    return new RefusedException(code, sentence);
  }
}
