package io.rigmesh.node.requester;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.rigmesh.ledger.InsufficientGasFundsException;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.channel.ChannelException;
import io.rigmesh.ledger.channel.InsufficientFundsException;
import io.rigmesh.ledger.channel.PayerBook;
import io.rigmesh.ledger.channel.PayerChannel;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobProgress;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.network.job.JobClient;
import io.rigmesh.node.network.job.JobFeed;
import io.rigmesh.node.pay.Due;
import io.rigmesh.node.pay.Tariff;
import io.rigmesh.node.store.Closing;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.pricing.Pricing;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Money that goes by vouchers of a payment channel while the work is done, and the rest once the
/// result has been audited. One unit stays back until the receipt is here, so that the last voucher
/// is always the one that pays it.
final class ChannelPayment implements Payment {
  private static final Logger LOG = LoggerFactory.getLogger(ChannelPayment.class);

  /// Each costs the gas of its opening, and a payee may close them as fast as they come.
  private static final int CHANNELS_MAX = 3;

  private static final TokenAmount ONE = TokenAmount.of(1);

  /// How long a channel's room is held behind a job's deadline, so that its last voucher fits.
  private static final Duration LATE_MAX = Duration.ofHours(1);

  /// How often it is looked whether a channel that is left is closed, which takes a challenge time.
  private static final Duration CLOSED_YET = Duration.ofSeconds(15);

  /// How long a provider may take to answer to a voucher, whatever else it says meanwhile.
  private static final Duration PAID_MAX = Duration.ofSeconds(60);

  private final JobStore store;
  private final Blobs blobs;
  private final PayerBook book;
  private final JobClient client;
  private final Audit audit;
  private final Moves moves;

  ChannelPayment(
      JobStore store, Blobs blobs, PayerBook book, JobClient client, Audit audit, Moves moves) {
    this.store = store;
    this.blobs = blobs;
    this.book = book;
    this.client = client;
    this.audit = audit;
    this.moves = moves;
  }

  @Override
  public boolean isDecided(JobRow row) {
    return book.channelOf(row.id()).isPresent();
  }

  @Override
  public boolean isCostly() {
    return false;
  }

  @Override
  public Step fund(JobRow row) {
    try {
      return moves.move(row, Transition.to(new JobState.Funded()).paidBy(reserve(row)));
    } catch (InsufficientFundsException
        | InsufficientGasFundsException
        | TransactionRefusedException
        | TransactionFailedException e) {
      return moves.move(row, Transition.to(new JobState.Failed(String.valueOf(e.getMessage()))));
    }
  }

  private ChannelTerms reserve(JobRow row) {
    Job job = row.job();
    Instant until = Instant.ofEpochSecond(job.deadlineSeconds()).plus(LATE_MAX);
    return book.reserve(row.provider().orElseThrow(), row.id(), job.priceMax(), until);
  }

  @Override
  public Optional<Step> fundAgain(JobRow row) {
    ChannelTerms before = row.channel().orElseThrow();
    if (book.pays(before.id())) {
      return Optional.empty();
    }
    if (book.channelsOf(row.id()) >= CHANNELS_MAX) {
      String reason =
          "its provider has closed %d channels that were to pay for it; name another provider"
              .formatted(CHANNELS_MAX);
      return Optional.of(
          moves.move(row, Transition.to(new JobState.Failed(reason)).owing(Closing.REFUND)));
    }
    try {
      ChannelTerms terms = reserve(row);
      LOG.info("job {} is paid by the channel {}, not {}", row.id(), terms.id(), before.id());
      store.paidBy(row.id(), terms);
      return Optional.of(new Step.Moved());
    } catch (InsufficientFundsException
        | InsufficientGasFundsException
        | TransactionRefusedException
        | TransactionFailedException e) {
      String reason =
          "its channel %s is being closed, and no other can pay: %s"
              .formatted(before.id(), e.getMessage());
      return Optional.of(
          moves.move(row, Transition.to(new JobState.Failed(reason)).owing(Closing.REFUND)));
    }
  }

  @Override
  public Optional<Refusal> accepted(JobRow row, Signature acceptance) {
    // The channel is what is funded.
    return Optional.empty();
  }

  @Override
  public int milestonesKnown(JobRow row) {
    return 0;
  }

  @Override
  public void attend(JobRow row, JobFeed feed) {
    // Vouchers are paid as what they are for comes.
  }

  @Override
  public void leave(JobRow row, JobFeed feed) {
    // Nothing was held.
  }

