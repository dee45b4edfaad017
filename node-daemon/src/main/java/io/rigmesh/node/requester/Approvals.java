package io.rigmesh.node.requester;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.escrow.Escrow;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.node.Service;
import io.rigmesh.node.blob.BlobException;
import io.rigmesh.node.blob.BlobRefusedException;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.network.blob.BlobNotHereException;
import io.rigmesh.node.network.job.JobFeed;
import io.rigmesh.node.pay.MilestoneTerms;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.MilestoneRow;
import io.rigmesh.node.store.MilestoneStore;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.worker.process.WorkerException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Judges the milestones of this node's jobs: each is fetched and audited by sample as it comes,
/// and what is exact is approved of by signature, on the job's stream. One that is false stops its
/// job. An approval is written down before it is sent, and sent again on every stream until the
/// provider has answered.
///
/// While a job is watched, a thread of its own judges, so that the job's events go on meanwhile;
/// later its driver does.
final class Approvals implements Service {
  private static final Logger LOG = LoggerFactory.getLogger(Approvals.class);
  private static final Duration RETRY = Duration.ofSeconds(5);

  private final NodeConfig config;
  private final JobStore store;
  private final MilestoneStore milestones;
  private final ChainLink chain;
  private final AccountKey key;
  private final Domain domain;
  private final Delivery delivery;
  private final Audit audit;
  private final Clock clock;
  private final Map<Hash, Watch> watches = new ConcurrentHashMap<>();
  private final Map<Hash, ReentrantLock> locks = new ConcurrentHashMap<>();
  private volatile boolean stopping;

  Approvals(
      NodeConfig config,
      JobStore store,
      MilestoneStore milestones,
      ChainLink chain,
      AccountKey key,
      Delivery delivery,
      Audit audit,
      Clock clock) {
    this.config = config;
    this.store = store;
    this.milestones = milestones;
    this.chain = chain;
    this.key = key;
    this.domain = chain.contracts().domain();
    this.delivery = delivery;
    this.audit = audit;
    this.clock = clock;
  }

  @Override
  public String name() {
    return "approvals";
  }

  @Override
  public void start() {
    // Jobs are attended to as their streams open.
  }

