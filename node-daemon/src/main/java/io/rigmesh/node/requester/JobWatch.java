package io.rigmesh.node.requester;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobJson;
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
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hands a funded job in and mirrors what its provider tells of it, until something has to be done.
final class JobWatch {
  private static final Logger LOG = LoggerFactory.getLogger(JobWatch.class);

  private final NodeConfig config;
  private final JobStore store;
  private final JobClient client;
  private final Delivery delivery;
  private final Function<Job, Payment> payments;
  private final Moves moves;
  private final Map<Hash, JobFeed> feeds = new ConcurrentHashMap<>();

  JobWatch(
      NodeConfig config,
      JobStore store,
      JobClient client,
      Delivery delivery,
      Function<Job, Payment> payments,
      Moves moves) {
    this.config = config;
    this.store = store;
    this.client = client;
    this.delivery = delivery;
    this.payments = payments;
    this.moves = moves;
  }

  /// Hands in a job whose money is bound.
  Step handIn(JobRow row, long inputBytes) {
    Optional<ChannelTerms> channel = payments.apply(row.job()).channel(row);
    Instant until = moves.listenUntil(row, moves.now(), false);
    return switch (client.submit(
        peer(row),
        row.signed(),
        inputBytes,
        row.remoteSequence(),
        channel,
        payments.apply(row.job()).milestonesKnown(row),
        () ->
            moves.now().isBefore(until)
                && !store.find(row.id()).map(JobRow::cancelAsked).orElse(false))) {
      case JobClient.Answer.Taken(JobFeed feed) -> mirror(row, feed);
      case JobClient.Answer.Reserved _ ->
          new Step.Retry("the provider does not see the job's escrow yet");
      case JobClient.Answer.Unknown _ ->
          new Step.Retry("the provider does not know a job that was handed in just now");
      case JobClient.Answer.Refused(Refusal refusal) -> {
        if (refusal.code() == RefusalCode.NOT_FUNDED) {
          Optional<Step> again = payments.apply(row.job()).fundAgain(row);
          if (again.isPresent()) {
            yield again.get();
          }
        }
        // Its chain endpoint may be a block behind ours, and a voucher on its way.
        boolean later =
            ProviderChoice.isPassing(refusal)
                || refusal.code() == RefusalCode.NOT_FUNDED
                || refusal.code() == RefusalCode.UNPAID;
        yield later ? new Step.Retry(refusal.toString()) : moves.refuse(row, refusal);
      }
    };
  }

  /// Goes on with a job that its provider has.
  Step watch(JobRow row) {
    if (row.cancelAsked()) {
      client.cancel(peer(row), row.id());
    }
    return switch (client.follow(
        peer(row),
        row.id(),
        row.remoteSequence(),
        payments.apply(row.job()).milestonesKnown(row))) {
      case JobClient.Answer.Taken(JobFeed feed) -> mirror(row, feed);
      case JobClient.Answer.Reserved _ -> later();
      case JobClient.Answer.Refused(Refusal refusal) -> new Step.Retry(refusal.toString());
      case JobClient.Answer.Unknown _ -> moves.isPastDeadline(row) ? moves.expire(row) : later();
    };
  }

  /// Calls a job off at once, if it is being watched; its stream is reset.
  void cancel(Hash job) {
    JobFeed feed = feeds.get(job);
    if (feed != null) {
      LOG.info("job {} is called off by resetting its stream", job);
      feed.cancel();
    }
  }

  private Step mirror(JobRow row, JobFeed feed) {
    feeds.put(row.id(), feed);
    Payment payment = payments.apply(row.job());
    try (feed) {
      JobRow now = store.find(row.id()).orElse(row);
      if (now.cancelAsked() && !row.cancelAsked()) {
        // Asked for after this step began, and before there was a stream to reset.
        return new Step.Moved();
      }
      payment.attend(now, feed);
      Told told = listen(now, feed);
      store.flush();
      return follow(told);
    } catch (ProviderFaultException e) {
      feed.cancel();
      return moves.fail(store.find(row.id()).orElse(row), String.valueOf(e.getMessage()));
    } finally {
      payment.leave(row, feed);
      feeds.remove(row.id(), feed);
    }
  }

  /// What is known at the end of listening.
  ///
  /// @param row the job as it stands here
  /// @param remote where it stands at its provider
  /// @param receipt the receipt, if it came
  /// @param tariff what the provider takes, where a channel pays
  private record Told(
      JobRow row, JobState remote, Optional<byte[]> receipt, Optional<Tariff> tariff) {}

  /// What a job's provider asked for last, and what has come from it.
  private static final class Bill {
    private final Seen seen;
    private Optional<Due> open = Optional.empty();

    Bill(Seen seen) {
      this.seen = seen;
    }
  }

  /// Pays what is due as soon as what it is for has come.
  private void pay(JobRow row, JobFeed feed, Bill bill) {
    if (bill.open.isPresent() && feed.tariff().isPresent()) {
      payments
          .apply(row.job())
          .pay(row, feed.tariff().get(), bill.open.get(), bill.seen)
          .ifPresent(feed::pay);
      if (bill.seen.isAllOf(bill.open.get().meter())) {
        bill.open = Optional.empty();
      }
    }
  }

