package io.rigmesh.node.provider;

import io.rigmesh.ledger.channel.Admission;
import io.rigmesh.ledger.channel.ChannelException;
import io.rigmesh.ledger.channel.PayeeBook;
import io.rigmesh.ledger.channel.Taking;
import io.rigmesh.node.config.ChannelsConfig;
import io.rigmesh.node.jobs.JobRole;
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
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.pricing.Pricing;
import java.math.BigInteger;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Money that comes by vouchers of a payment channel while the work is done. What the jobs of one
/// channel owe together stays below the credit limit: work above it pauses until a voucher comes,
/// and ends where none does.
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
  private final Moves moves;
  private final Clock clock;
  private volatile Consumer<Hash> paid = _ -> {};

  private final Map<Hash, Running> running = new ConcurrentHashMap<>();

  /// What the channels owed when somebody looked last.
  private final Map<Hash, TokenAmount> unpaid = new ConcurrentHashMap<>();

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
    this.moves = moves;
    this.clock = clock;
  }

  /// A job that is being computed.
  ///
  /// @param channel what pays for it
  /// @param due what it owes
  /// @param looked what it owed when its channel was looked at last
  /// @param pausedAt since when it has to wait for money
  private record Running(Hash channel, Due due, TokenAmount looked, Optional<Instant> pausedAt) {}

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
  public boolean charge(JobRow row, Meter meter) {
    Job job = row.job();
    TokenAmount price = pricing.price(job.task().kind(), meter, job.priceMax());
    Hash channel = terms(row).id();
    Running before =
        running.computeIfAbsent(
            row.id(),
            _ ->
                new Running(
                    channel,
                    new Due(new Meter(0, 0, 0), TokenAmount.ZERO),
                    TokenAmount.ZERO,
                    Optional.empty()));
    Due due = new Due(meter, price);
    if (price.compareTo(before.due().amount()) <= 0) {
      // A run that goes on says again what was charged before.
      return before.pausedAt().isEmpty();
    }
    book.owe(row.id(), price);
    // Looking reads the disk, so it is done where a good part of the credit may have been used.
    if (price.minus(before.looked()).compareTo(part(4)) < 0) {
      running.put(row.id(), new Running(channel, due, before.looked(), before.pausedAt()));
      return before.pausedAt().isEmpty();
    }
    TokenAmount owed = look(channel);
    boolean over = owed.compareTo(config.creditLimit()) > 0;
    Optional<Instant> pausedAt =
        over ? before.pausedAt().or(() -> Optional.of(clock.instant())) : Optional.empty();
    running.put(row.id(), new Running(channel, due, price, pausedAt));
    if (over && before.pausedAt().isEmpty()) {
      LOG.info("job {} pauses: its channel owes {}", row.id(), owed);
    }
    return !over;
  }

  @Override
  public Pause pause(JobRow row) {
    Running now = running.get(row.id());
    if (now == null || now.pausedAt().isEmpty()) {
      return new Pause.None();
    }
    TokenAmount owed = look(now.channel());
    if (owed.compareTo(config.creditLimit()) <= 0) {
      running.put(row.id(), new Running(now.channel(), now.due(), now.looked(), Optional.empty()));
      LOG.info("job {} goes on: its channel owes {}", row.id(), owed);
      return new Pause.None();
    }
    Instant end = now.pausedAt().get().plusSeconds(config.patienceSeconds());
    if (!clock.instant().isBefore(end)) {
      return new Pause.Over(
          UNPAID
              + "the channel "
              + now.channel()
              + " owes "
              + owed
              + ", above the credit limit of "
              + config.creditLimit()
              + ", and no voucher came in "
              + config.patienceSeconds()
              + " s");
    }
    return new Pause.Waiting(LOOK_AGAIN);
  }

  @Override
  public Optional<Tariff> tariff(Job job) {
    JobKind kind = job.task().kind();
    return kind.paidBy() == JobKind.Money.CHANNEL
        ? Optional.ofNullable(pricing.rates().get(kind))
            .map(rate -> new Tariff(rate, pricing.minimum(), config.creditLimit()))
        : Optional.empty();
  }

  /// A message a token would be more than either side wants; so it is told what comes to a part of
  /// the credit, and everything as soon as half of the credit is used.
  @Override
  public Optional<Due> due(Hash job, TokenAmount told) {
    Running now = running.get(job);
    if (now == null || now.due().amount().compareTo(told) <= 0) {
      return Optional.empty();
    }
    boolean much = now.due().amount().minus(told).compareTo(part(4)) >= 0;
    boolean urgent =
        now.pausedAt().isPresent()
            || unpaid.getOrDefault(now.channel(), TokenAmount.ZERO).compareTo(part(2)) > 0;
    return much || urgent ? Optional.of(now.due()) : Optional.empty();
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
      look(channel);
      paid.accept(job);
      running.forEach((other, at) -> {
        if (at.channel().equals(channel)) {
          paid.accept(other);
        }
      });
      completed(channel).forEach(row -> paid.accept(row.id()));
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
    running.remove(row.id());
    if (isCovered(row, channel)) {
      store.paid(row.id(), price);
      return moves.move(row, Transition.to(new JobState.Settled()));
    }
    if (clock.instant().getEpochSecond()
        >= row.job().deadlineSeconds() + config.patienceSeconds()) {
      LOG.warn("nobody has paid for job {}; the channel {} still owes it", row.id(), channel);
      return moves.move(row, Transition.to(new JobState.Expired()));
    }
    return new Step.Wait(LOOK_AGAIN);
  }

  /// Whether what the channel's newest voucher promises is enough for this job beside all that are
  /// settled: what is still owed is owed by others.
  private boolean isCovered(JobRow row, Hash channel) {
    BigInteger others = BigInteger.ZERO;
    for (JobRow other : completed(channel)) {
      if (!other.id().equals(row.id())) {
        others = others.add(other.completion().orElseThrow().price().units());
      }
    }
    for (Running other : running.values()) {
      if (other.channel().equals(channel)) {
        others = others.add(other.due().amount().units());
      }
    }
    return look(channel).units().compareTo(others) <= 0;
  }

  private List<JobRow> completed(Hash channel) {
    return store.unfinished(JobRole.PROVIDER).stream()
        .filter(row -> row.state() instanceof JobState.Completed)
        .filter(row -> row.channel().map(t -> t.id().equals(channel)).orElse(false))
        .toList();
  }

  /// What nobody has paid for of a job without a result is not asked for any more, unless that is
  /// why it has none.
  @Override
  public synchronized Step giveBack(JobRow row) {
    Running last = running.remove(row.id());
    boolean owing =
        row.state() instanceof JobState.Failed(String reason) && reason.startsWith(UNPAID);
    try {
      if (last != null && !owing) {
        TokenAmount owed = last.due().amount();
        TokenAmount open = look(last.channel());
        book.owe(row.id(), owed.compareTo(open) > 0 ? owed.minus(open) : TokenAmount.ZERO);
      }
      book.end(row.id());
    } catch (ChannelException e) {
      LOG.debug("job {} owes nothing any more", row.id(), e);
    }
    store.closed(row.id());
    return new Step.Moved();
  }

  private TokenAmount look(Hash channel) {
    TokenAmount owed = book.unpaid(channel);
    unpaid.put(channel, owed);
    return owed;
  }

  /// So much of the credit, at least one unit.
  private TokenAmount part(int of) {
    return new TokenAmount(
        config.creditLimit().units().divide(BigInteger.valueOf(of)).max(BigInteger.ONE));
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
