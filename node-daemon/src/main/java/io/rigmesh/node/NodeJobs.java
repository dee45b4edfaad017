package io.rigmesh.node;

import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.chain.Transactions;
import io.rigmesh.node.jobs.Artifacts;
import io.rigmesh.node.jobs.CancelResult;
import io.rigmesh.node.jobs.Intake;
import io.rigmesh.node.jobs.JobDraft;
import io.rigmesh.node.jobs.JobEvents;
import io.rigmesh.node.jobs.JobQuery;
import io.rigmesh.node.jobs.JobView;
import io.rigmesh.node.jobs.Jobs;
import io.rigmesh.node.jobs.MilestoneView;
import io.rigmesh.node.jobs.RefusedException;
import io.rigmesh.node.jobs.TransactionView;
import io.rigmesh.node.provider.JobIntake;
import io.rigmesh.node.provider.ProviderFlow;
import io.rigmesh.node.provider.Supply;
import io.rigmesh.node.requester.JobSubmission;
import io.rigmesh.node.requester.RequesterFlow;
import io.rigmesh.node.store.Drivers;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.MilestoneRow;
import io.rigmesh.node.store.MilestoneStore;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.SignedJob;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/// The jobs of both sides behind one interface.
final class NodeJobs implements Jobs {
  private final JobStore store;
  private final Blobs blobs;
  private final Drivers drivers;
  private final JobIntake intake;
  private final JobSubmission submission;
  private final ProviderFlow provider;
  private final RequesterFlow requester;
  private final MilestoneStore milestones;
  private final Transactions transactions;
  private final Tally tally;

  NodeJobs(
      JobStore store,
      Blobs blobs,
      Drivers drivers,
      JobIntake intake,
      JobSubmission submission,
      ProviderFlow provider,
      RequesterFlow requester,
      MilestoneStore milestones,
      Transactions transactions,
      Tally tally) {
    this.store = store;
    this.blobs = blobs;
    this.drivers = drivers;
    this.intake = intake;
    this.submission = submission;
    this.provider = provider;
    this.requester = requester;
    this.milestones = milestones;
    this.transactions = transactions;
    this.tally = tally;
  }

  @Override
  public JobView submit(JobDraft draft) {
    try {
      Hash id = submission.submit(draft);
      drivers.drive(id);
      return find(id).orElseThrow();
    } catch (RefusedException e) {
      tally.refused(e.refusal().code());
      throw e;
    }
  }

  @Override
  public Intake accept(byte[] signedJobJson) {
    return decided(() -> intake.take(signedJobJson));
  }

  /// Takes a job that a peer hands in, whose files come from it.
  Intake accept(SignedJob job, Supply supply, Optional<ChannelTerms> channel) {
    return decided(() -> intake.take(job, supply, channel));
  }

  private Intake decided(Supplier<? extends JobIntake.Decision> take) {
    try {
      return switch (take.get()) {
        case JobIntake.Decision.Taken(Hash id, boolean known) -> {
          drivers.drive(id);
          yield new Intake.Accepted(find(id).orElseThrow(), known);
        }
        case JobIntake.Decision.Reserved(Signature acceptance) -> new Intake.Reserved(acceptance);
      };
    } catch (RefusedException e) {
      tally.refused(e.refusal().code());
      return new Intake.Refused(e.refusal());
    }
  }

  @Override
  public List<JobView> list(JobQuery query) {
    return store.list(query).stream().map(row -> view(row, List.of())).toList();
  }

  @Override
  public Optional<JobView> find(Hash id) {
    return store
        .find(id)
        .map(row -> view(row, transactions.ofJob(row.job().requester(), row.id())));
  }

  @Override
  public CancelResult cancel(Hash id) {
    Optional<JobRow> found = store.find(id);
    if (found.isEmpty()) {
      return new CancelResult.Unknown();
    }
    JobState state = found.get().state();
    boolean late =
        state.isFinal()
            || state instanceof JobState.Completed
            || state instanceof JobState.Disputed;
    if (late) {
      return new CancelResult.TooLate(find(id).orElseThrow());
    }
    store.askCancel(id);
    switch (found.get().role()) {
      case PROVIDER -> provider.cancel(id);
      case REQUESTER -> requester.cancel(id);
    }
    drivers.drive(id);
    drivers.wake(id);
    return new CancelResult.Cancelled(find(id).orElseThrow());
  }

  @Override
  public Optional<JobEvents> events(Hash id, long afterSequence) {
    return store.events(id, afterSequence);
  }

  @Override
  public Optional<byte[]> receipt(Hash id) {
    return store.receipt(id);
  }

  @Override
  public Optional<Artifacts> artifacts(Hash id) {
    return store
        .find(id)
        .flatMap(JobRow::completion)
        .flatMap(completion -> blobs.folder(completion.output()))
        .map(manifest -> new Artifacts(manifest, blobs));
  }

  private JobView view(JobRow row, List<TransactionView> transactions) {
    return new JobView(
        row.id(),
        row.role(),
        row.signed(),
        row.state(),
        row.progress(),
        row.createdAt(),
        row.updatedAt(),
        row.provider(),
        row.providerPeer(),
        row.completion().map(JobRow.Completion::price),
        row.completion().map(JobRow.Completion::meter),
        row.completion().map(JobRow.Completion::output),
        row.completion().flatMap(JobRow.Completion::outputModel),
        row.channel().map(ChannelTerms::id),
        row.paid(),
        milestones.of(row.id()).stream().map(NodeJobs::view).toList(),
        transactions);
  }

  private static MilestoneView view(MilestoneRow row) {
    MilestoneView.State state =
        row.verdict() == MilestoneRow.Verdict.FALSE
            ? MilestoneView.State.FALSE
            : row.paid()
                ? MilestoneView.State.PAID
                : row.approval().isPresent()
                    ? MilestoneView.State.APPROVED
                    : MilestoneView.State.REACHED;
    return new MilestoneView(row.number(), row.steps(), row.proof(), row.amountDue(), state);
  }
}
