package io.rigmesh.node.network.job;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.rigmesh.ledger.channel.Payment;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.network.Blames;
import io.rigmesh.node.network.PeerStream;
import io.rigmesh.node.pay.Tariff;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.wire.JobWire;
import java.io.ByteArrayOutputStream;
import java.util.Optional;

/// What a provider tells of one job, read by one thread. Others may say something meanwhile, and
/// cancel or close it, which ends the reading.
public final class JobFeed implements AutoCloseable {
  private final PeerId provider;
  private final PeerStream stream;
  private final JobState state;
  private final Optional<Tariff> tariff;
  private final Blames blames;
  private final ByteArrayOutputStream receipt = new ByteArrayOutputStream();
  private final ByteArrayOutputStream milestone = new ByteArrayOutputStream();
  private long lastSequence;

  JobFeed(
      PeerId provider, PeerStream stream, JobState state, Optional<Tariff> tariff, Blames blames) {
    this.provider = provider;
    this.stream = stream;
    this.state = state;
    this.tariff = tariff;
    this.blames = blames;
  }

  /// What came.
  public sealed interface Next {
    /// Something happened to the job.
    record Event(JobEvent event) implements Next {}

    /// The job's `receipt.json`, whole.
    record Receipt(ByteString json) implements Next {}

    /// The job owes so much so far.
    record Due(io.rigmesh.node.pay.Due due) implements Next {}

    /// The answer to a payment.
    ///
    /// @param total what the channel's newest voucher promises
    /// @param refusal why the payment is worth nothing, if it is
    record Paid(TokenAmount total, Optional<String> refusal) implements Next {}

    /// The job has reached a milestone that is not its end.
    ///
    /// @param number which one, from 1
    /// @param json its `receipt.json`, whole
    record Milestone(int number, ByteString json) implements Next {}

    /// The answer to an approval.
    ///
    /// @param milestone which one, from 1
    /// @param refusal why the approval is worth nothing, if it is
    record Approved(int milestone, Optional<String> refusal) implements Next {}

    /// The provider is there and has nothing to tell, or only a part of something: whoever waits
    /// looks whether that still pays.
    record Alive() implements Next {}

    /// The job is at its end and everything was told.
    record Ended() implements Next {}
  }

  /// The job's state when the feed was opened.
  public JobState state() {
    return state;
  }

  /// What the job costs, where a channel pays for it.
  public Optional<Tariff> tariff() {
    return tariff;
  }

  /// Sends a payment; its answer comes among what is read.
  ///
  /// @throws io.rigmesh.node.requester.ProviderUnreachableException if the stream is broken
  public void pay(Payment payment) {
    say(MoneyMessages.write(payment));
  }

  /// Sends an approval; its answer comes among what is read.
  ///
  /// @throws io.rigmesh.node.requester.ProviderUnreachableException if the stream is broken
  public void approve(int milestone, Signature signature) {
    say(MoneyMessages.approve(milestone, signature));
  }

  private synchronized void say(JobWire.Say say) {
    JobClient.guarded(
        provider,
        blames,
        () -> {
          stream.io().writeMessage(say);
          return true;
        });
  }

  /// Waits for what comes next; that is little more than the longest silence at most, whatever the
  /// provider does.
  ///
  /// @throws io.rigmesh.node.requester.ProviderUnreachableException if the stream breaks or is
  ///   silent for too long
  public Next next() {
    return JobClient.guarded(provider, blames, this::read);
  }

  private Next read() {
    JobWire.Reply reply =
        JobProtocol.reply(stream.io().requireMessage(JobProtocol.REPLY_BYTES_MAX));
    return switch (reply.getWhatCase()) {
      case EVENT -> event(JobProtocol.event(reply.getEvent()));
      case RECEIPT ->
          gather(receipt, reply.getReceipt().getTotalBytes(), reply.getReceipt().getPart())
              .<Next>map(Next.Receipt::new)
              .orElseGet(Next.Alive::new);
      case MILESTONE -> {
        JobWire.Milestone part = reply.getMilestone();
        yield gather(milestone, part.getTotalBytes(), part.getPart())
            .<Next>map(whole -> new Next.Milestone(part.getNumber(), whole))
            .orElseGet(Next.Alive::new);
      }
      case APPROVED -> MoneyMessages.approved(reply.getApproved());
      case END -> new Next.Ended();
      case DUE -> new Next.Due(MoneyMessages.due(reply.getDue()));
      case PAID -> MoneyMessages.paid(reply.getPaid());
      case ALIVE, WHAT_NOT_SET -> new Next.Alive();
      case ACCEPTED, REFUSED, UNKNOWN ->
          throw new PeerMisbehaviourException(
              JobProtocol.ID + ": " + reply.getWhatCase() + " came in the middle of a feed");
    };
  }

  private Next event(JobEvent event) {
    if (event.sequence() <= lastSequence) {
      throw new PeerMisbehaviourException(
          JobProtocol.ID + ": event " + event.sequence() + " came behind event " + lastSequence);
    }
    lastSequence = event.sequence();
    return new Next.Event(event);
  }

  /// Adds a part of a `receipt.json`; the whole if it was the last.
  private static Optional<ByteString> gather(
      ByteArrayOutputStream gathered, long total, ByteString part) {
    if (total <= 0
        || total > JobProtocol.RECEIPT_BYTES_MAX
        || part.isEmpty()
        || gathered.size() + (long) part.size() > total) {
      throw new PeerMisbehaviourException(
          JobProtocol.ID + ": a receipt has other bytes than it says, or too many");
    }
    gathered.writeBytes(part.toByteArray());
    if (gathered.size() < total) {
      return Optional.empty();
    }
    ByteString whole = UnsafeByteOperations.unsafeWrap(gathered.toByteArray());
    gathered.reset();
    return Optional.of(whole);
  }

  /// Calls the job off by resetting the stream.
  public void cancel() {
    stream.stream().reset();
  }

  /// Lets go of the stream; the job goes on.
  @Override
  public void close() {
    stream.close();
  }
}