  private Told listen(JobRow row, JobFeed feed) {
    JobRow now = row;
    JobState remote = feed.state();
    Instant opened = moves.now();
    Payment payment = payments.apply(row.job());
    Bill bill = new Bill(payment.seen(row));
    if (payment.channel(row).isPresent()) {
      payment.requireAgreed(row, feed.tariff());
      payment.again(row).ifPresent(feed::pay);
    }
    while (true) {
      boolean begins = isAtWork(remote) && !(now.state() instanceof JobState.Running);
      if (begins) {
        // Written down at once, and the stream goes on.
        now = moves.begin(now);
      }
      switch (feed.next()) {
        case JobFeed.Next.Event(JobEvent event) -> {
          if (event.type() == JobEvent.Type.STATE) {
            remote =
                JobJson.readState(
                    ProtocolJson.parse(
                        event.data().getBytes(StandardCharsets.UTF_8), "a provider's state"));
            if (isLost(remote)) {
              return new Told(now, remote, Optional.empty(), feed.tariff());
            }
          } else {
            store.note(row.id(), event.type(), event.data(), event.sequence());
            if (event.type() == JobEvent.Type.TOKEN) {
              bill.seen.token();
              pay(now, feed, bill);
            } else if (event.type() == JobEvent.Type.PROGRESS) {
              bill.seen.progress(step(event));
              pay(now, feed, bill);
            }
          }
        }
        case JobFeed.Next.Receipt(ByteString json) -> {
          return new Told(now, remote, Optional.of(json.toByteArray()), feed.tariff());
        }
        case JobFeed.Next.Milestone(int number, ByteString json) ->
            payment.milestone(now, number, json.toByteArray());
        case JobFeed.Next.Approved answer -> payment.heard(now, answer);
        case JobFeed.Next.Due(Due due) -> {
          bill.open = Optional.of(due);
          pay(now, feed, bill);
        }
        case JobFeed.Next.Paid(_, Optional<String> refusal) ->
            refusal.ifPresent(
                sentence -> LOG.warn("a voucher for job {} is not taken: {}", row.id(), sentence));
        // Whoever only shows that it is there is not waited for any longer than one who is silent.
        case JobFeed.Next.Alive _ -> {}
        case JobFeed.Next.Ended _ -> {
          return new Told(now, feed.state(), Optional.empty(), feed.tariff());
        }
      }
      boolean done = remote instanceof JobState.Completed || remote instanceof JobState.Settled;
      if (!moves.now().isBefore(moves.listenUntil(row, opened, done))) {
        return new Told(now, remote, Optional.empty(), feed.tariff());
      }
    }
  }

  private static long step(JobEvent progress) {
    return JobJson.readProgress(
            ProtocolJson.parse(
                progress.data().getBytes(StandardCharsets.UTF_8), "a provider's progress"))
        .step();
  }

  private static boolean isAtWork(JobState remote) {
    return remote instanceof JobState.Running
        || remote instanceof JobState.Completed
        || remote instanceof JobState.Settled;
  }

  /// States after which no receipt comes.
  private static boolean isLost(JobState remote) {
    return switch (remote) {
      case JobState.Refused _,
          JobState.Cancelled _,
          JobState.Expired _,
          JobState.Failed _,
          JobState.Disputed _ ->
          true;
      case JobState.Draft _,
          JobState.Signed _,
          JobState.Matched _,
          JobState.Funded _,
          JobState.Running _,
          JobState.Completed _,
          JobState.Settled _ ->
          false;
    };
  }

  private Step follow(Told told) {
    JobRow row = store.find(told.row().id()).orElse(told.row());
    boolean running = row.state() instanceof JobState.Running;
    if (told.receipt().isPresent()) {
      return delivery.receive(
          running ? row : moves.begin(row), told.receipt().get(), told.tariff());
    }
    return switch (told.remote()) {
      case JobState.Draft _,
          JobState.Signed _,
          JobState.Matched _,
          JobState.Funded _,
          JobState.Running _,
          JobState.Completed _,
          JobState.Settled _ ->
          // All that came was listened to for long enough; before that, the next stream tells more.
          moves.isLongPastDeadline(row) ? moves.expire(row) : later();
      case JobState.Cancelled _ ->
          moves.move(row, Transition.to(new JobState.Cancelled()).owing(Closing.REFUND));
      case JobState.Expired _ -> moves.expire(row);
      case JobState.Failed(String reason) -> moves.fail(row, reason);
      case JobState.Disputed(String reason) -> moves.fail(row, reason);
      case JobState.Refused(Refusal refusal) ->
          running ? moves.fail(row, refusal.toString()) : moves.refuse(row, refusal);
    };
  }

  private Step later() {
    return new Step.Wait(Duration.ofMillis(config.chain().pollMillis()));
  }

  static PeerId peer(JobRow row) {
    return row.providerPeer()
        .orElseThrow(() ->
            new ProviderUnreachableException(
                "job "
                    + row.id()
                    + " was matched before this node was in the network; no peer is"
                    + " known for its provider"));
  }
}
