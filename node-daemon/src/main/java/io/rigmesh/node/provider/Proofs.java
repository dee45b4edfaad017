package io.rigmesh.node.provider;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.google.protobuf.ByteString;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.escrow.Escrow;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.escrow.EscrowStatus;
import io.rigmesh.ledger.escrow.Milestone;
import io.rigmesh.node.Service;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.blob.OutputFolders;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.pay.MilestoneTerms;
import io.rigmesh.node.pay.Milestones;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.MilestoneRow;
import io.rigmesh.node.store.MilestoneStore;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Approval;
import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.pricing.Pricing;
import io.rigmesh.worker.process.WorkerDescription;
import io.rigmesh.worker.task.RunEvent;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The milestones of jobs that this node computes. Each is a receipt for the steps so far: signed
/// and written down when the worker is there, told to the requester, and paid with its approval in
/// one transaction; where none comes in time, proven on the chain without, and paid when the
/// challenge time is over. The work never waits for any of it.
///
/// What becomes of a milestone is read from the chain each time, and every transaction has a key of
/// its own, so that a process that is killed anywhere goes on without doing anything twice.
public final class Proofs implements Service, Milestones {
  private static final Logger LOG = LoggerFactory.getLogger(Proofs.class);
  private static final Duration SLOWLY = Duration.ofSeconds(5);

  private final NodeConfig config;
  private final JobStore store;
  private final MilestoneStore milestones;
  private final Blobs blobs;
  private final ChainLink chain;
  private final AccountKey key;
  private final Pricing pricing;
  private final Clock clock;
  private final Map<Hash, Watch> watches = new ConcurrentHashMap<>();
  private final Map<Hash, ReentrantLock> locks = new ConcurrentHashMap<>();
  private volatile Consumer<Hash> approved = _ -> {};
  private volatile boolean stopping;

  Proofs(
      NodeConfig config,
      JobStore store,
      MilestoneStore milestones,
      Blobs blobs,
      ChainLink chain,
      AccountKey key,
      Pricing pricing,
      Clock clock) {
    this.config = config;
    this.store = store;
    this.milestones = milestones;
    this.blobs = blobs;
    this.chain = chain;
    this.key = key;
    this.pricing = pricing;
    this.clock = clock;
  }

  @Override
  public String name() {
    return "proofs";
  }

  @Override
  public void start() {
    // Jobs are watched as they are taken up.
  }