  @Override
  public void stop() {
    stopping = true;
    watches.values().forEach(watch -> watch.thread.interrupt());
    for (Watch watch : watches.values()) {
      try {
        watch.thread.join(RETRY);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /// A milestone that is not its job's end has come.
  ///
  /// @throws ProviderFaultException if it is none of this job by this provider
  void received(JobRow row, int number, byte[] json) {
    ReceiptFile file = ReceiptCheck.milestone(json, row, domain, number);
    Receipt receipt = file.receipt().receipt();
    Optional<MilestoneRow> before = milestones.find(row.id(), number - 1);
    if (number > 1 && before.isEmpty()) {
      throw new ProviderFaultException(
          "the provider proves milestone " + number + " before " + (number - 1));
    }
    boolean fresh =
        milestones.reached(
            MilestoneRow.reached(
                row.id(),
                number,
                receipt.meter().steps(),
                receipt.hash(),
                receipt.price(),
                before,
                receipt.output(),
                clock.instant()),
            Optional.of(json));
    if (!fresh && !milestones.find(row.id(), number).orElseThrow().proof().equals(receipt.hash())) {
      throw new ProviderFaultException(
          "the provider has signed two different receipts for milestone " + number);
    }
    Watch watch = watches.get(row.id());
    if (watch != null) {
      watch.wake.release();
    }
  }

  /// Judges on a stream what is not judged yet, and says on it what was not answered to yet.
  void attend(JobRow row, JobFeed feed) {
    if (!stopping) {
      Watch watch = new Watch(row.id(), feed);
      Watch old = watches.put(row.id(), watch);
      if (old != null) {
        old.thread.interrupt();
      }
      watch.thread.start();
    }
  }

  /// The stream is closed; what is being judged is judged to its end.
  void leave(JobRow row, JobFeed feed) {
    Watch watch = watches.get(row.id());
    if (watch != null && watch.feed.equals(feed)) {
      watch.closed = true;
      watch.wake.release();
    }
  }

  /// What was found to be wrong with a milestone of a job.
  Optional<String> fault(Hash job) {
    return milestones.of(job).stream()
        .filter(row -> row.verdict() == MilestoneRow.Verdict.FALSE)
        .map(MilestoneRow::reason)
        .findFirst();
  }

  /// Judges every milestone of a job that is not judged yet, in their order, up to one that is
  /// false.
  ///
  /// @return what is wrong with one of them
  /// @throws ProviderUnreachableException if what is to be judged cannot be fetched now
  /// @throws WorkerException if the audit was lost; it may be repeated
  Optional<String> judge(JobRow row) throws InterruptedException {
    ReentrantLock lock = locks.computeIfAbsent(row.id(), _ -> new ReentrantLock());
    lock.lockInterruptibly();
    try {
      for (MilestoneRow milestone : milestones.of(row.id())) {
        if (milestone.verdict() == MilestoneRow.Verdict.FALSE) {
          break;
        }
        if (milestone.verdict() == MilestoneRow.Verdict.OPEN) {
          judge(row, milestone);
        }
      }
      return fault(row.id());
    } finally {
      lock.unlock();
    }
  }

  private void judge(JobRow row, MilestoneRow milestone) throws InterruptedException {
    Optional<byte[]> receipt = milestones.receipt(row.id(), milestone.number());
    Optional<String> fault =
        receipt.isPresent() ? audited(row, milestone, receipt.get()) : settled(row);
    if (fault.isPresent()) {
      milestones.judged(
          row.id(), milestone.number(), MilestoneRow.Verdict.FALSE, fault.get(), Optional.empty());
      tell(row.id(), title(row, milestone.number()) + " is false: " + fault.get());
      return;
    }
    Signature approval = milestone.approvalTo(row.provider().orElseThrow()).sign(key, domain);
    milestones.judged(
        row.id(), milestone.number(), MilestoneRow.Verdict.EXACT, "", Optional.of(approval));
    tell(
        row.id(),
        title(row, milestone.number()) + " is approved of: " + milestone.amountDue() + " due");
  }

  private Optional<String> audited(JobRow row, MilestoneRow milestone, byte[] receipt)
      throws InterruptedException {
    Optional<String> contradiction = contradiction(row.id(), receipt, milestone.number());
    if (contradiction.isPresent()) {
      return contradiction;
    }
    try {
      Optional<Hash> _ = delivery.fetch(row, milestone.output());
    } catch (PeerMisbehaviourException | BlobRefusedException | MalformedException e) {
      return Optional.of("what it delivers is no good: " + e.getMessage());
    } catch (BlobNotHereException e) {
      if (!e.isPassing()) {
        return Optional.of("the provider does not have what its receipt names: " + e.getMessage());
      }
      throw new ProviderUnreachableException(String.valueOf(e.getMessage()), e);
    } catch (Libp2pException e) {
      throw new ProviderUnreachableException(
          "what milestone "
              + milestone.number()
              + " of job "
              + row.id()
              + " delivers cannot be fetched: "
              + e.getMessage(),
          e);
    }
    return audit.fault(
        row, "audit of " + title(row, milestone.number()), receipt, milestone.output());
  }

  private Optional<String> settled(JobRow row) throws InterruptedException {
    byte[] receipt = store.receipt(row.id()).orElseThrow();
    Optional<String> contradiction =
        contradiction(row.id(), receipt, MilestoneTerms.count(row.job()));
    return contradiction.isPresent() ? contradiction : audit.fault(row);
  }

  /// What a receipt and the one for the milestone before it say that cannot both be.
  private Optional<String> contradiction(Hash job, byte[] receipt, int number) {
    if (number == 1) {
      return Optional.empty();
    }
    Optional<byte[]> earlier = milestones.receipt(job, number - 1);
    if (earlier.isEmpty()) {
      return Optional.empty();
    }
    return ReceiptCheck.contradiction(
        ProtocolJson.readReceiptFile(earlier.get()), ProtocolJson.readReceiptFile(receipt), number);
  }

  /// The provider has answered to an approval.
  void heard(JobRow row, JobFeed.Next.Approved answer) {
    if (answer.refusal().isPresent()) {
      LOG.warn(
          "the approval of {} is not taken: {}",
          title(row, answer.milestone()),
          answer.refusal().get());
    } else {
      milestones.delivered(row.id(), answer.milestone());
    }
  }

  /// Says on a stream what its provider is not known to have.
  ///
  /// @return the last milestone whose approval was sent; 0 if none was
  int say(Hash job, JobFeed feed) {
    int last = 0;
    for (MilestoneRow row : milestones.of(job)) {
      if (row.approval().isPresent() && !row.delivered() && !row.paid()) {
        feed.approve(row.number(), row.approval().get());
        last = row.number();
      }
    }
    return last;
  }

  /// Writes down which parts of a job are paid, as the chain has it at the confirmation depth.
  ///
  /// @return whether all are that are proven
  boolean sawPaid(JobRow row, Escrow escrow, EscrowClient escrows) {
    TokenAmount sum = TokenAmount.ZERO;
    boolean all = true;
    int confirmations = Math.max(1, config.chain().confirmations());
    for (MilestoneRow milestone : milestones.of(row.id())) {
      int number = milestone.number();
      boolean paid =
          milestone.paid()
              || (number <= escrow.proven()
                  && escrows.isPaid(row.job().requester(), row.id(), number, confirmations));
      boolean disputed = EscrowGuard.isDisputed(chain, row, number);
      all &= paid || number > escrow.proven();
      // What came of a dispute is not known here.
      if (paid && !disputed) {
        sum = sum.plus(milestone.amountDue());
      }
      if (paid && !milestone.paid() && milestones.paid(row.id(), number)) {
        tell(
            row.id(),
            title(row, number)
                + (disputed
                    ? " is not disputed any more"
                    : " is paid for on the chain: " + milestone.amountDue()));
      }
    }
    if (sum.compareTo(row.paid()) > 0) {
      store.paid(row.id(), sum);
    }
    return all;
  }

  private static String title(JobRow row, int number) {
    return "milestone %d of %d".formatted(number, MilestoneTerms.count(row.job()));
  }

  private void tell(Hash job, String sentence) {
    LOG.info("job {}: {}", job, sentence);
    store.note(
        job,
        JobEvent.Type.NOTE,
        JsonNodeFactory.instance.objectNode().put("message", sentence).toString(),
        0);
  }

  private void seePaid(JobRow row) {
    try {
      EscrowClient escrows = chain.require().escrow();
      escrows
          .escrow(row.job().requester(), row.id())
          .ifPresent(escrow -> {
            boolean _ = sawPaid(row, escrow, escrows);
          });
    } catch (LedgerException e) {
      LOG.debug("whether the milestones of job {} are paid is not known now", row.id(), e);
    }
  }

  private final class Watch {
    private final Hash job;
    private final JobFeed feed;
    private final Semaphore wake = new Semaphore(0);
    private final Thread thread;
    private volatile boolean closed;

    Watch(Hash job, JobFeed feed) {
      this.job = job;
      this.feed = feed;
      this.thread =
          Thread.ofVirtual().name("approvals-" + job.hex().substring(2, 10)).unstarted(this::run);
    }

    private void run() {
      try {
        int _ = say(job, feed);
        while (!stopping && !closed) {
          Optional<JobRow> row = store.find(job);
          if (row.isEmpty() || !look(row.get())) {
            return;
          }
        }
      } catch (ProviderUnreachableException e) {
        LOG.debug("the approvals of job {} are said on its next stream", job, e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        watches.remove(job, this);
      }
    }

    /// Judges what is there, and waits for more; false once there is nothing more to wait for.
    private boolean look(JobRow row) throws InterruptedException {
      boolean open =
          milestones.of(job).stream().anyMatch(m -> m.verdict() == MilestoneRow.Verdict.OPEN);
      long patience = TimeUnit.DAYS.toMillis(1);
      if (open) {
        try {
          if (judge(row).isPresent()) {
            // Whoever reads the stream sees it end, and finds out why in the store.
            feed.cancel();
            return false;
          }
        } catch (ProviderUnreachableException
            | WorkerException
            | BlobException
            | UncheckedIOException e) {
          // Of these the last two are this machine's: a full disk, say.
          LOG.warn("the milestones of job {} cannot be judged yet: {}", job, e.getMessage());
          patience = RETRY.toMillis();
        }
        int _ = say(job, feed);
      }
      boolean owing =
          milestones.of(job).stream().anyMatch(m -> m.approval().isPresent() && !m.paid());
      if (owing) {
        seePaid(row);
        patience = RETRY.toMillis();
      }
      if (wake.tryAcquire(patience, TimeUnit.MILLISECONDS)) {
        wake.drainPermits();
      }
      return true;
    }
  }
}
