package io.rigmesh.node.requester;

import com.google.protobuf.ByteString;
import io.rigmesh.ledger.InsufficientGasFundsException;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.escrow.Escrow;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.escrow.EscrowStatus;
import io.rigmesh.ledger.escrow.Milestone;
import io.rigmesh.node.blob.BlobException;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.network.job.JobClient;
import io.rigmesh.node.network.job.JobFeed;
import io.rigmesh.node.pay.Due;
import io.rigmesh.node.pay.MilestoneTerms;
import io.rigmesh.node.pay.Tariff;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.MilestoneRow;
import io.rigmesh.node.store.MilestoneStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.protocol.Acceptance;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Signature;
import io.rigmesh.worker.process.WorkerException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Money that waits in the escrow of each job: bound to a provider that has taken the job on by
/// signature, paid in parts by approvals as each is judged exact, and taken back as far as nothing
/// was proven. What the provider was never approved of but has proven on the chain is released
/// where it is exact, laid before the referee where it is false and there is one, and else left to
/// the challenge time.
final class EscrowPayment implements Payment {
  private static final Logger LOG = LoggerFactory.getLogger(EscrowPayment.class);
  private static final Duration SLOWLY = Duration.ofSeconds(5);

  /// How long a provider may take to answer to approvals, and to tell of its milestones, whatever
  /// else it says meanwhile.
  private static final Duration HEAR_MAX = Duration.ofSeconds(60);

  private static final Duration LEARN_MAX = Duration.ofMinutes(5);

  private final NodeConfig config;
  private final JobStore store;
  private final MilestoneStore milestones;
  private final ChainLink chain;
  private final Address account;
  private final JobClient client;
  private final Approvals approvals;
  private final EscrowGuard guard;
  private final Moves moves;

  EscrowPayment(
      NodeConfig config,
      JobStore store,
      MilestoneStore milestones,
      ChainLink chain,
      Address account,
      JobClient client,
      Approvals approvals,
      EscrowGuard guard,
      Moves moves) {
    this.config = config;
    this.store = store;
    this.milestones = milestones;
    this.chain = chain;
    this.account = account;
    this.client = client;
    this.approvals = approvals;
    this.guard = guard;
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
  public Seen seen(JobRow row) {
    // Nothing is paid for as it comes.
    return new Seen(row.job(), InputStream::nullInputStream, 0, 0);
  }

  @Override
  public Optional<io.rigmesh.ledger.channel.Payment> pay(
      JobRow row, Tariff tariff, Due due, Seen seen) {
    throw new ProviderFaultException(
        "the provider asks for vouchers for a job whose money is in escrow");
  }

  @Override
  public int milestonesKnown(JobRow row) {
    return milestones.of(row.id()).size();
  }

  @Override
  public void attend(JobRow row, JobFeed feed) {
    approvals.attend(row, feed);
  }

  @Override
  public void leave(JobRow row, JobFeed feed) {
    approvals.leave(row, feed);
  }

  @Override
  public void milestone(JobRow row, int number, byte[] receiptJson) {
    approvals.received(row, number, receiptJson);
  }

  @Override
  public void heard(JobRow row, JobFeed.Next.Approved answer) {
    approvals.heard(row, answer);
  }

  @Override
  public Optional<String> fault(JobRow row) {
    return approvals.fault(row.id()).or(() -> disputed(row));
  }

  /// What the guard has found on the chain while nobody told of it.
  private Optional<String> disputed(JobRow row) {
    OptionalInt number = guard.disputed(row);
    return number.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "the proof of milestone %d on the chain was not found to be exact in time, and is disputed"
                .formatted(number.getAsInt()));
  }

  @Override
  public Optional<Refusal> accepted(JobRow row, Signature signature) {
    Acceptance acceptance = acceptance(row);
    if (moves.isPastDeadline(row)) {
      return Optional.of(
          new Refusal(
              RefusalCode.EXPIRED, "the provider's acceptance comes after the job's deadline"));
    }
    if (!acceptance.isSignedBy(signature, chain.contracts().domain())) {
      return Optional.of(
          new Refusal(
              RefusalCode.BAD_SIGNATURE,
              "the provider's acceptance is not signed by "
                  + acceptance.provider()
                  + " for this job, its limit, deadline and milestones"));
    }
    milestones.accepted(row.id(), signature);
    return Optional.empty();
  }

