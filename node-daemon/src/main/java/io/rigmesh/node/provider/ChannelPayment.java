package io.rigmesh.node.provider;

import io.rigmesh.ledger.channel.Admission;
import io.rigmesh.ledger.channel.ChannelException;
import io.rigmesh.ledger.channel.PayeeBook;
import io.rigmesh.ledger.channel.Taking;
import io.rigmesh.node.config.ChannelsConfig;
import io.rigmesh.node.jobs.RefusedException;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.pay.Due;
import io.rigmesh.node.pay.Tariff;
import io.rigmesh.node.pay.Till;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.pricing.Pricing;
import java.math.BigInteger;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Money that comes by vouchers of a payment channel while the work is done, which [ChannelWork]
/// lets go no further than its credit.
final class ChannelPayment implements Payment, Till {
  private static final Logger LOG = LoggerFactory.getLogger(ChannelPayment.class);

  /// How a job is said to have ended that nobody paid for.
  private static final String UNPAID = "unpaid: ";

  /// How long a channel's room is held behind a job's deadline.
  private static final Duration LATE_MAX = Duration.ofSeconds(60);

  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

  private final ChannelsConfig config;
  private final JobStore store;
  private final PayeeBook book;
  private final Address account;
  private final Address token;
  private final Pricing pricing;
  private final ChannelWork work;
  private final Moves moves;
  private final Clock clock;

  /// What channels were forgiven of the debts of jobs without a result, since this process began.
  private final Map<Hash, TokenAmount> forgiven = new ConcurrentHashMap<>();

  private volatile Consumer<Hash> paid = _ -> {};

  ChannelPayment(
      ChannelsConfig config,
      JobStore store,
      PayeeBook book,
      Address account,
      Address token,
      Pricing pricing,
      Moves moves,
      Clock clock) {
    this.config = config;
    this.store = store;
    this.book = book;
    this.account = account;
    this.token = token;
    this.pricing = pricing;
    this.work = new ChannelWork(config, book, pricing, clock);
    this.moves = moves;
    this.clock = clock;
  }

  /// Says who hears that a job may have been paid.
  void onPaid(Consumer<Hash> listener) {
    paid = listener;
  }

  @Override
  public Optional<ChannelTerms> requireFunds(Job job, Optional<ChannelTerms> channel) {
    ChannelTerms terms =
        channel.orElseThrow(() ->
            new RefusedException(
                RefusalCode.NOT_FUNDED,
                "jobs of kind "
                    + job.task().kind().id()
                    + " are paid through a channel; name one to "
                    + account
                    + " with "
                    + job.priceMax()
                    + " to spare in the token "
                    + token));
    if (!terms.payer().equals(job.requester()) && !terms.signer().equals(job.requester())) {
      throw new RefusedException(
          RefusalCode.NOT_FUNDED,
          "the channel "
              + terms.id()
              + " is neither its requester's nor signed for by it; name one of "
              + job.requester());
    }
    TokenAmount lost = forgiven.getOrDefault(terms.id(), TokenAmount.ZERO);
    if (lost.compareTo(config.creditLimit()) > 0) {
      throw new RefusedException(
          RefusalCode.UNPAID,
          "jobs of the channel "
              + terms.id()
              + " that ended without a result have cost "
              + lost
              + " unpaid, above the credit limit of "
              + config.creditLimit()
              + "; leave it and open another");
    }
    switch (book.admit(terms, job.id(), job.priceMax(), until(job))) {
      case Admission.Refused(Refusal refusal) -> throw new RefusedException(refusal);
      case Admission.Admitted(_, TokenAmount owed) -> {
        if (owed.compareTo(config.creditLimit()) > 0) {
          forget(job.id());
          throw new RefusedException(
              RefusalCode.UNPAID,
              "the channel "
                  + terms.id()
                  + " owes "
                  + owed
                  + ", above the credit limit of "
                  + config.creditLimit()
                  + "; send a voucher for it first");
        }
      }
    }
    return Optional.of(terms);
  }

  @Override
  public Optional<Signature> acceptance(Job job) {
    return Optional.empty();
  }

  @Override
  public void forget(Hash job) {
    try {
      book.owe(job, TokenAmount.ZERO);
      book.end(job);
    } catch (ChannelException e) {
      LOG.debug("job {} was known to no channel", job, e);
    }
  }

  @Override
  public Optional<Refusal> bind(JobRow row) {
    ChannelTerms terms = terms(row);
    return switch (book.admit(terms, row.id(), row.job().priceMax(), until(row.job()))) {
      case Admission.Refused(Refusal refusal) -> Optional.of(refusal);
      case Admission.Admitted _ -> Optional.empty();
    };
  }

