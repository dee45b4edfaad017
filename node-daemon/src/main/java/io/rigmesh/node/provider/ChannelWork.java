package io.rigmesh.node.provider;

import io.rigmesh.ledger.channel.PayeeBook;
import io.rigmesh.node.config.ChannelsConfig;
import io.rigmesh.node.pay.Due;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.pricing.Pricing;
import java.math.BigInteger;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The work that channels pay for, while it is done: what each job owes, how far it may go, and
/// since when it waits for money. Safe for use by several threads.
final class ChannelWork {
  private static final Logger LOG = LoggerFactory.getLogger(ChannelWork.class);
  private static final Duration LOOK_AGAIN = Duration.ofSeconds(1);

  private final ChannelsConfig config;
  private final PayeeBook book;
  private final Pricing pricing;
  private final Clock clock;
  private final Map<Hash, Account> accounts = new ConcurrentHashMap<>();
  private final Map<Hash, Account> accountOf = new ConcurrentHashMap<>();

  ChannelWork(ChannelsConfig config, PayeeBook book, Pricing pricing, Clock clock) {
    this.config = config;
    this.book = book;
    this.pricing = pricing;
    this.clock = clock;
  }

  /// One channel and its jobs. Guarded by itself.
  private final class Account {
    final Hash channel;
    final ChannelCredit credit = new ChannelCredit(config.creditLimit());
    final Map<Hash, Working> jobs = new LinkedHashMap<>();

    Account(Hash channel) {
      this.channel = channel;
    }

    void look() {
      credit.owes(book.unpaid(channel));
    }

    /// Allows what there is room for.
    void allowAll() {
      credit.inTurn().stream().map(jobs::get).filter(Objects::nonNull).forEach(this::allow);
    }

    void allow(Working working) {
      Hash job = working.job.id();
      if (working.allow.isEmpty()) {
        return;
      }
      long tokens = credit.allow(job);
      if (tokens > working.allowed) {
        working.allowed = tokens;
        working.allow.get().accept(tokens);
      }
      if (!credit.waits(job)) {
        working.waitsSince.ifPresent(
            _ -> LOG.debug("job {} goes on: its channel owes {}", job, credit.owes()));
        working.waitsSince = Optional.empty();
      }
    }
  }

  /// A job that is being computed, or was and is not paid for.
  private static final class Working {
    final Job job;
    Due due = new Due(new Meter(0, 0, 0), TokenAmount.ZERO);
    long promptTokens;
    boolean finished;
    Optional<Instant> waitsSince = Optional.empty();

    /// Who hears what it is allowed, while a worker has it.
    Optional<LongConsumer> allow = Optional.empty();

    /// What that was told last.
    long allowed = -1;

    Working(Job job) {
      this.job = job;
    }
  }

  /// How a run of a job is charged to its channel.
  Metering meter(Job job, Hash channel) {
    Account account = accounts.computeIfAbsent(channel, Account::new);
    accountOf.put(job.id(), account);
    synchronized (account) {
      return new Run(account, account.jobs.computeIfAbsent(job.id(), _ -> new Working(job)));
    }
  }

  private final class Run implements Metering {
    private final Account account;
    private final Working working;

    Run(Account account, Working working) {
      this.account = account;
      this.working = working;
    }

    @Override
    public boolean isLimited() {
      return true;
    }

    @Override
    public void begin(long promptTokens, LongConsumer allow) {
      synchronized (account) {
        working.promptTokens = promptTokens;
        working.allow = Optional.of(allow);
        working.allowed = -1;
        Hash job = working.job.id();
        account.credit.begin(
            job,
            book.owed(job),
            this::price,
            working.job.task().kind() == JobKind.GENERATE
                ? ChannelCredit.AHEAD_MADE_MAX
                : ChannelCredit.AHEAD_READ_MAX);
        goOnOrWait();
      }
    }

    private TokenAmount price(long tokens) {
      JobKind kind = working.job.task().kind();
      Meter meter =
          kind == JobKind.GENERATE
              ? new Meter(working.promptTokens, tokens, tokens)
              : new Meter(tokens, 0, 0);
      return pricing.price(kind, meter, working.job.priceMax());
    }

    @Override
    public void charge(Meter meter) {
      JobKind kind = working.job.task().kind();
      Hash job = working.job.id();
      synchronized (account) {
        TokenAmount more =
            account.credit.use(
                job, kind == JobKind.GENERATE ? meter.tokensOut() : meter.tokensIn());
        TokenAmount price = pricing.price(kind, meter, working.job.priceMax());
        if (price.compareTo(working.due.amount()) > 0) {
          working.due = new Due(meter, price);
        }
        if (more.compareTo(TokenAmount.ZERO) > 0) {
          book.owe(job, account.credit.owedBy(job));
        }
        goOnOrWait();
      }
    }