  private static Acceptance acceptance(JobRow row) {
    return MilestoneTerms.acceptance(row.job(), row.provider().orElseThrow());
  }

  /// Binds a job's money to its provider.
  @Override
  public Step fund(JobRow row) {
    EscrowClient escrows = chain.require().escrow();
    Acceptance terms = acceptance(row);
    Optional<Signature> signature = milestones.acceptance(row.id());
    try {
      if (signature.isPresent()) {
        escrows.fundAccepted(terms, signature.get());
      } else {
        escrows.fund(
            row.id(),
            terms.provider(),
            terms.amount(),
            Instant.ofEpochSecond(terms.deadlineSeconds()),
            terms.milestones());
      }
    } catch (TransactionRefusedException
        | TransactionFailedException
        | InsufficientGasFundsException e) {
      if (escrows.escrow(account, row.id()).isEmpty()) {
        return moves.move(row, Transition.to(new JobState.Failed(String.valueOf(e.getMessage()))));
      }
    }
    return moves.move(row, Transition.to(new JobState.Funded()));
  }

  /// Judges the result and what is not judged yet before it, approves of it, and waits until all
  /// parts are paid.
  @Override
  public Step settle(JobRow row) throws InterruptedException {
    EscrowClient escrows = chain.require().escrow();
    Optional<Escrow> found = escrows.escrow(account, row.id());
    if (found.isEmpty()) {
      return new Step.Retry("the escrow of job " + row.id() + " is not on the chain");
    }
    Escrow escrow = found.get();
    switch (escrow.status()) {
      case RELEASED -> {
        return released(row, escrow, escrows);
      }
      case REFUNDED -> {
        boolean _ = approvals.sawPaid(row, escrow, escrows);
        return moves.move(row, Transition.to(new JobState.Expired()).owing(Moves.owed(row)));
      }
      case FUNDED, ACCEPTED -> {
        if (moves.isPastDeadline(row)) {
          return refundOf(row, escrows);
        }
      }
      case PROVEN -> {}
    }
    finished(row);
    boolean _ = guard.attend(row, escrow, escrows);
    Optional<String> fault =
        approvals.judge(row).or(() -> otherProof(row, escrow, escrows)).or(() -> disputed(row));
    if (fault.isPresent()) {
      return moves.move(row, Transition.to(new JobState.Disputed(fault.get())));
    }
    Optional<String> trouble = deliver(row);
    if (trouble.isPresent()) {
      // Unreachable: then a transaction says what the signature would have said.
      release(row, escrow, escrows);
    }
    boolean _ = approvals.sawPaid(row, escrow, escrows);
    return trouble.isPresent()
        ? new Step.Retry(trouble.get())
        : new Step.Wait(Duration.ofMillis(config.chain().pollMillis()));
  }

  /// All is paid, which the challenge time may have done while this node was away: what was paid
  /// for is fetched and judged all the same, as long as that may be done.
  private Step released(JobRow row, Escrow escrow, EscrowClient escrows)
      throws InterruptedException {
    finished(row);
    try {
      Optional<String> fault = approvals.judge(row);
      if (fault.isPresent()) {
        return moves.move(row, Transition.to(new JobState.Disputed(fault.get())));
      }
    } catch (ProviderUnreachableException e) {
      if (!moves.isPastDeadline(row)) {
        throw e;
      }
      LOG.warn("job {} is paid, and what was paid for cannot be had: {}", row.id(), e.getMessage());
    }
    return approvals.sawPaid(row, escrow, escrows)
        ? moves.move(row, Transition.to(new JobState.Settled()))
        : new Step.Wait(Duration.ofMillis(config.chain().pollMillis()));
  }

  /// The job's receipt is its last milestone.
  private void finished(JobRow row) {
    JobRow.Completion completion = row.completion().orElseThrow();
    int number = MilestoneTerms.count(row.job());
    if (milestones.find(row.id(), number).isEmpty()) {
      milestones.reached(
          MilestoneRow.reached(
              row.id(),
              number,
              completion.meter().steps(),
              completion.receiptHash(),
              completion.price(),
              milestones.find(row.id(), number - 1),
              completion.output(),
              moves.now()),
          Optional.empty());
    }
  }

