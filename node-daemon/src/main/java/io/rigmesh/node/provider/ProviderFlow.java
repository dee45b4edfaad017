package io.rigmesh.node.provider;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.rigmesh.node.Tally;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.blob.OutputFolders;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.RefusedException;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.store.Closing;
import io.rigmesh.node.store.Drivers;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.node.workers.Worker;
import io.rigmesh.node.workers.Workers;
import io.rigmesh.node.workers.WorkersException;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.Task;
import io.rigmesh.scheduler.pricing.Pricing;
import io.rigmesh.scheduler.queue.Admission;
import io.rigmesh.scheduler.queue.Scheduler;
import io.rigmesh.scheduler.queue.Work;
import io.rigmesh.worker.process.WorkerException;
import io.rigmesh.worker.task.FailureCode;
import io.rigmesh.worker.task.RunEvent;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The steps of a job that this node computes: its money is bound, it waits, runs, is proven and
/// paid; or its money goes back.
public final class ProviderFlow implements Drivers.Stepper {
  private static final Logger LOG = LoggerFactory.getLogger(ProviderFlow.class);
  private static final Duration LOST_PATIENCE = Duration.ofSeconds(30);

  private final NodeConfig config;
  private final JobStore store;
  private final Blobs blobs;
  private final ChainLink chain;
  private final AccountKey key;
  private final Dispatcher dispatcher;
  private final Workers workers;
  private final Pricing pricing;
  private final Payments payments;
  private final Moves moves;
  private final Works works;
  private final Tally tally;
  private final Clock clock;
  private final Map<Hash, JobRun> runs = new ConcurrentHashMap<>();

  /// Jobs whose work waits for money, and which hold no device.
  private final Set<Hash> parked = ConcurrentHashMap.newKeySet();

  /// Jobs that waited in vain and end with what they have, and the sentence that says so.
  private final Map<Hash, String> concluding = new ConcurrentHashMap<>();

  /// The flow of a node.
  public ProviderFlow(
      NodeConfig config,
      JobStore store,
      Blobs blobs,
      ChainLink chain,
      AccountKey key,
      Dispatcher dispatcher,
      Workers workers,
      Pricing pricing,
      Payments payments,
      Tally tally,
      Clock clock) {
    this.config = config;
    this.store = store;
    this.blobs = blobs;
    this.chain = chain;
    this.key = key;
    this.dispatcher = dispatcher;
    this.workers = workers;
    this.pricing = pricing;
    this.payments = payments;
    this.moves = new Moves(store, clock);
    this.works = new Works(blobs, config.jobs().inputBytesMax());
    this.tally = tally;
    this.clock = clock;
    dispatcher.onLapse(this::lapsed);
  }

  @Override
  public void restore(JobRow row) {
    switch (row.state()) {
      case JobState.Matched _, JobState.Funded _, JobState.Running _ -> {
        payments.proofs().watch(row.id());
        if (!row.cancelAsked()) {
          restoreWork(row.job());
        }
      }
      case JobState.Draft _,
          JobState.Signed _,
          JobState.Completed _,
          JobState.Settled _,
          JobState.Refused _,
          JobState.Cancelled _,
          JobState.Expired _,
          JobState.Failed _,
          JobState.Disputed _ -> {}
    }
  }

  private void restoreWork(Job job) {
    try {
      dispatcher.restore(works.of(job), config.workers().devices().getFirst());
    } catch (RefusedException e) {
      // Its step will find that it holds nothing, and end it.
      LOG.error("job {} was promised, but {}", job.id(), e.refusal());
    }
  }

  /// Somebody wants a job called off; its row says so already.
  public void cancel(Hash job) {
    JobRun run = runs.get(job);
    if (run != null) {
      run.conclude();
    } else if (!parked.contains(job)) {
      dispatcher.release(job);
    }
  }

  private void lapsed(Scheduler.Lapse lapse) {
    JobRun run = runs.get(lapse.work().job());
    if (run != null) {
      run.stop();
    }
  }

  @Override
  public Step step(JobRow row) throws InterruptedException {
    return switch (row.state()) {
      case JobState.Matched _ -> accept(row);
      case JobState.Funded _ -> start(row);
      case JobState.Running _ -> run(row);
      case JobState.Completed _ -> payments.of(row.job()).collect(row);
      case JobState.Refused _,
          JobState.Cancelled _,
          JobState.Expired _,
          JobState.Failed _,
          JobState.Settled _ ->
          payments.of(row.job()).giveBack(row);
      case JobState.Draft _, JobState.Signed _, JobState.Disputed _ ->
          throw new IllegalStateException("a provider's job is never " + row.state().id());
    };
  }