  @Override
  public void stop() {
    stopping = true;
    watches.values().forEach(watch -> watch.thread.interrupt());
    for (Watch watch : watches.values()) {
      try {
        watch.thread.join(SLOWLY);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /// Says who hears that a milestone of a job was approved.
  void onApproved(Consumer<Hash> listener) {
    approved = listener;
  }

  /// What is left to do with a job's milestones.
  enum Rest {
    /// All of the job's are paid.
    PAID,
    /// All that can be is; the others cannot be proven any more.
    OVER,
    /// Something is.
    OPEN
  }

  /// A worker has reached a milestone that is not its job's end.
  void reached(JobRow row, WorkerDescription worker, RunEvent.Milestone milestone) {
    Optional<MilestoneRow> known = milestones.find(row.id(), milestone.number());
    if (known.isPresent()) {
      return;
    }
    Job job = row.job();
    FolderManifest output = blobs.importFolder(milestone.folder());
    Optional<Hash> _ = OutputFolders.keepModel(output, blobs);
    List<Hash> links = milestone.evidence().links();
    long now = clock.instant().getEpochSecond();
    long startedAt = row.startedAtSeconds().orElse(now);
    TokenAmount cost = pricing.price(job.task().kind(), milestone.meter(), job.priceMax());
    TokenAmount most = MilestoneTerms.share(job, milestone.number());
    Optional<MilestoneRow> before = milestones.find(row.id(), milestone.number() - 1);
    Receipt receipt =
        new Receipt(
            row.id(),
            key.address(),
            milestone.model(),
            milestone.meter(),
            links.getLast(),
            CommitmentChain.rootOf(links),
            output.root(),
            worker.deviceName(),
            job.profile(),
            startedAt,
            Math.max(now, startedAt),
            atLeast(before, cost.compareTo(most) < 0 ? cost : most));
    var domain = chain.contracts().domain();
    ReceiptFile file =
        new ReceiptFile(domain, row.signed(), receipt.sign(key, domain), milestone.evidence());
    MilestoneRow reached =
        MilestoneRow.reached(
            row.id(),
            milestone.number(),
            receipt.meter().steps(),
            receipt.hash(),
            receipt.price(),
            before,
            receipt.output(),
            clock.instant());
    if (milestones.reached(reached, Optional.of(ProtocolJson.write(file)))) {
      tell(
          row.id(),
          "milestone %d of %d is reached with step %d, %s is due"
              .formatted(
                  reached.number(),
                  MilestoneTerms.count(job),
                  reached.steps(),
                  reached.amountDue()));
    }
    watch(row.id());
  }

  /// What a job's last receipt asks for: its price, and no less than its milestones before, also
  /// where prices were lowered meanwhile.
  TokenAmount priceOf(Job job, TokenAmount price) {
    return atLeast(milestones.find(job.id(), MilestoneTerms.count(job) - 1), price);
  }

  private static TokenAmount atLeast(Optional<MilestoneRow> before, TokenAmount price) {
    return before.map(MilestoneRow::price).filter(p -> p.compareTo(price) > 0).orElse(price);
  }

  /// The job is done: its receipt is its last milestone.
  void finished(JobRow row) {
    JobRow.Completion completion = row.completion().orElseThrow();
    int number = MilestoneTerms.count(row.job());
    if (milestones.find(row.id(), number).isPresent()) {
      return;
    }
    milestones.reached(
        MilestoneRow.reached(
            row.id(),
            number,
            completion.meter().steps(),
            completion.receiptHash(),
            completion.price(),
            milestones.find(row.id(), number - 1),
            completion.output(),
            clock.instant()),
        Optional.empty());
  }

  @Override
  public Optional<Reached> next(Hash job, int after) {
    return milestones
        .receipt(job, Math.max(0, after) + 1)
        .map(receipt -> new Reached(Math.max(0, after) + 1, ByteString.copyFrom(receipt)));
  }

  @Override
  public Optional<String> approve(Hash job, int number, Signature signature) {
    Optional<JobRow> row = store.find(job);
    Optional<MilestoneRow> milestone = milestones.find(job, number);
    if (row.isEmpty() || milestone.isEmpty()) {
      return Optional.of("Milestone %d of the job %s is not reached.".formatted(number, job));
    }
    Approval approval = milestone.get().approvalTo(key.address());
    Address requester = row.get().job().requester();
    if (!approval.isSignedBy(requester, signature, chain.contracts().domain())) {
      return Optional.of(
          "The approval is not signed by %s for milestone %d with the proof %s and %s due."
              .formatted(requester, number, approval.proofRoot(), approval.amountDue()));
    }
    if (milestone.get().approval().isEmpty()) {
      milestones.approved(job, number, signature);
    }
    Watch watch = watches.get(job);
    if (watch != null) {
      watch.wake.release();
    }
    approved.accept(job);
    return Optional.empty();
  }

  /// Whether a milestone that was reached has yet to be proven, and can be.
  boolean isProvable(JobRow row, Escrow escrow) {
    return escrow.status() == EscrowStatus.ACCEPTED
        && !isPastDeadline(row)
        && milestones.of(row.id()).stream().anyMatch(m -> m.number() > escrow.proven());
  }

  /// Takes the next step with each milestone of a job that has one left.
  ///
  /// @param ended whether the job ended without a result, so that nothing waits for approval
  /// @throws LedgerException if the chain is away, or a transaction takes its time
  Rest advance(JobRow row, boolean ended) {
    ReentrantLock lock = locks.computeIfAbsent(row.id(), _ -> new ReentrantLock());
    lock.lock();
    try {
      Rest rest = steps(row, ended);
      if (rest != Rest.OPEN) {
        locks.remove(row.id(), lock);
      }
      return rest;
    } finally {
      lock.unlock();
    }
  }

  private Rest steps(JobRow row, boolean ended) {
    EscrowClient escrows = chain.require().escrow();
    boolean open = false;
    boolean lost = false;
    for (MilestoneRow milestone : milestones.of(row.id())) {
      if (milestone.paid()) {
        continue;
      }
      Optional<Escrow> found = escrows.escrow(row.job().requester(), row.id());
      if (found.isEmpty()) {
        // The endpoint is behind, or a reorganisation has taken it back for now.
        return Rest.OPEN;
      }
      Escrow escrow = found.get();
      try {
        boolean done =
            milestone.number() <= escrow.proven()
                ? pay(row, milestone, escrows)
                : prove(row, milestone, escrow, escrows, ended);
        if (done) {
          paid(row, milestone);
        } else if (milestone.number() > escrow.proven()
            && (escrow.status() != EscrowStatus.ACCEPTED || isPastDeadline(row))) {
          lost = true;
        } else {
          open = true;
        }
      } catch (TransactionRefusedException | TransactionFailedException e) {
        // Most likely the requester was faster, or the chain's clock is behind ours.
        LOG.info("milestone {} of job {} waits: {}", milestone.number(), row.id(), e.getMessage());
        open = true;
      }
    }
    if (open) {
      return Rest.OPEN;
    }
    List<MilestoneRow> all = milestones.of(row.id());
    return !lost && all.size() == MilestoneTerms.count(row.job()) ? Rest.PAID : Rest.OVER;
  }

  /// Proves a milestone, and is paid for it at once where its requester has approved of it.
  ///
  /// @return whether it is paid
  private boolean prove(
      JobRow row, MilestoneRow milestone, Escrow escrow, EscrowClient escrows, boolean ended) {
    boolean next =
        escrow.status() == EscrowStatus.ACCEPTED
            && milestone.number() == escrow.proven() + 1
            && !isPastDeadline(row);
    if (!next) {
      return false;
    }
    if (milestone.approval().isPresent()) {
      escrows.settle(
          row.job().requester(), milestone.approvalTo(key.address()), milestone.approval().get());
      return true;
    }
    if (ended || isUrgent(row, milestone)) {
      escrows.submitProof(
          row.job().requester(),
          row.id(),
          milestone.number(),
          milestone.proof(),
          milestone.amountDue());
    }
    return false;
  }

  private boolean isUrgent(JobRow row, MilestoneRow milestone) {
    Instant now = clock.instant();
    return !now.isBefore(
            milestone.reachedAt().plusSeconds(config.provider().approvalPatienceSeconds()))
        || now.getEpochSecond()
            >= row.job().deadlineSeconds() - 2 * ChainLink.settleMargin(config).toSeconds();
  }

  /// Sees a milestone paid that is proven.
  ///
  /// @return whether it is
  private boolean pay(JobRow row, MilestoneRow milestone, EscrowClient escrows) {
    Address requester = row.job().requester();
    int number = milestone.number();
    Optional<Milestone> proven = escrows.milestone(requester, row.id(), number);
    // One that was settled in one step leaves nothing behind.
    Milestone.Status status = proven.map(Milestone::status).orElse(Milestone.Status.PAID);
    return switch (status) {
      case PROVEN -> {
        if (milestone.approval().isPresent()) {
          escrows.settle(
              requester, milestone.approvalTo(key.address()), milestone.approval().get());
          yield true;
        }
        if (clock.instant().isAfter(proven.orElseThrow().since().plus(escrows.challengeTime()))) {
          escrows.release(requester, row.id(), number);
          yield true;
        }
        yield false;
      }
      case DISPUTED -> {
        milestones.judged(
            row.id(),
            number,
            MilestoneRow.Verdict.FALSE,
            "its requester disputes it",
            Optional.empty());
        yield false;
      }
      case PAID -> escrows.isPaid(requester, row.id(), number, confirmations());
    };
  }

  private void paid(JobRow row, MilestoneRow milestone) {
    boolean _ = milestones.paid(row.id(), milestone.number());
    // What a referee has ruled is not known here, so that a dispute's money is not counted.
    TokenAmount sum =
        milestones.of(row.id()).stream()
            .filter(m -> m.paid() && m.verdict() != MilestoneRow.Verdict.FALSE)
            .map(MilestoneRow::amountDue)
            .reduce(TokenAmount.ZERO, TokenAmount::plus);
    store.paid(row.id(), sum);
    boolean disputed =
        milestones.find(row.id(), milestone.number()).orElseThrow().verdict()
            == MilestoneRow.Verdict.FALSE;
    tell(
        row.id(),
        "milestone %d of %d %s"
            .formatted(
                milestone.number(),
                MilestoneTerms.count(row.job()),
                disputed ? "is not disputed any more" : "is paid: " + milestone.amountDue()));
  }

  private int confirmations() {
    return Math.max(1, config.chain().confirmations());
  }

  private boolean isPastDeadline(JobRow row) {
    return clock.instant().getEpochSecond() >= row.job().deadlineSeconds();
  }

  private void tell(Hash job, String sentence) {
    LOG.info("job {}: {}", job, sentence);
    store.note(
        job,
        JobEvent.Type.NOTE,
        JsonNodeFactory.instance.objectNode().put("message", sentence).toString(),
        0);
  }

  /// Looks after the milestones of a job while it runs; after that its driver does.
  void watch(Hash job) {
    if (!stopping && !milestones.of(job).isEmpty()) {
      watches.computeIfAbsent(job, Watch::new).begin();
    }
  }

  private final class Watch {
    private final Hash job;
    private final Semaphore wake = new Semaphore(0);
    private final Thread thread;
    private boolean begun;
    private String lastTrouble = "";

    Watch(Hash job) {
      this.job = job;
      this.thread =
          Thread.ofVirtual().name("proofs-" + job.hex().substring(2, 10)).unstarted(this::run);
    }

    synchronized void begin() {
      if (begun) {
        wake.release();
      } else {
        begun = true;
        thread.start();
      }
    }

    private void run() {
      try {
        Optional<JobRow> row = store.find(job);
        while (!stopping && row.isPresent() && row.get().state() instanceof JobState.Running) {
          look(row.get());
          if (wake.tryAcquire(SLOWLY.toMillis(), TimeUnit.MILLISECONDS)) {
            wake.drainPermits();
          }
          row = store.find(job);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        watches.remove(job, this);
      }
    }

    private void look(JobRow row) {
      if (milestones.of(job).stream().allMatch(MilestoneRow::paid)) {
        return;
      }
      try {
        Rest _ = advance(row, false);
        lastTrouble = "";
      } catch (LedgerException e) {
        String trouble = String.valueOf(e.getMessage());
        if (!trouble.equals(lastTrouble)) {
          LOG.warn("the milestones of job {} wait: {}", job, trouble);
          lastTrouble = trouble;
        }
      }
    }
  }
}
