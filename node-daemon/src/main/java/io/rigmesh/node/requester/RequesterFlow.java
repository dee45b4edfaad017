package io.rigmesh.node.requester;

import io.rigmesh.ledger.channel.PayerBook;
import io.rigmesh.node.Service;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.network.blob.BlobFetcher;
import io.rigmesh.node.network.job.JobClient;
import io.rigmesh.node.network.offers.LiveOffers;
import io.rigmesh.node.store.Drivers;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.MilestoneStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.node.workers.WorkerLaunches;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.Signature;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The steps of a job that this node pays for: a provider is matched, its escrow funded, the job
/// handed in and watched, the result checked, the money released; or it comes back.
public final class RequesterFlow implements Drivers.Stepper {
  private static final Logger LOG = LoggerFactory.getLogger(RequesterFlow.class);

  private final JobStore store;
  private final Blobs blobs;
  private final JobClient client;
  private final ProviderChoice choice;
  private final JobWatch watch;
  private final Payments payments;
  private final Approvals approvals;
  private final EscrowGuard guard;
  private final Moves moves;

  /// The flow of a node.
  ///
  /// @param book what it promises to others by channels
  /// @param offers where providers are found
  /// @param client how they are reached
  /// @param fetcher how files come from them
  /// @param probes who is being asked about which job
  public RequesterFlow(
      NodeConfig config,
      JobStore store,
      MilestoneStore milestones,
      Blobs blobs,
      ChainLink chain,
      PayerBook book,
      AccountKey key,
      LiveOffers offers,
      JobClient client,
      BlobFetcher fetcher,
      Probes probes,
      WorkerLaunches launches,
      Clock clock) {
    this.store = store;
    this.blobs = blobs;
    this.client = client;
    this.moves = new Moves(store, clock);
    this.choice =
        new ProviderChoice(
            offers,
            client,
            new Wishes(config.requester(), blobs, key.address()),
            blobs,
            store,
            probes,
            moves,
            config.requester().candidatesMax());
    Delivery delivery =
        new Delivery(config, blobs, fetcher, client, chain.contracts().domain(), moves);
    Audit audit = new Audit(config, store, blobs, launches);
    this.approvals = new Approvals(config, store, milestones, chain, key, delivery, audit, clock);
    this.guard = new EscrowGuard(store, milestones, chain, key.address(), moves, this::cancel);
    this.payments =
        new Payments(
            new EscrowPayment(
                config, store, milestones, chain, key.address(), client, approvals, guard, moves),
            new ChannelPayment(store, blobs, book, client, audit, moves));
    this.watch = new JobWatch(config, store, client, delivery, payments::of, moves);
  }

  /// What judges milestones while jobs run, and what looks at their money on the chain.
  public List<Service> services() {
    return List.of(approvals, guard);
  }

  @Override
  public void restore(JobRow row) {
    // Everything that a requester's step needs is in the store, on the chain, or at the provider.
  }

  /// Somebody wants a job called off; its row says so already. The provider is told at once, by
  /// resetting the stream; the job's next step tells it in words.
  public void cancel(Hash job) {
    watch.cancel(job);
  }

  @Override
  public Step step(JobRow row) throws InterruptedException {
    try {
      return switch (row.state()) {
        case JobState.Signed _ -> called(row).orElseGet(() -> choice.match(row));
        case JobState.Matched _ -> fund(row);
        case JobState.Funded _ -> called(row).orElseGet(() -> watch.handIn(row, inputBytes(row)));
        case JobState.Running _ -> stopped(row).orElseGet(() -> watch.watch(row));
        case JobState.Completed _ -> payments.of(row.job()).settle(row);
        case JobState.Disputed _ -> payments.of(row.job()).awaitDispute(row);
        case JobState.Refused _,
            JobState.Cancelled _,
            JobState.Expired _,
            JobState.Failed _,
            JobState.Settled _ ->
            payments.of(row.job()).reclaim(row);
        case JobState.Draft _ ->
            throw new IllegalStateException("a draft is signed before it is kept");
      };
    } catch (ProviderUnreachableException e) {
      if (Thread.interrupted()) {
        throw new InterruptedException("the daemon is stopping");
      }
      JobRow now = store.find(row.id()).orElse(row);
      return moves.isPastDeadline(now) && !isDone(now)
          ? moves.expire(now)
          : new Step.Retry(String.valueOf(e.getMessage()));
    }
  }

  /// Locks the money, after the provider has said once more that it is all that is missing: since
  /// it was matched this node may have been away.
  private Step fund(JobRow row) {
    Payment payment = payments.of(row.job());
    if (!payment.isDecided(row)) {
      Optional<Step> over = called(row);
      if (over.isPresent()) {
        return over.get();
      }
      if (payment.isCostly()) {
        switch (choice.ask(row, JobWatch.peer(row))) {
          case ProviderChoice.Word.No(Refusal refusal) -> {
            return ProviderChoice.isPassing(refusal)
                ? new Step.Retry(refusal.toString())
                : moves.move(row, Transition.to(new JobState.Refused(refusal)));
          }
          case ProviderChoice.Word.Yes(Optional<Signature> acceptance) -> {
            Optional<Refusal> bad = acceptance.flatMap(s -> payment.accepted(row, s));
            if (bad.isPresent()) {
              return moves.move(row, Transition.to(new JobState.Refused(bad.get())));
            }
          }
        }
      }
    }
    return payment.fund(row);
  }

  /// The end of a job of which something was found to be wrong while it runs: it is called off, and
  /// nothing more of it is approved.
  private Optional<Step> stopped(JobRow row) {
    Optional<String> fault = payments.of(row.job()).fault(row);
    if (fault.isEmpty()) {
      return Optional.empty();
    }
    Step disputed = moves.move(row, Transition.to(new JobState.Disputed(fault.get())));
    try {
      client.cancel(JobWatch.peer(row), row.id());
    } catch (ProviderUnreachableException e) {
      LOG.info("the provider of job {} is not told that it is over: {}", row.id(), e.getMessage());
    }
    return Optional.of(disputed);
  }

  /// The end of a job that was called off or is too late, before the provider has it.
  private Optional<Step> called(JobRow row) {
    if (row.cancelAsked()) {
      if (row.state() instanceof JobState.Funded) {
        // The provider may have it already; if so, it gives the money back at once.
        client.cancel(JobWatch.peer(row), row.id());
      }
      return Optional.of(
          moves.move(row, Transition.to(new JobState.Cancelled()).owing(Moves.owed(row))));
    }
    if (moves.isPastDeadline(row)) {
      return Optional.of(moves.expire(row));
    }
    return Optional.empty();
  }

  private long inputBytes(JobRow row) {
    return blobs.sizeBytes(row.job().input()).orElseThrow();
  }

  private static boolean isDone(JobRow row) {
    return row.state() instanceof JobState.Completed
        || row.state() instanceof JobState.Disputed
        || row.state().isFinal();
  }
}