  /// Brings the provider the approvals that it is not known to have.
  ///
  /// @return why it has not taken them, or empty if it has
  private Optional<String> deliver(JobRow row) {
    boolean open =
        milestones.of(row.id()).stream()
            .anyMatch(m -> m.approval().isPresent() && !m.delivered() && !m.paid());
    if (!open) {
      return Optional.empty();
    }
    try {
      return switch (client.follow(
          JobWatch.peer(row), row.id(), row.remoteSequence(), milestonesKnown(row))) {
        case JobClient.Answer.Taken(JobFeed feed) -> {
          try (feed) {
            yield awaitHeard(row, feed, approvals.say(row.id(), feed));
          }
        }
        case JobClient.Answer.Refused(Refusal refusal) -> Optional.of(refusal.toString());
        case JobClient.Answer.Unknown _, JobClient.Answer.Reserved _ ->
            Optional.of("the provider does not know the job " + row.id() + " any more");
      };
    } catch (ProviderUnreachableException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  private Optional<String> awaitHeard(JobRow row, JobFeed feed, int last) {
    long end = System.nanoTime() + HEAR_MAX.toNanos();
    while (System.nanoTime() < end) {
      switch (feed.next()) {
        case JobFeed.Next.Approved answer -> {
          approvals.heard(row, answer);
          if (answer.refusal().isPresent() || answer.milestone() == last) {
            return answer.refusal();
          }
        }
        case JobFeed.Next.Event _,
            JobFeed.Next.Receipt _,
            JobFeed.Next.Milestone _,
            JobFeed.Next.Due _,
            JobFeed.Next.Paid _,
            JobFeed.Next.Alive _,
            JobFeed.Next.Ended _ -> {}
      }
    }
    return Optional.of(
        "the provider has not answered to the approval of milestone %d within %d s"
            .formatted(last, HEAR_MAX.toSeconds()));
  }

  /// A proof on the chain that is of another receipt than the one that is here.
  private Optional<String> otherProof(JobRow row, Escrow escrow, EscrowClient escrows) {
    for (MilestoneRow milestone : milestones.of(row.id())) {
      if (milestone.number() <= escrow.proven() && !milestone.paid()) {
        Optional<Milestone> proof = escrows.milestone(account, row.id(), milestone.number());
        if (proof.isPresent() && !EscrowGuard.isSame(proof.get(), milestone)) {
          return Optional.of(
              "the proof of milestone "
                  + milestone.number()
                  + " on the chain is "
                  + proof.get().proofRoot()
                  + " for "
                  + proof.get().amountDue()
                  + ", its receipt "
                  + milestone.proof()
                  + " for "
                  + milestone.amountDue());
        }
      }
    }
    return Optional.empty();
  }

  /// Pays what is proven on the chain and exact, by transactions, unless its provider has the
  /// approval and can do that itself.
  private void release(JobRow row, Escrow escrow, EscrowClient escrows) {
    for (MilestoneRow milestone : milestones.of(row.id())) {
      boolean ours =
          milestone.number() <= escrow.proven()
              && milestone.verdict() == MilestoneRow.Verdict.EXACT
              && !milestone.delivered()
              && !milestone.paid();
      if (ours
          && escrows
              .milestone(account, row.id(), milestone.number())
              .map(proof ->
                  proof.status() == Milestone.Status.PROVEN && EscrowGuard.isSame(proof, milestone))
              .orElse(false)) {
        escrows.release(account, row.id(), milestone.number());
      }
    }
  }

  /// Asks the provider of a job that ended without a result for milestones that it has proven and
  /// that are not here.
  private void learn(JobRow row, Escrow escrow) {
    int known = milestonesKnown(row);
    if (known >= Math.min(escrow.proven(), MilestoneTerms.count(row.job()) - 1)) {
      return;
    }
    try {
      if (client.follow(JobWatch.peer(row), row.id(), row.remoteSequence(), known)
          instanceof JobClient.Answer.Taken(JobFeed feed)) {
        try (feed) {
          long end = System.nanoTime() + LEARN_MAX.toNanos();
          boolean more = true;
          while (more && System.nanoTime() < end) {
            switch (feed.next()) {
              case JobFeed.Next.Milestone(int number, ByteString json) ->
                  approvals.received(row, number, json.toByteArray());
              case JobFeed.Next.Ended _ -> more = false;
              case JobFeed.Next.Event _,
                  JobFeed.Next.Receipt _,
                  JobFeed.Next.Due _,
                  JobFeed.Next.Paid _,
                  JobFeed.Next.Alive _,
                  JobFeed.Next.Approved _ -> {}
            }
          }
        }
      }
    } catch (ProviderUnreachableException | ProviderFaultException e) {
      LOG.info("milestones of job {} are not known: {}", row.id(), e.getMessage());
    }
  }

  /// Sees what becomes of a job of which something is false: that is disputed where somebody rules;
  /// where nobody does, its provider is paid for it once the challenge time is over, and for no
  /// more.
  @Override
  public Step awaitDispute(JobRow row) {
    EscrowClient escrows = chain.require().escrow();
    Optional<Escrow> found = escrows.escrow(account, row.id());
    if (found.isEmpty()) {
      return new Step.Retry("the escrow of job " + row.id() + " is not on the chain");
    }
    Escrow escrow = found.get();
    boolean all = approvals.sawPaid(row, escrow, escrows);
    if (all && escrow.status() == EscrowStatus.RELEASED && guard.disputed(row).isEmpty()) {
      return moves.move(row, Transition.to(new JobState.Settled()));
    }
    if (all && !escrow.isOpen() && escrow.paid() == escrow.proven()) {
      return moves.move(
          row,
          Transition.to(
              new JobState.Failed("disputed, and what was not proven came back: " + reason(row))));
    }
    return guard.attend(row, escrow, escrows) ? new Step.Moved() : new Step.Wait(SLOWLY);
  }

  private static String reason(JobRow row) {
    return row.state() instanceof JobState.Disputed(String reason) ? reason : row.state().id();
  }

  /// Sees the money of a job that ended without a result come back, and what was proven of it paid.
  @Override
  public Step reclaim(JobRow row) throws InterruptedException {
    EscrowClient escrows = chain.require().escrow();
    Optional<Escrow> found = escrows.escrow(account, row.id());
    if (found.isEmpty()) {
      store.closed(row.id());
      return new Step.Moved();
    }
    Escrow escrow = found.get();
    boolean all = approvals.sawPaid(row, escrow, escrows);
    if (all && !escrow.isOpen() && escrow.paid() == escrow.proven()) {
      store.closed(row.id());
      return new Step.Moved();
    }
    // What the chain alone decides comes before anything that waits for the provider.
    if (guard.attend(row, escrow, escrows)) {
      return new Step.Moved();
    }
    try {
      if (escrow.paid() < escrow.proven()) {
        learn(row, escrow);
        judge(row);
        release(row, escrow, escrows);
        boolean _ = guard.attend(row, escrow, escrows);
      }
    } catch (TransactionRefusedException | TransactionFailedException e) {
      // The provider was faster, most likely.
      return new Step.Retry(String.valueOf(e.getMessage()));
    }
    // A provider that took the job gives it back at once; otherwise the contract does after the
    // deadline.
    return new Step.Wait(SLOWLY);
  }

  private void judge(JobRow row) throws InterruptedException {
    try {
      approvals.judge(row).ifPresent(fault -> LOG.warn("job {} is not paid: {}", row.id(), fault));
    } catch (ProviderUnreachableException
        | WorkerException
        | BlobException
        | UncheckedIOException e) {
      LOG.info("milestones of job {} are not judged: {}", row.id(), e.getMessage());
    }
  }

  private Step refundOf(JobRow row, EscrowClient escrows) {
    try {
      escrows.refund(account, row.id());
    } catch (TransactionRefusedException | TransactionFailedException e) {
      return new Step.Retry(String.valueOf(e.getMessage()));
    }
    return moves.move(row, Transition.to(new JobState.Expired()).owing(Moves.owed(row)));
  }
}
