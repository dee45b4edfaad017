package io.rigmesh.node.requester;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.chain.ChainHead;
import io.rigmesh.ledger.escrow.Escrow;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.escrow.Milestone;
import io.rigmesh.ledger.intent.IntentState;
import io.rigmesh.ledger.intent.IntentStore;
import io.rigmesh.node.Service;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.pay.MilestoneTerms;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.MilestoneRow;
import io.rigmesh.node.store.MilestoneStore;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.JobState;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Looks at the escrows of this node's jobs on the chain, in whatever state the jobs are and
/// whatever their providers say or do not say, and does what needs nobody's answer: a proof that is
/// false, or that nobody has told of in time, is laid before the referee where there is one, a
/// dispute without a ruling is ended, and what nobody can prove any more comes back. So no provider
/// gains by keeping a job's driver waiting.
final class EscrowGuard implements Service {
  private static final Logger LOG = LoggerFactory.getLogger(EscrowGuard.class);

  private static final Duration LOOK_MIN = Duration.ofSeconds(1);
  private static final Duration LOOK_MAX = Duration.ofSeconds(60);
  private static final Duration RETRY = Duration.ofSeconds(5);

  /// How many escrows are looked at at a time, since a transaction takes its time.
  private static final int AT_ONCE = 8;

  private final JobStore store;
  private final MilestoneStore milestones;
  private final ChainLink chain;
  private final Address account;
  private final Moves moves;
  private final Consumer<Hash> stopper;
  private final Instant madeAt;
  private volatile @Nullable Thread thread;

  /// The guard of an account's escrows.
  ///
  /// @param stopper hears of a running job of which something was disputed
  EscrowGuard(
      JobStore store,
      MilestoneStore milestones,
      ChainLink chain,
      Address account,
      Moves moves,
      Consumer<Hash> stopper) {
    this.store = store;
    this.milestones = milestones;
    this.chain = chain;
    this.account = account;
    this.moves = moves;
    this.stopper = stopper;
    this.madeAt = moves.now();
  }

  @Override
  public String name() {
    return "escrow-guard";
  }

  @Override
  public void start() {
    thread = Thread.ofVirtual().name("escrow-guard").start(this::run);
  }