  @Override
  public void milestone(JobRow row, int number, byte[] receiptJson) {
    throw new ProviderFaultException(
        "the provider proves a milestone of a job that a channel pays");
  }

  @Override
  public void heard(JobRow row, JobFeed.Next.Approved answer) {
    throw new ProviderFaultException("the provider answers to an approval that it was not sent");
  }

  @Override
  public Optional<String> fault(JobRow row) {
    return Optional.empty();
  }

  @Override
  public Optional<ChannelTerms> channel(JobRow row) {
    return row.channel();
  }

  @Override
  public void requireAgreed(JobRow row, Optional<Tariff> tariff) {
    TokenAmount most =
        tariff
            .orElseThrow(
                () -> new ProviderFaultException("the provider does not say what the job costs"))
            .priceMost(row.job(), inputBytes(row));
    if (most.compareTo(row.job().priceMax()) > 0) {
      throw new ProviderFaultException(
          "the provider took the job and now asks up to "
              + most
              + ", above its limit of "
              + row.job().priceMax());
    }
  }

  @Override
  public Optional<io.rigmesh.ledger.channel.Payment> again(JobRow row) {
    return row.channel().flatMap(terms -> book.latest(terms.id()));
  }

  @Override
  public Seen seen(JobRow row) {
    // Counts what waits to be written, too.
    long tokens = store.eventCount(row.id(), JobEvent.Type.TOKEN);
    long steps = store.find(row.id()).flatMap(JobRow::progress).map(JobProgress::step).orElse(0L);
    return new Seen(row.job(), () -> blobs.open(row.job().input()), tokens, steps);
  }

  @Override
  public Optional<io.rigmesh.ledger.channel.Payment> pay(
      JobRow row, Tariff tariff, Due due, Seen seen) {
    requireHonest(row.job(), tariff, due, inputBytes(row));
    if (!seen.isAllOf(due.meter())) {
      // It is on its way, or it is not paid.
      return Optional.empty();
    }
    TokenAmount worth = tariff.price(row.job(), seen.atMost(due.meter()));
    TokenAmount amount = due.amount().compareTo(worth) < 0 ? due.amount() : worth;
    TokenAmount paid = book.paid(row.id());
    if (amount.compareTo(paid.plus(ONE)) <= 0) {
      return Optional.empty();
    }
    TokenAmount increment = amount.minus(paid).minus(ONE);
    try {
      io.rigmesh.ledger.channel.Payment payment =
          book.pay(row.channel().orElseThrow().id(), row.id(), increment, List.of());
      store.paid(row.id(), paid.plus(increment));
      return Optional.of(payment);
    } catch (ChannelException e) {
      LOG.warn("job {} is not paid any further: {}", row.id(), e.getMessage());
      return Optional.empty();
    }
  }

  /// What is asked must be what the claimed use costs, and nobody can use more than a job may.
  private static void requireHonest(Job job, Tariff tariff, Due due, long inputBytes) {
    Meter most = Pricing.meterMax(job.task(), inputBytes);
    Meter said = due.meter();
    if (said.tokensIn() > most.tokensIn()
        || said.tokensOut() > most.tokensOut()
        || said.steps() > most.steps()) {
      throw new ProviderFaultException(
          "the provider counts " + said + ", and this job can use " + most + " at most");
    }
    TokenAmount price = tariff.price(job, said);
    if (due.amount().compareTo(price) > 0) {
      throw new ProviderFaultException(
          "the provider asks " + due.amount() + " for what costs " + price + " as it was agreed");
    }
  }

  @Override
  public Step settle(JobRow row) throws InterruptedException {
    JobRow.Completion completion = row.completion().orElseThrow();
    ChannelTerms terms = row.channel().orElseThrow();
    TokenAmount paid = book.paid(row.id());
    TokenAmount price = completion.price();
    // Before the receipt a unit is always left: what is paid in full was audited before.
    boolean audited = paid.equals(price) && !price.equals(TokenAmount.ZERO);
    Optional<String> fault;
    if (paid.compareTo(price) > 0) {
      fault =
          Optional.of(
              "the provider had itself paid %s for what its receipt says costs %s"
                  .formatted(paid, price));
    } else {
      fault = audited ? Optional.empty() : audit.fault(row);
    }
    if (fault.isPresent()) {
      book.withhold(terms.id(), fault.get());
      return moves.move(row, Transition.to(new JobState.Disputed(fault.get())));
    }
    Optional<io.rigmesh.ledger.channel.Payment> payment;
    try {
      payment =
          price.compareTo(paid) > 0
              ? Optional.of(
                  book.pay(
                      terms.id(), row.id(), price.minus(paid), List.of(completion.receiptHash())))
              : book.latest(terms.id());
    } catch (ChannelException e) {
      // What another job's audit has found withholds this one's last payment, too.
      return moves.move(row, Transition.to(new JobState.Disputed("not paid: " + e.getMessage())));
    }
    store.paid(row.id(), price);
    Optional<String> trouble;
    try {
      // What cost nothing on a fresh channel needs no voucher.
      trouble = payment.isPresent() ? deliver(row, payment.get()) : Optional.empty();
    } catch (ProviderUnreachableException e) {
      trouble = Optional.of(String.valueOf(e.getMessage()));
    }
    if (trouble.isPresent() && !moves.isLongPastDeadline(row)) {
      return new Step.Retry(trouble.get());
    }
    // The voucher is written down, and goes with the next stream to this provider anyway.
    Step moved = moves.move(row, Transition.to(new JobState.Settled()));
    book.release(row.id());
    return moved;
  }

