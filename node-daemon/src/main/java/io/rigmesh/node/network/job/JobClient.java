package io.rigmesh.node.network.job;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.network.Blames;
import io.rigmesh.node.network.PeerStream;
import io.rigmesh.node.network.Streams;
import io.rigmesh.node.pay.Market;
import io.rigmesh.node.requester.ProviderUnreachableException;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobPass;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.wire.JobWire;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/// The requester's side of `/rigmesh/job/1.0.0`. Every method blocks and throws
/// [ProviderUnreachableException] where trying again may help. Safe for use by several threads.
public final class JobClient {
  private final Streams streams;
  private final PeerId self;
  private final AccountKey key;
  private final Domain domain;
  private final Market market;
  private final Blames blames;
  private final Duration answerMax;

  /// How long a provider may take to say whether it would take a job, heartbeats or not: longer
  /// than it may take to fetch what says how large the model is.
  private static final Duration ASK_MAX = Duration.ofMinutes(2);

  /// The client of a node.
  ///
  /// @param self this node's peer
  /// @param key the account that signs jobs and passes
  /// @param market the chain and contracts of this node
  /// @param answerMax how long a provider may take to decide on a job, beside fetching its files
  public JobClient(
      Streams streams,
      PeerId self,
      AccountKey key,
      Domain domain,
      Market market,
      Blames blames,
      Duration answerMax) {
    this.streams = streams;
    this.self = self;
    this.key = key;
    this.domain = domain;
    this.market = market;
    this.blames = blames;
    this.answerMax = answerMax;
  }

  /// What a provider answered.
  public sealed interface Answer {
    /// It has the job.
    ///
    /// @param feed what it tells; the caller closes it
    record Taken(JobFeed feed) implements Answer {}

    /// It takes the job once its money is locked, and holds a place for it meanwhile.
    ///
    /// @param acceptance its signature, with which the money may be locked
    record Reserved(Signature acceptance) implements Answer {}

    /// It does not take the job.
    record Refused(Refusal refusal) implements Answer {}

    /// It does not know the job.
    record Unknown() implements Answer {}
  }

  /// This node's pass for one of its jobs.
  public Signature pass(Hash job) {
    return new JobPass(job, self.toString()).sign(key, domain);
  }

  /// Hands a job in, and hears of it from an event on; its provider has little time to answer.
  ///
  /// @param after the last event heard before
  /// @param channel what pays for it, where a channel does; empty to ask whether it would be taken
  public Answer submit(
      PeerId provider,
      SignedJob signed,
      long inputBytes,
      long after,
      Optional<ChannelTerms> channel) {
    return submit(provider, signed, inputBytes, after, channel, 0, within(ASK_MAX));
  }

  /// The same, without milestones that are here already.
  ///
  /// @param milestonesKnown how many there are
  /// @param wanted whether an answer is still waited for, asked with each sign of life that the
  ///   provider gives while it fetches what the job needs
  public Answer submit(
      PeerId provider,
      SignedJob signed,
      long inputBytes,
      long after,
      Optional<ChannelTerms> channel,
      int milestonesKnown,
      BooleanSupplier wanted) {
    JobWire.Submit.Builder submit =
        JobWire.Submit.newBuilder()
            .setJob(ByteString.copyFrom(signed.job().canonicalBytes()))
            .setSignature(bytes(signed.signature()))
            .setInputBytes(inputBytes)
            .setAfter(after)
            .setMilestonesKnown(milestonesKnown)
            .setMarket(MoneyMessages.write(market));
    channel.map(MoneyMessages::write).ifPresent(submit::setChannel);
    return open(
        provider,
        JobWire.Open.newBuilder().setPass(bytes(pass(signed.job().id()))).setSubmit(submit).build(),
        wanted);
  }

  /// Hears of a job that was handed in before.
  public Answer follow(PeerId provider, Hash job, long after) {
    return follow(provider, job, after, 0);
  }