  @Override
  public void stop() {
    Thread running = thread;
    if (running != null) {
      running.interrupt();
      try {
        running.join(RETRY);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private void run() {
    try {
      while (true) {
        Thread.sleep(round());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Looks at every escrow once.
  ///
  /// @return how long until that is due again: an eighth of the challenge time, so that a proof is
  ///   seen long before it cannot be disputed any more
  private Duration round() {
    try {
      EscrowClient escrows = chain.require().escrow();
      try (ExecutorService threads =
          Executors.newFixedThreadPool(AT_ONCE, Thread.ofVirtual().factory())) {
        for (JobRow row : store.unfinished(JobRole.REQUESTER)) {
          if (isGuarded(row)) {
            threads.execute(() -> look(row, escrows));
          }
        }
      }
      Duration eighth = escrows.challengeTime().dividedBy(8);
      Duration least = eighth.compareTo(LOOK_MIN) < 0 ? LOOK_MIN : eighth;
      return least.compareTo(LOOK_MAX) > 0 ? LOOK_MAX : least;
    } catch (LedgerException e) {
      LOG.debug("the escrows of this node's jobs are looked at later: {}", e.getMessage());
    } catch (RuntimeException e) {
      LOG.error("looking at the escrows of this node's jobs failed", e);
    }
    return RETRY;
  }

  private static boolean isGuarded(JobRow row) {
    return row.job().task().kind().paidBy() == JobKind.Money.ESCROW
        && !(row.state() instanceof JobState.Signed);
  }

  private void look(JobRow row, EscrowClient escrows) {
    try {
      Optional<Escrow> escrow = escrows.escrow(account, row.id());
      if (escrow.isPresent()) {
        boolean _ = attend(row, escrow.get(), escrows);
      }
    } catch (LedgerException e) {
      LOG.info("the escrow of job {} is looked at again: {}", row.id(), e.getMessage());
    } catch (RuntimeException e) {
      LOG.error("looking at the escrow of job {} failed", row.id(), e);
    }
  }

  /// Does what is due by now with an escrow.
  ///
  /// @return whether what was not proven has come back
  /// @throws LedgerException if the chain is away, or a transaction takes its time
  boolean attend(JobRow row, Escrow escrow, EscrowClient escrows) {
    // These first, since they have little time.
    if (escrow.paid() < escrow.proven() && escrows.referee().isPresent()) {
      for (int number = 1; number <= escrow.proven(); number++) {
        Optional<Milestone> proof = escrows.milestone(account, row.id(), number);
        if (proof.isPresent()) {
          judge(row, number, proof.get(), escrows);
        }
      }
    }
    return refund(row, escrow, escrows);
  }

  private boolean refund(JobRow row, Escrow escrow, EscrowClient escrows) {
    // A provider gives a job back by itself that it could not finish.
    boolean due =
        (row.state() instanceof JobState.Disputed || row.state().isFinal())
            ? moves.isPastDeadline(row)
            : moves.isLongPastDeadline(row);
    if (!escrow.isOpen() || !due) {
      return false;
    }
    try {
      escrows.refund(account, row.id());
      return true;
    } catch (TransactionRefusedException | TransactionFailedException e) {
      // The chain's clock may be behind ours, or the provider was faster.
      LOG.info("the money of job {} has not come back yet: {}", row.id(), e.getMessage());
      return false;
    }
  }

  private void judge(JobRow row, int number, Milestone proof, EscrowClient escrows) {
    Optional<MilestoneRow> here = milestones.find(row.id(), number);
    try {
      switch (proof.status()) {
        case PROVEN -> {
          boolean same = here.isPresent() && isSame(proof, here.get());
          boolean exact = same && here.get().verdict() == MilestoneRow.Verdict.EXACT;
          // What its provider has not told, or nobody has judged, may yet be good, as long as there
          // is time to dispute it.
          boolean wrong = here.isPresent() && (!same || isFalse(row, number));
          Duration challenge = escrows.challengeTime();
          boolean open = now().isBefore(proof.since().plus(challenge));
          if (open && (wrong || (!exact && isLate(proof, challenge)))) {
            LOG.warn("milestone {} of job {} is laid before the referee", number, row.id());
            escrows.dispute(row.id(), number);
            stopper.accept(row.id());
          }
        }
        case DISPUTED -> {
          if (!now().isBefore(proof.since().plus(escrows.disputeTime()))) {
            escrows.expireDispute(account, row.id(), number);
          }
        }
        case PAID -> {}
      }
    } catch (TransactionRefusedException
        | TransactionFailedException
        | TransactionPendingException e) {
      LOG.info("milestone {} of job {}: {}", number, row.id(), e.getMessage());
    }
  }

  /// Whether a milestone was found to be false, or one before it, behind which nothing is judged.
  private boolean isFalse(JobRow row, int number) {
    return milestones.of(row.id()).stream()
        .anyMatch(m -> m.number() <= number && m.verdict() == MilestoneRow.Verdict.FALSE);
  }

  /// Half of the challenge time is over; of a proof that this node finds when it comes back, so
  /// much time has passed that its provider could have told of it.
  private boolean isLate(Milestone proof, Duration challenge) {
    Instant half = proof.since().plus(challenge.dividedBy(2));
    Instant last = proof.since().plus(challenge.multipliedBy(3).dividedBy(4));
    Instant back = madeAt.plus(challenge.dividedBy(8));
    Instant grace = back.isBefore(last) ? back : last;
    return now().isAfter(half.isAfter(grace) ? half : grace);
  }

  /// The chain decides by its own clock, and ours may be behind it.
  private Instant now() {
    Instant here = moves.now();
    return chain
        .view()
        .head()
        .map(ChainHead::timestamp)
        .filter(head -> head.isAfter(here))
        .orElse(here);
  }

  static boolean isSame(Milestone proof, MilestoneRow milestone) {
    return proof.proofRoot().equals(milestone.proof())
        && proof.amountDue().equals(milestone.amountDue());
  }

  /// The first part of a job that this node has laid before the referee.
  OptionalInt disputed(JobRow row) {
    return IntStream.rangeClosed(1, MilestoneTerms.count(row.job()))
        .filter(number -> isDisputed(chain, row, number))
        .findFirst();
  }

  /// Whether this node has laid a part of a job before the referee, and was not refused.
  static boolean isDisputed(ChainLink chain, JobRow row, int number) {
    String key = EscrowClient.disputeKey(row.job().requester(), row.id(), number);
    IntentStore intents = chain.intents();
    // The first, and those that were sent anew where it had no effect.
    return Stream.concat(intents.find(key).stream(), intents.list(key + ":again-").stream())
        .anyMatch(intent ->
            !(intent.state() instanceof IntentState.Refused
                || intent.state() instanceof IntentState.Reverted));
  }
}