  /// Binds the money to this work.
  private Step accept(JobRow row) {
    Hash id = row.id();
    if (row.cancelAsked()) {
      dispatcher.release(id);
      return moves.move(row, Transition.to(new JobState.Cancelled()).owing(Closing.DECLINE));
    }
    if (moves.isPastDeadline(row)) {
      dispatcher.release(id);
      return moves.move(row, Transition.to(new JobState.Expired()).owing(Closing.DECLINE));
    }
    Optional<Refusal> lacking = payments.of(row.job()).bind(row);
    if (lacking.isPresent()) {
      dispatcher.release(id);
      return moves.move(
          row, Transition.to(new JobState.Refused(lacking.get())).owing(Closing.DECLINE));
    }
    return switch (dispatcher.confirm(id)) {
      case Admission.Admitted _ -> moves.move(row, Transition.to(new JobState.Funded()));
      case Admission.Refused(Refusal refusal) ->
          moves.move(row, Transition.to(new JobState.Refused(refusal)).owing(Closing.DECLINE));
    };
  }

  private Step start(JobRow row) throws InterruptedException {
    if (dispatcher.await(row.id()).isEmpty()) {
      return ended(row);
    }
    return moves.move(
        row, Transition.to(new JobState.Running()).since(clock.instant().getEpochSecond()));
  }

  private Step run(JobRow row) throws InterruptedException {
    boolean called = row.cancelAsked() || concluding.containsKey(row.id());
    boolean concluded = called && hasTokens(row);
    if (row.cancelAsked() && !concluded) {
      return ended(row);
    }
    Payment payment = payments.of(row.job());
    if (parked.contains(row.id())) {
      if (moves.isPastDeadline(row)) {
        return ended(row);
      }
      if (!concluded) {
        switch (payment.pause(row)) {
          case Payment.Pause.None _ -> {}
          case Payment.Pause.Waiting(Duration atMost) -> {
            return new Step.Wait(atMost);
          }
          case Payment.Pause.Over(String reason) -> {
            if (!hasTokens(row)) {
              return fail(row, reason);
            }
            LOG.warn("job {} ends with what it has, {}", row.id(), reason);
            concluding.put(row.id(), reason);
            concluded = true;
          }
        }
      }
      parked.remove(row.id());
      restoreWork(row.job());
    } else if (concluded && !dispatcher.renew(row.id())) {
      restoreWork(row.job());
    }
    Optional<String> device = dispatcher.await(row.id());
    if (device.isEmpty()) {
      return ended(row);
    }
    Worker worker;
    try {
      worker = workers.require(device.get());
    } catch (WorkersException e) {
      return new Step.Retry(String.valueOf(e.getMessage()));
    }
    JobFolder folder = JobFolder.of(config.jobsFolder(), row.id());
    JobRun run =
        new JobRun(
            row,
            worker,
            store,
            dispatcher,
            config.jobs().progressEveryMillis(),
            payment.meter(row),
            milestone -> payments.proofs().reached(row, worker.description(), milestone),
            concluded);
    runs.put(row.id(), run);
    try {
      if (!concluded && store.find(row.id()).map(JobRow::cancelAsked).orElse(false)) {
        // Asked for after this step began; the next one sees it.
        return new Step.Moved();
      }
      return switch (run.run(folder.prepare(row.job(), blobs))) {
        case RunEvent.Done done -> complete(row, worker, folder, done);
        case RunEvent.Failed failed
            when run.isParked() && failed.code() == FailureCode.CANCELLED -> {
          parked.add(row.id());
          dispatcher.release(row.id());
          yield new Step.Moved();
        }
        case RunEvent.Failed failed
            when concluding.containsKey(row.id()) && failed.code() == FailureCode.CANCELLED ->
            fail(row, concluding.get(row.id()));
        case RunEvent.Failed failed -> failed(row, worker, failed);
      };
    } catch (WorkerException e) {
      if (Thread.interrupted()) {
        throw new InterruptedException("the daemon is stopping");
      }
      return lost(row, worker, e);
    } finally {
      runs.remove(row.id());
    }
  }

  /// Whether a job that is called off has something to show.
  private boolean hasTokens(JobRow row) {
    return row.job().task() instanceof Task.Generate
        && !moves.isPastDeadline(row)
        && store.eventCount(row.id(), JobEvent.Type.TOKEN) > 0;
  }