  /// The same, without milestones that are here already.
  ///
  /// @param milestonesKnown how many there are
  public Answer follow(PeerId provider, Hash job, long after, int milestonesKnown) {
    return open(
        provider,
        JobWire.Open.newBuilder()
            .setPass(bytes(pass(job)))
            .setFollow(
                JobWire.Follow.newBuilder()
                    .setJobId(ByteString.copyFrom(job.bytes()))
                    .setAfter(after)
                    .setMilestonesKnown(milestonesKnown))
            .build(),
        within(answerMax));
  }

  /// Calls a job off. One that is done, or that the provider does not know, is passed over.
  public void cancel(PeerId provider, Hash job) {
    Answer answer =
        open(
            provider,
            JobWire.Open.newBuilder()
                .setPass(bytes(pass(job)))
                .setCancel(JobWire.Cancel.newBuilder().setJobId(ByteString.copyFrom(job.bytes())))
                .build(),
            within(answerMax));
    if (answer instanceof Answer.Taken(JobFeed feed)) {
      feed.close();
    }
  }

  private static BooleanSupplier within(Duration most) {
    long end = System.nanoTime() + most.toNanos();
    return () -> System.nanoTime() < end;
  }

  private Answer open(PeerId provider, JobWire.Open open, BooleanSupplier wanted) {
    return guarded(
        provider,
        blames,
        () -> {
          PeerStream stream = streams.open(provider, JobProtocol.ID);
          try {
            BlockingStream io = stream.io();
            io.timeout(answerMax);
            io.writeMessage(open);
            while (true) {
              JobWire.Reply reply =
                  JobProtocol.reply(io.requireMessage(JobProtocol.REPLY_BYTES_MAX));
              switch (reply.getWhatCase()) {
                case ACCEPTED -> {
                  if (!reply.getAccepted().getAcceptance().isEmpty()) {
                    stream.close();
                    return new Answer.Reserved(
                        MoneyMessages.acceptance(reply.getAccepted().getAcceptance()));
                  }
                  io.timeout(JobProtocol.SILENCE_MAX);
                  return new Answer.Taken(
                      new JobFeed(
                          provider,
                          stream,
                          JobProtocol.state(reply.getAccepted().getState()),
                          reply.getAccepted().hasTariff()
                              ? Optional.of(MoneyMessages.tariff(reply.getAccepted().getTariff()))
                              : Optional.empty(),
                          blames));
                }
                case REFUSED -> {
                  stream.close();
                  return new Answer.Refused(JobProtocol.refusal(reply.getRefused()));
                }
                case UNKNOWN -> {
                  stream.close();
                  return new Answer.Unknown();
                }
                // Heartbeats while the provider fetches what the job needs, and what a newer
                // version may say.
                case ALIVE, WHAT_NOT_SET -> {
                  if (!wanted.getAsBoolean()) {
                    throw new ProviderUnreachableException(
                        "the provider "
                            + provider
                            + " is there and has not answered for as long as that was waited for");
                  }
                }
                case EVENT, RECEIPT, END, DUE, PAID, MILESTONE, APPROVED ->
                    throw new PeerMisbehaviourException(
                        JobProtocol.ID + ": " + reply.getWhatCase() + " came before an answer");
              }
            }
          } catch (RuntimeException e) {
            stream.close();
            throw e;
          }
        });
  }

  private static ByteString bytes(Signature signature) {
    return ByteString.copyFrom(signature.bytes());
  }

  /// Turns what the network throws into what a job's driver understands.
  static <T> T guarded(PeerId provider, Blames blames, Supplier<T> what) {
    try {
      return what.get();
    } catch (PeerMisbehaviourException e) {
      blames.blame(provider, String.valueOf(e.getMessage()));
      throw new ProviderUnreachableException(
          "the provider " + provider + " does not keep to the protocol: " + e.getMessage(), e);
    } catch (Libp2pException e) {
      throw new ProviderUnreachableException(
          "the provider " + provider + " cannot be reached: " + e.getMessage(), e);
    }
  }
}