    private void goOnOrWait() {
      account.allow(working);
      Hash job = working.job.id();
      if (working.finished) {
        return;
      }
      if (account.credit.waits(job)) {
        // What is known may be older than what was paid.
        account.look();
        account.allow(working);
      }
      if (account.credit.waits(job) && working.waitsSince.isEmpty()) {
        LOG.debug("job {} waits: its channel owes {}", job, account.credit.owes());
        working.waitsSince = Optional.of(clock.instant());
      }
    }

    @Override
    public void finished() {
      synchronized (account) {
        working.finished = true;
        working.waitsSince = Optional.empty();
      }
    }

    @Override
    public Optional<Duration> waits() {
      synchronized (account) {
        return working.waitsSince.map(since -> Duration.between(since, clock.instant()));
      }
    }

    @Override
    public void over() {
      synchronized (account) {
        working.allow = Optional.empty();
        if (account.credit.has(working.job.id())) {
          account.credit.rest(working.job.id());
          account.allowAll();
        }
      }
    }
  }

  /// Whether work that gave its device away may go on.
  ///
  /// @param unpaid begins the reason why it may not any more
  Payment.Pause pause(Hash job, String unpaid) {
    Account account = accountOf.get(job);
    if (account == null) {
      return new Payment.Pause.None();
    }
    synchronized (account) {
      Working working = account.jobs.get(job);
      if (working == null || working.waitsSince.isEmpty()) {
        return new Payment.Pause.None();
      }
      account.look();
      if (account.credit.isMostlyPaid(account.jobs.size())) {
        working.waitsSince = Optional.empty();
        return new Payment.Pause.None();
      }
      Instant end = working.waitsSince.get().plusSeconds(config.patienceSeconds());
      if (clock.instant().isBefore(end)) {
        return new Payment.Pause.Waiting(LOOK_AGAIN);
      }
      return new Payment.Pause.Over(
          unpaid
              + "the channel "
              + account.channel
              + " owes "
              + account.credit.owes()
              + " of a credit limit of "
              + config.creditLimit()
              + ", and too little was paid in "
              + config.patienceSeconds()
              + " s");
    }
  }

  /// What a job's requester is to be told that it owes. A message a token would be more than either
  /// side wants; so it is told what comes to a part of the credit, and everything as soon as work
  /// waits or half of the credit is used, or at a job's end an eighth: its last part is paid behind
  /// an audit, which others must not wait for.
  Optional<Due> due(Hash job, TokenAmount told) {
    Account account = accountOf.get(job);
    if (account == null) {
      return Optional.empty();
    }
    synchronized (account) {
      Working working = account.jobs.get(job);
      if (working == null || working.due.amount().compareTo(told) <= 0) {
        return Optional.empty();
      }
      TokenAmount owed = account.credit.owes();
      boolean much = working.due.amount().minus(told).compareTo(part(4)) >= 0;
      boolean urgent =
          working.waitsSince.isPresent() || owed.compareTo(part(working.finished ? 8 : 2)) > 0;
      return much || urgent ? Optional.of(working.due) : Optional.empty();
    }
  }

  /// Something was paid, or is owed no more.
  void lookAgain(Hash channel) {
    Account account = accounts.get(channel);
    if (account != null) {
      synchronized (account) {
        account.look();
        account.allowAll();
      }
    }
  }

  /// The jobs of a channel that are at work.
  List<Hash> jobs(Hash channel) {
    Account account = accounts.get(channel);
    if (account == null) {
      return List.of();
    }
    synchronized (account) {
      return List.copyOf(account.jobs.keySet());
    }
  }

  /// What jobs that are at work owe, but for one.
  BigInteger owedByOthers(Hash channel, Hash job) {
    Account account = accounts.get(channel);
    if (account == null) {
      return BigInteger.ZERO;
    }
    synchronized (account) {
      return account.jobs.keySet().stream()
          .filter(other -> !other.equals(job) && account.credit.has(other))
          .map(other -> account.credit.owedBy(other).units())
          .reduce(BigInteger.ZERO, BigInteger::add);
    }
  }

  /// Nobody works on a job any more. Its requester may yet be told what it owes.
  void end(Hash job) {
    Account account = accountOf.get(job);
    if (account != null) {
      synchronized (account) {
        account.credit.end(job);
      }
    }
  }

  /// A job has nothing to say here any more.
  ///
  /// @return what it owed when it was charged last
  Optional<TokenAmount> forget(Hash job) {
    Account account = accountOf.remove(job);
    if (account == null) {
      return Optional.empty();
    }
    synchronized (account) {
      Working working = account.jobs.remove(job);
      account.credit.end(job);
      return Optional.ofNullable(working).map(w -> w.due.amount());
    }
  }

  /// So much of the credit, at least one unit.
  private TokenAmount part(int of) {
    return new TokenAmount(
        config.creditLimit().units().divide(BigInteger.valueOf(of)).max(BigInteger.ONE));
  }
}
