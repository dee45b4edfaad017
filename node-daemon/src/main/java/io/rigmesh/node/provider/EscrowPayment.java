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
import io.rigmesh.node.pay.MilestoneTerms;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Signature;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/// Money that waits in the escrow of each job: accepted before the work, by a signature or a
/// transaction; proven and paid in parts while it goes on and after it; or declined, as far as it
/// is not proven.
final class EscrowPayment implements Payment {
  private final NodeConfig config;
  private final JobStore store;
  private final ChainLink chain;
  private final AccountKey key;
  private final Proofs proofs;
  private final Moves moves;

  EscrowPayment(
      NodeConfig config,
      JobStore store,
      ChainLink chain,
      AccountKey key,
      Proofs proofs,
      Moves moves) {
    this.config = config;
    this.store = store;
    this.chain = chain;
    this.key = key;
    this.proofs = proofs;
    this.moves = moves;
  }

  @Override
  public Optional<ChannelTerms> requireFunds(Job job, Optional<ChannelTerms> channel) {
    Escrow escrow =
        found(job)
            .orElseThrow(() ->
                refuse(
                    RefusalCode.NOT_FUNDED,
                    "there is no escrow for it; fund "
                        + job.priceMax()
                        + " for provider "
                        + key.address()
                        + " with "
                        + chain.contracts().escrow()));
    if (!escrow.provider().equals(key.address())) {
      throw refuse(RefusalCode.NOT_FUNDED, "its escrow is for provider " + escrow.provider());
    }
    boolean open =
        escrow.status() == EscrowStatus.FUNDED
            || (escrow.status() == EscrowStatus.ACCEPTED && escrow.proven() == 0);
    if (!open) {
      throw refuse(
          RefusalCode.NOT_FUNDED,
          "its escrow is "
              + escrow.status().name().toLowerCase(Locale.ROOT)
              + " with "
              + escrow.proven()
              + " milestones proven already; sign a new job");
    }
    if (escrow.milestones() != MilestoneTerms.count(job)) {
      throw refuse(
          RefusalCode.NOT_FUNDED,
          "its escrow is paid in "
              + escrow.milestones()
              + " milestones, and the job says "
              + MilestoneTerms.count(job));
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
    if (escrow.status() == EscrowStatus.ACCEPTED && !isDeep(job)) {
      throw refuse(
          RefusalCode.NOT_FUNDED,
          "its escrow is not "
              + confirmations()
              + " blocks deep yet; hand it in again in a moment");
    }
    return Optional.empty();
  }

  private Optional<Escrow> found(Job job) {
    try {
      return chain.require().escrow().escrow(job.requester(), job.id());
    } catch (LedgerException e) {
      throw refuse(RefusalCode.UNAVAILABLE, String.valueOf(e.getMessage()));
    }
  }

  /// Whether no reorganisation of the usual length takes the acceptance back any more.
  private boolean isDeep(Job job) {
    try {
      return chain
          .require()
          .escrow()
          .escrow(job.requester(), job.id(), confirmations())
          .map(escrow -> escrow.status() == EscrowStatus.ACCEPTED)
          .orElse(false);
    } catch (LedgerException e) {
      throw refuse(RefusalCode.UNAVAILABLE, String.valueOf(e.getMessage()));
    }
  }

  private int confirmations() {
    return Math.max(1, config.chain().confirmations());
  }

  /// The terms follow from the job alone, so that the same signature is given as often as somebody
  /// asks, and nothing need be remembered: whether the job is taken is decided again once its money
  /// is there.
  @Override
  public Optional<Signature> acceptance(Job job) {
    if (found(job).isPresent()) {
      return Optional.empty();
    }
    return Optional.of(
        MilestoneTerms.acceptance(job, key.address()).sign(key, chain.contracts().domain()));
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

  /// Accepts the escrow on the chain, unless it was funded with this node's acceptance.
  @Override
  public Optional<Refusal> bind(JobRow row) {
    EscrowClient escrows = chain.require().escrow();
    Address requester = row.job().requester();
    Optional<Escrow> escrow = escrows.escrow(requester, row.id());
    EscrowStatus status = escrow.map(Escrow::status).orElse(EscrowStatus.REFUNDED);
    if (status == EscrowStatus.FUNDED) {
      try {
        escrows.accept(requester, row.id());
      } catch (TransactionRefusedException | TransactionFailedException e) {
        return Optional.of(new Refusal(RefusalCode.NOT_FUNDED, String.valueOf(e.getMessage())));
      }
    } else if (status != EscrowStatus.ACCEPTED) {
      return Optional.of(new Refusal(RefusalCode.NOT_FUNDED, "its escrow is not there any more"));
    }
    return Optional.empty();
  }

  /// Proves what is left of the work and waits for the money.
  @Override
  public Step collect(JobRow row) {
    proofs.finished(row);
    return switch (proofs.advance(row, false)) {
      case PAID -> moves.move(row, Transition.to(new JobState.Settled()));
      case OVER -> moves.move(row, Transition.to(new JobState.Expired()));
      case OPEN -> new Step.Wait(Duration.ofMillis(config.chain().pollMillis()));
    };
  }

  /// Proves what was reached of a job that ended without a result, gives the rest of its money back
  /// to its requester, and waits for what was proven.
  @Override
  public Step giveBack(JobRow row) {
    Proofs.Rest rest = proofs.advance(row, true);
    EscrowClient escrows = chain.require().escrow();
    Optional<Escrow> escrow = escrows.escrow(row.job().requester(), row.id());
    boolean mine = escrow.map(e -> e.provider().equals(key.address()) && e.isOpen()).orElse(false);
    if (mine && !proofs.isProvable(row, escrow.get())) {
      try {
        escrows.decline(row.job().requester(), row.id());
      } catch (TransactionRefusedException | TransactionFailedException e) {
        return new Step.Retry(String.valueOf(e.getMessage()));
      }
      return new Step.Moved();
    }
    if (rest == Proofs.Rest.OPEN) {
      return new Step.Wait(Duration.ofMillis(config.chain().pollMillis()));
    }
    store.closed(row.id());
    return new Step.Moved();
  }

  private static RefusedException refuse(RefusalCode code, String sentence) {
    return new RefusedException(code, sentence);
  }
}
