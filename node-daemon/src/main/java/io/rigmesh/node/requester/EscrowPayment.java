package io.rigmesh.node.requester;

import io.rigmesh.ledger.InsufficientGasFundsException;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.escrow.Escrow;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.escrow.EscrowStatus;
import io.rigmesh.ledger.escrow.Milestone;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.pay.Due;
import io.rigmesh.node.pay.Tariff;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.JobState;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// Money that waits in the escrow of each job: bound to a provider, released once the result has
/// been audited, or taken back.
final class EscrowPayment implements Payment {
  /// Jobs are proven and paid in one part.
  private static final int ONE = 1;

  private static final Duration SLOWLY = Duration.ofSeconds(5);

  private final NodeConfig config;
  private final JobStore store;
  private final ChainLink chain;
  private final Address account;
  private final Audit audit;
  private final Moves moves;

  EscrowPayment(
      NodeConfig config,
      JobStore store,
      ChainLink chain,
      Address account,
      Audit audit,
      Moves moves) {
    this.config = config;
    this.store = store;
    this.chain = chain;
    this.account = account;
    this.audit = audit;
    this.moves = moves;
  }

  /// Whether a job's money is bound, or it was decided to bind it.
  @Override
  public boolean isDecided(JobRow row) {
    return chain.intents().find("fund:" + account.hex() + ":" + row.id().hex()).isPresent()
        || chain.require().escrow().escrow(account, row.id()).isPresent();
  }

  @Override
  public boolean isCostly() {
    return true;
  }

  @Override
  public Optional<Step> fundAgain(JobRow row) {
    return Optional.empty();
  }

  @Override
  public Optional<ChannelTerms> channel(JobRow row) {
    return Optional.empty();
  }

  @Override
  public void requireAgreed(JobRow row, Optional<Tariff> tariff) {
    // The escrow holds what was agreed, and nothing else is paid.
  }

  @Override
  public Optional<io.rigmesh.ledger.channel.Payment> again(JobRow row) {
    return Optional.empty();
  }

  @Override
  public Optional<io.rigmesh.ledger.channel.Payment> pay(
      JobRow row, Tariff tariff, Due due, long tokensSeen) {
    throw new ProviderFaultException(
        "the provider asks for vouchers for a job whose money is in escrow");
  }

  /// Binds a job's money to its provider.
  @Override
  public Step fund(JobRow row) {
    EscrowClient escrows = chain.require().escrow();
    try {
      escrows.fund(
          row.id(),
          row.provider().orElseThrow(),
          row.job().priceMax(),
          Instant.ofEpochSecond(row.job().deadlineSeconds()),
          ONE);
    } catch (TransactionRefusedException
        | TransactionFailedException
        | InsufficientGasFundsException e) {
      if (escrows.escrow(account, row.id()).isEmpty()) {
        return moves.move(row, Transition.to(new JobState.Failed(String.valueOf(e.getMessage()))));
      }
    }
    return moves.move(row, Transition.to(new JobState.Funded()));
  }

  /// Audits the result, and pays for it once the proof on the chain is the receipt's.
  @Override
  public Step settle(JobRow row) throws InterruptedException {
    EscrowClient escrows = chain.require().escrow();
    JobRow.Completion completion = row.completion().orElseThrow();
    Optional<Escrow> found = escrows.escrow(account, row.id());
    if (found.isEmpty()) {
      return new Step.Retry("the escrow of job " + row.id() + " is not on the chain");
    }
    Escrow escrow = found.get();
    switch (escrow.status()) {
      case RELEASED -> {
        return moves.move(row, Transition.to(new JobState.Settled()));
      }
      case REFUNDED -> {
        return moves.move(row, Transition.to(new JobState.Expired()));
      }
      case FUNDED, ACCEPTED -> {
        return moves.isPastDeadline(row)
            ? refundOf(row, escrows)
            : new Step.Wait(Duration.ofMillis(config.chain().pollMillis()));
      }
      case PROVEN -> {}
    }
    Optional<Milestone> proven = escrows.milestone(account, row.id(), ONE);
    if (proven.isEmpty()) {
      return new Step.Retry("the proof of job " + row.id() + " is not on the chain");
    }
    Milestone proof = proven.get();
    if (!proof.proofRoot().equals(completion.receiptHash())
        || !proof.amountDue().equals(completion.price())) {
      return moves.move(
          row,
          Transition.to(
              new JobState.Disputed(
                  "the proof on the chain is "
                      + proof.proofRoot()
                      + " for "
                      + proof.amountDue()
                      + ", the receipt "
                      + completion.receiptHash()
                      + " for "
                      + completion.price())));
    }
    Optional<String> fault = audit.fault(row);
    if (fault.isPresent()) {
      return moves.move(row, Transition.to(new JobState.Disputed(fault.get())));
    }
    try {
      escrows.release(account, row.id(), ONE);
    } catch (TransactionRefusedException | TransactionFailedException e) {
      return new Step.Retry(String.valueOf(e.getMessage()));
    }
    return moves.move(row, Transition.to(new JobState.Settled()));
  }

  /// Nothing on the chain decides a dispute yet: after the challenge time anybody may release the
  /// money, and this only sees what became of it.
  @Override
  public Step awaitDispute(JobRow row) {
    Optional<EscrowStatus> status =
        chain.require().escrow().escrow(account, row.id()).map(Escrow::status);
    if (status.equals(Optional.of(EscrowStatus.RELEASED))) {
      return moves.move(row, Transition.to(new JobState.Settled()));
    }
    if (status.equals(Optional.of(EscrowStatus.REFUNDED))) {
      return moves.move(
          row,
          Transition.to(new JobState.Failed("disputed, and the money came back: " + row.state())));
    }
    return new Step.Wait(SLOWLY);
  }

  /// Sees the money of a job that ended without a result come back.
  @Override
  public Step reclaim(JobRow row) {
    EscrowClient escrows = chain.require().escrow();
    Optional<Escrow> escrow = escrows.escrow(account, row.id());
    boolean open =
        escrow.isPresent()
            && (escrow.get().status() == EscrowStatus.FUNDED
                || escrow.get().status() == EscrowStatus.ACCEPTED);
    if (!open) {
      store.closed(row.id());
      return new Step.Moved();
    }
    if (moves.isPastDeadline(row)) {
      try {
        escrows.refund(account, row.id());
      } catch (TransactionRefusedException | TransactionFailedException e) {
        // The chain's clock may be behind ours.
        return new Step.Retry(String.valueOf(e.getMessage()));
      }
      return new Step.Moved();
    }
    // A provider that took the job gives it back at once; otherwise the contract does after the
    // deadline.
    return new Step.Wait(SLOWLY);
  }

  private Step refundOf(JobRow row, EscrowClient escrows) {
    try {
      escrows.refund(account, row.id());
    } catch (TransactionRefusedException | TransactionFailedException e) {
      return new Step.Retry(String.valueOf(e.getMessage()));
    }
    return moves.move(row, Transition.to(new JobState.Expired()));
  }
}