  @Override
  public Metering meter(JobRow row) {
    return work.meter(row.job(), terms(row).id());
  }

  @Override
  public Pause pause(JobRow row) {
    return work.pause(row.id(), UNPAID);
  }

  @Override
  public Optional<Tariff> tariff(Job job) {
    JobKind kind = job.task().kind();
    return kind.paidBy() == JobKind.Money.CHANNEL
        ? Optional.ofNullable(pricing.rates().get(kind))
            .map(rate -> new Tariff(rate, pricing.minimum(), config.creditLimit()))
        : Optional.empty();
  }

  @Override
  public Optional<Due> due(Hash job, TokenAmount told) {
    return work.due(job, told);
  }

  @Override
  public Taking take(Hash job, io.rigmesh.ledger.channel.Payment payment) {
    Optional<ChannelTerms> terms = store.find(job).flatMap(JobRow::channel);
    Hash channel = payment.voucher().voucher().channel();
    if (terms.isEmpty() || !terms.get().id().equals(channel)) {
      return new Taking.Refused(
          "The job %s is paid by %s, and this voucher is of the channel %s."
              .formatted(
                  job, terms.map(t -> "the channel " + t.id()).orElse("no channel"), channel));
    }
    Taking taking = book.take(payment);
    if (taking instanceof Taking.Taken(TokenAmount more, _)
        && more.compareTo(TokenAmount.ZERO) > 0) {
      work.lookAgain(channel);
      paid.accept(job);
      work.jobs(channel).forEach(paid);
      store.completedOn(terms.get()).forEach(row -> paid.accept(row.id()));
    }
    return taking;
  }

  @Override
  public synchronized Step collect(JobRow row) {
    TokenAmount price = row.completion().orElseThrow().price();
    Hash channel = terms(row).id();
    try {
      book.owe(row.id(), price);
      book.end(row.id());
    } catch (ChannelException e) {
      LOG.debug("the debt of job {} is fixed already", row.id(), e);
    }
    work.end(row.id());
    work.lookAgain(channel);
    if (isCovered(row)) {
      store.paid(row.id(), price);
      work.forget(row.id());
      return moves.move(row, Transition.to(new JobState.Settled()));
    }
    if (clock.instant().getEpochSecond()
        >= row.job().deadlineSeconds() + config.patienceSeconds()) {
      LOG.warn("nobody has paid for job {}; the channel {} still owes it", row.id(), channel);
      work.forget(row.id());
      return moves.move(row, Transition.to(new JobState.Expired()));
    }
    return new Step.Wait(LOOK_AGAIN);
  }

  /// Whether what the channel's newest voucher promises is enough for this job beside all that are
  /// settled: what is still owed is owed by others.
  private boolean isCovered(JobRow row) {
    return unpaid(row).equals(TokenAmount.ZERO);
  }

  /// What of a channel's debt is this job's.
  private TokenAmount unpaid(JobRow row) {
    Hash channel = terms(row).id();
    BigInteger others = BigInteger.ZERO;
    for (JobRow other : store.completedOn(terms(row))) {
      if (!other.id().equals(row.id())) {
        others = others.add(other.completion().orElseThrow().price().units());
      }
    }
    others = others.add(work.owedByOthers(channel, row.id()));
    return new TokenAmount(book.unpaid(channel).units().subtract(others).max(BigInteger.ZERO));
  }

  /// What nobody has paid for of a job without a result is not asked for any more, unless that is
  /// why it has none. How much a channel is forgiven so is bounded, since a requester can bring it
  /// about by its model or its deadline.
  @Override
  public synchronized Step giveBack(JobRow row) {
    TokenAmount open = row.channel().isPresent() ? unpaid(row) : TokenAmount.ZERO;
    Optional<TokenAmount> owed = work.forget(row.id());
    boolean owing =
        row.state() instanceof JobState.Failed(String reason) && reason.startsWith(UNPAID);
    try {
      if (owed.isPresent() && !owing) {
        TokenAmount gone = owed.get().compareTo(open) < 0 ? owed.get() : open;
        book.owe(row.id(), owed.get().minus(gone));
        forgiven.merge(terms(row).id(), gone, TokenAmount::plus);
      }
      book.end(row.id());
    } catch (ChannelException e) {
      LOG.debug("job {} owes nothing any more", row.id(), e);
    }
    row.channel().ifPresent(terms -> work.lookAgain(terms.id()));
    store.closed(row.id());
    return new Step.Moved();
  }

  private static Instant until(Job job) {
    return Instant.ofEpochSecond(job.deadlineSeconds()).plus(LATE_MAX);
  }

  private static ChannelTerms terms(JobRow row) {
    return row.channel()
        .orElseThrow(
            () -> new IllegalStateException("job " + row.id() + " was taken without a channel"));
  }
}