  /// Brings a payment to the provider.
  ///
  /// @return why it has not taken it, or empty if it has
  private Optional<String> deliver(JobRow row, io.rigmesh.ledger.channel.Payment payment) {
    PeerId peer = JobWatch.peer(row);
    return switch (client.follow(peer, row.id(), row.remoteSequence())) {
      case JobClient.Answer.Taken(JobFeed feed) -> {
        try (feed) {
          feed.pay(payment);
          yield awaitPaid(row, feed, payment.voucher().voucher().amount());
        }
      }
      case JobClient.Answer.Refused(Refusal refusal) -> Optional.of(refusal.toString());
      case JobClient.Answer.Unknown _, JobClient.Answer.Reserved _ ->
          Optional.of("the provider " + peer + " does not know the job any more");
    };
  }

  private Optional<String> awaitPaid(JobRow row, JobFeed feed, TokenAmount amount) {
    long end = System.nanoTime() + PAID_MAX.toNanos();
    while (System.nanoTime() < end) {
      switch (feed.next()) {
        case JobFeed.Next.Paid(TokenAmount total, Optional<String> refusal) -> {
          if (refusal.isPresent()) {
            tell(row, "the provider does not take the voucher: " + refusal.get());
            return refusal;
          }
          if (total.compareTo(amount) >= 0) {
            return Optional.empty();
          }
        }
        // The end of the job is told before what comes behind it.
        case JobFeed.Next.Event _,
            JobFeed.Next.Receipt _,
            JobFeed.Next.Milestone _,
            JobFeed.Next.Approved _,
            JobFeed.Next.Due _,
            JobFeed.Next.Alive _,
            JobFeed.Next.Ended _ -> {}
      }
    }
    return Optional.of(
        "the provider has not answered to the voucher within " + PAID_MAX.toSeconds() + " s");
  }

  private void tell(JobRow row, String sentence) {
    LOG.warn("job {}: {}", row.id(), sentence);
    store.note(
        row.id(),
        JobEvent.Type.NOTE,
        JsonNodeFactory.instance.objectNode().put("message", sentence).toString(),
        0);
  }

  /// The channel gets no further voucher, and what is left in it comes back: then the job is at its
  /// end. Who closes it is the one that closes all channels that are left, or the payee.
  @Override
  public Step awaitDispute(JobRow row) {
    Hash id = row.channel().orElseThrow().id();
    PayerChannel channel = channel(id);
    if (!channel.channel().closed() && channel.state() != PayerChannel.State.LEAVING) {
      try {
        book.leave(id);
      } catch (TransactionRefusedException | TransactionFailedException e) {
        // Its payee may have closed it a moment ago.
        book.refresh();
        if (!channel(id).channel().closed()) {
          return new Step.Retry(String.valueOf(e.getMessage()));
        }
      }
      channel = channel(id);
    }
    if (!channel.channel().closed()) {
      return new Step.Wait(CLOSED_YET);
    }
    String reason =
        row.state() instanceof JobState.Disputed(String because) ? because : row.state().id();
    book.release(row.id());
    return moves.move(
        row,
        Transition.to(
            new JobState.Failed(
                "disputed, and what was left of the channel came back: " + reason)));
  }

  private PayerChannel channel(Hash id) {
    return book.channels().stream()
        .filter(channel -> channel.channel().terms().id().equals(id))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("the book has no channel " + id));
  }

  @Override
  public Step reclaim(JobRow row) {
    book.release(row.id());
    store.closed(row.id());
    return new Step.Moved();
  }

  private long inputBytes(JobRow row) {
    return blobs.sizeBytes(row.job().input()).orElseThrow();
  }
}
