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
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.wire.JobWire;
import java.io.ByteArrayOutputStream;
import java.util.Optional;

/// What a provider tells of one job, read by one thread. Another may cancel or close it, which ends
/// the reading.
public final class JobFeed implements AutoCloseable {
  private final PeerId provider;
  private final PeerStream stream;
  private final JobState state;
  private final Optional<Tariff> tariff;
  private final Blames blames;
  private final ByteArrayOutputStream receipt = new ByteArrayOutputStream();
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
    JobClient.guarded(
        provider,
        blames,
        () -> {
          stream.io().writeMessage(MoneyMessages.write(payment));
          return true;
        });
  }

  /// Waits for what comes next.
  ///
  /// @throws io.rigmesh.node.requester.ProviderUnreachableException if the stream breaks or is
  ///   silent for too long
  public Next next() {
    return JobClient.guarded(provider, blames, this::read);
  }

  private Next read() {
    while (true) {
      JobWire.Reply reply =
          JobProtocol.reply(stream.io().requireMessage(JobProtocol.REPLY_BYTES_MAX));
      switch (reply.getWhatCase()) {
        case EVENT -> {
          JobEvent event = JobProtocol.event(reply.getEvent());
          if (event.sequence() <= lastSequence) {
            throw new PeerMisbehaviourException(
                JobProtocol.ID
                    + ": event "
                    + event.sequence()
                    + " came behind event "
                    + lastSequence);
          }
          lastSequence = event.sequence();
          return new Next.Event(event);
        }
        case RECEIPT -> {
          long total = reply.getReceipt().getTotalBytes();
          byte[] part = reply.getReceipt().getPart().toByteArray();
          if (total <= 0
              || total > JobProtocol.RECEIPT_BYTES_MAX
              || part.length == 0
              || receipt.size() + part.length > total) {
            throw new PeerMisbehaviourException(
                JobProtocol.ID + ": a receipt has other bytes than it says, or too many");
          }
          receipt.writeBytes(part);
          if (receipt.size() == total) {
            ByteString whole = UnsafeByteOperations.unsafeWrap(receipt.toByteArray());
            receipt.reset();
            return new Next.Receipt(whole);
          }
        }
        case END -> {
          return new Next.Ended();
        }
        case DUE -> {
          return new Next.Due(MoneyMessages.due(reply.getDue()));
        }
        case PAID -> {
          return MoneyMessages.paid(reply.getPaid());
        }
        case ALIVE, WHAT_NOT_SET -> {}
        case ACCEPTED, REFUSED, UNKNOWN ->
            throw new PeerMisbehaviourException(
                JobProtocol.ID + ": " + reply.getWhatCase() + " came in the middle of a feed");
      }
    }
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