  private Step complete(JobRow row, Worker worker, JobFolder folder, RunEvent.Done done) {
    Job job = row.job();
    FolderManifest output = blobs.importFolder(folder.output());
    Optional<Hash> model = OutputFolders.keepModel(output, blobs);
    if (!output.root().equals(done.output()) || !model.equals(done.trainedModel())) {
      return fail(
          row,
          "the worker names the output "
              + done.output()
              + ", but its files have the root "
              + output.root()
              + "; this is a fault of the worker");
    }
    long inputBytes = works.inputBytes(job);
    long now = clock.instant().getEpochSecond();
    long startedAt = row.startedAtSeconds().orElse(now);
    List<Hash> links = done.evidence().links();
    Receipt receipt =
        new Receipt(
            row.id(),
            key.address(),
            done.model(),
            done.meter(),
            links.isEmpty() ? Hash.ZERO : links.getLast(),
            CommitmentChain.rootOf(links),
            output.root(),
            worker.description().deviceName(),
            job.profile(),
            startedAt,
            Math.max(now, startedAt),
            payments
                .proofs()
                .priceOf(job, pricing.price(job.task().kind(), done.meter(), job.priceMax())));
    var domain = chain.contracts().domain();
    ReceiptFile file =
        new ReceiptFile(domain, row.signed(), receipt.sign(key, domain), done.evidence());
    Optional.ofNullable(concluding.remove(row.id())).ifPresent(reason -> note(row.id(), reason));
    store.transition(row.id(), Transition.to(new JobState.Completed()).with(file, model));
    Work work = works.of(job);
    long tokens = done.meter().tokensIn() + done.meter().tokensOut();
    dispatcher.finish(row.id(), Works.operations(work, job, inputBytes, tokens));
    tally.completed(job.task().kind(), done.meter(), (double) (now - startedAt));
    LOG.info("job {} is completed: {}", row.id(), done.meter());
    folder.delete();
    return new Step.Moved();
  }

  private void note(Hash job, String sentence) {
    store.note(
        job,
        JobEvent.Type.NOTE,
        JsonNodeFactory.instance.objectNode().put("message", sentence).toString(),
        0);
  }

  private Step failed(JobRow row, Worker worker, RunEvent.Failed failed)
      throws InterruptedException {
    return switch (failed.code()) {
      case CANCELLED -> ended(row);
      case INVALID_INPUT -> broken(row, failed.message());
      case OUT_OF_MEMORY -> {
        awaitGone(worker);
        yield fail(row, failed.message());
      }
      case INTERNAL -> again(row, failed.message());
    };
  }

  /// A generation that its input or its model breaks after tokens were told ends with those, which
  /// are exact and to be paid.
  private Step broken(JobRow row, String reason) {
    if (concluding.containsKey(row.id()) || !hasTokens(row)) {
      return fail(row, reason);
    }
    LOG.warn("job {} ends with what it has: {}", row.id(), reason);
    concluding.put(row.id(), reason);
    return new Step.Moved();
  }

  private Step lost(JobRow row, Worker worker, WorkerException e) throws InterruptedException {
    if (e.reason() == WorkerException.Reason.BUSY) {
      return new Step.Retry(String.valueOf(e.getMessage()));
    }
    awaitGone(worker);
    JobRow now = store.find(row.id()).orElse(row);
    if (now.cancelAsked() || moves.isPastDeadline(row)) {
      return ended(now);
    }
    return again(row, String.valueOf(e.getMessage()));
  }

  /// Waits until the lost worker's process has ended and the scheduler knows it, so that the next
  /// run is on a new one.
  private static void awaitGone(Worker worker) throws InterruptedException {
    try {
      worker.gone().get(LOST_PATIENCE.toSeconds(), TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      LOG.warn("the worker of {} is lost but has not ended; it is killed", worker.device(), e);
      worker.kill().run();
    } catch (ExecutionException e) {
      throw new IllegalStateException("nothing completes this with a failure", e);
    }
  }

  /// Lets a job that took a worker down run again, from its last checkpoint, unless it did so too
  /// often.
  private Step again(JobRow row, String reason) {
    int crashes = store.crashed(row.id());
    if (crashes >= config.workers().crashesMax()) {
      return fail(row, "it failed on " + crashes + " workers, at last: " + reason);
    }
    LOG.warn("job {} goes on from its last checkpoint: {}", row.id(), reason);
    if (!dispatcher.renew(row.id())) {
      restoreWork(row.job());
    }
    return new Step.Moved();
  }

  private Step fail(JobRow row, String reason) {
    parked.remove(row.id());
    concluding.remove(row.id());
    dispatcher.release(row.id());
    Step step = moves.move(row, Transition.to(new JobState.Failed(reason)).owing(Closing.DECLINE));
    JobFolder.of(config.jobsFolder(), row.id()).delete();
    return step;
  }

  /// The job holds nothing any more: it was called off, its deadline passed, or it was silent.
  private Step ended(JobRow seen) {
    JobRow row = store.find(seen.id()).orElse(seen);
    parked.remove(row.id());
    concluding.remove(row.id());
    dispatcher.release(row.id());
    if (row.cancelAsked()) {
      return end(row, new JobState.Cancelled());
    }
    if (moves.isPastDeadline(row)) {
      return end(row, new JobState.Expired());
    }
    if (row.state() instanceof JobState.Running) {
      return again(row, "it gave no sign of life");
    }
    return fail(row, "its model or input is not here any more");
  }

  private Step end(JobRow row, JobState state) {
    Step step = moves.move(row, Transition.to(state).owing(Closing.DECLINE));
    JobFolder.of(config.jobsFolder(), row.id()).delete();
    return step;
  }
}
