package io.rigmesh.node.network.offers;

import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.ConnectionListener;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.gossip.Gossip;
import io.rigmesh.libp2p.gossip.GossipMessage;
import io.rigmesh.libp2p.gossip.Topic;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.node.network.Blames;
import io.rigmesh.node.network.PeerRates;
import io.rigmesh.node.network.PeerStream;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.wire.OfferWire;
import io.rigmesh.scheduler.matching.OfferBook;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What this node knows of offers: hears them by gossip, judges them before they go on, asks each
/// new neighbour for those that it knows, and answers such questions.
public final class OfferExchange implements LiveOffers, AutoCloseable {
  /// The topic that offers are gossiped on.
  public static final String TOPIC = "/rigmesh/offers/1";

  /// The protocol by which a neighbour's offers are asked for.
  public static final ProtocolId ID = new ProtocolId("/rigmesh/offers/1.0.0");

  private static final Logger LOG = LoggerFactory.getLogger(OfferExchange.class);
  private static final Duration ANSWER_MAX = Duration.ofSeconds(20);
  private static final int ANSWERED_MAX = 512;
  private static final int REQUEST_BYTES_MAX = 64;
  private static final double REQUESTS_PER_SECOND = 0.1;
  private static final double REQUESTS_BURST = 5;

  /// When a new neighbour is asked after it came. Once is not enough: an offer that it makes after
  /// the first answer, but before it knows that this node hears the topic, is gossiped past us.
  private static final List<Duration> ASK_AFTER =
      List.of(Duration.ZERO, Duration.ofSeconds(5), Duration.ofSeconds(30));

  private final OfferBook book;
  private final Domain domain;
  private final Blames blames;
  private final Clock clock;
  private final PeerRates rates = new PeerRates(REQUESTS_PER_SECOND, REQUESTS_BURST);
  private final PeerRates answers = new PeerRates(REQUESTS_PER_SECOND, REQUESTS_BURST);
  private final ConnectionListener neighbours =
      new ConnectionListener() {
        @Override
        public void connected(Connection connection) {
          meet(connection);
        }
      };
  private @Nullable Host host;
  private @Nullable Topic topic;
  private @Nullable AutoCloseable subscription;
  private volatile boolean closed;

  /// What is known, at first nothing.
  ///
  /// @param offersMax the most providers that are remembered
  /// @param domain the chain and contract whose offers count
  public OfferExchange(int offersMax, Domain domain, Blames blames, Clock clock) {
    this.book = new OfferBook(offersMax);
    this.domain = domain;
    this.blames = blames;
    this.clock = clock;
  }

  /// Begins to hear and to tell on a host.
  public void startOn(Host on, Gossip gossip) {
    host = on;
    Topic joined = gossip.topic(TOPIC);
    topic = joined;
    joined.validator(this::judge);
    subscription = joined.subscribe(_ -> {});
    on.handle(ID, StreamHandler.blocking(this::answer));
    on.addListener(neighbours);
    // Whoever was connected before the listener listened.
    on.connections().forEach(this::meet);
  }

  @Override
  public List<Offer> live() {
    synchronized (book) {
      return book.live(nowSeconds());
    }
  }

  /// Gossips an offer of this node.
  ///
  /// @return completes when it was handed to the neighbours
  public CompletableFuture<Integer> publish(SealedOffer own) {
    synchronized (book) {
      book.take(own.offer(), own.bytes(), nowSeconds());
    }
    Topic joined = topic;
    return joined == null ? CompletableFuture.completedFuture(0) : joined.publish(own.bytes());
  }

  private long nowSeconds() {
    return clock.instant().getEpochSecond();
  }

  private Topic.Verdict judge(GossipMessage message) {
    Host on = host;
    if (on != null && message.from().equals(on.id())) {
      return Topic.Verdict.ACCEPT;
    }
    byte[] bytes = message.data().toByteArray();
    if (bytes.length > SealedOffer.BYTES_MAX) {
      return Topic.Verdict.REJECT;
    }
    try {
      Optional<SealedOffer> opened = SealedOffer.open(bytes, domain);
      if (opened.isEmpty()) {
        return Topic.Verdict.IGNORE;
      }
      if (!opened.get().peer().equals(message.from())) {
        LOG.debug("{} gossips the offer of {}", message.from(), opened.get().peer());
        return Topic.Verdict.REJECT;
      }
      return switch (take(opened.get())) {
        case TAKEN -> Topic.Verdict.ACCEPT;
        case ENDS_TOO_LATE -> Topic.Verdict.REJECT;
        case EXPIRED, STALE, TOO_OFTEN, FULL -> Topic.Verdict.IGNORE;
      };
    } catch (PeerMisbehaviourException e) {
      LOG.debug("{} gossips what is no offer: {}", message.from(), e.getMessage());
      return Topic.Verdict.REJECT;
    }
  }

  private OfferBook.Outcome take(SealedOffer sealed) {
    OfferBook.Outcome outcome;
    synchronized (book) {
      outcome = book.take(sealed.offer(), sealed.bytes(), nowSeconds());
    }
    Host on = host;
    if (outcome == OfferBook.Outcome.TAKEN && on != null) {
      Offer offer = sealed.offer();
      LOG.debug(
          "{} of the provider {} was heard",
          offer.isWithdrawal() ? "the withdrawal" : "offer " + offer.sequence(),
          offer.peer());
      on.peerStore()
          .addAddresses(
              sealed.peer(),
              offer.addresses().stream().map(Multiaddr::of).toList(),
              Duration.ofSeconds(OfferBook.VALID_SECONDS_MAX));
    }
    return outcome;
  }

  // Offers by request: a node that comes later knows them at once, instead of as each is made anew.

  private void meet(Connection connection) {
    Thread.ofVirtual().name("offers").start(() -> askRepeatedly(connection));
  }

  private void askRepeatedly(Connection connection) {
    Duration passed = Duration.ZERO;
    try {
      for (Duration after : ASK_AFTER) {
        Thread.sleep(after.minus(passed));
        passed = after;
        if (closed || !connection.isOpen()) {
          return;
        }
        ask(connection);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void ask(Connection connection) {
    PeerId peer = connection.peer();
    if (!rates.tryTake(peer)) {
      return;
    }
    try {
      Stream stream = connection.open(List.of(ID)).get(ANSWER_MAX.toSeconds(), TimeUnit.SECONDS);
      int heard = 0;
      try (PeerStream asked = PeerStream.of(stream)) {
        BlockingStream io = asked.io().timeout(ANSWER_MAX);
        io.writeMessage(OfferWire.OffersRequest.newBuilder().setCountMax(ANSWERED_MAX).build());
        io.closeWrite();
        for (int i = 0; i < ANSWERED_MAX; i++) {
          Optional<byte[]> message = io.readMessage(SealedOffer.BYTES_MAX);
          if (message.isEmpty()) {
            break;
          }
          Optional<SealedOffer> opened = SealedOffer.open(message.get(), domain);
          heard += opened.isPresent() && take(opened.get()) == OfferBook.Outcome.TAKEN ? 1 : 0;
        }
      }
      LOG.debug("{} new offers from {}", heard, peer);
    } catch (PeerMisbehaviourException e) {
      blames.blame(peer, String.valueOf(e.getMessage()));
    } catch (Libp2pException e) {
      LOG.debug("{} was not asked for offers: {}", peer, e.getMessage());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (Exception e) {
      LOG.debug("{} was not asked for offers", peer, e);
    }
  }

  private void answer(Stream stream, BlockingStream io) {
    io.timeout(ANSWER_MAX);
    OfferWire.OffersRequest request;
    try {
      request = OfferWire.OffersRequest.parseFrom(io.requireMessage(REQUEST_BYTES_MAX));
    } catch (com.google.protobuf.InvalidProtocolBufferException e) {
      throw new PeerMisbehaviourException(ID + ": a request is malformed", e);
    }
    if (!answers.tryTake(stream.peer())) {
      return;
    }
    List<byte[]> offers;
    synchronized (book) {
      offers = book.sealed(Math.clamp(request.getCountMax(), 0, ANSWERED_MAX), nowSeconds());
    }
    offers.forEach(io::writeMessage);
    io.closeWrite();
  }

  @Override
  public void close() {
    closed = true;
    Host on = host;
    if (on != null) {
      on.removeListener(neighbours);
    }
    AutoCloseable left = subscription;
    if (left != null) {
      try {
        left.close();
      } catch (Exception e) {
        LOG.debug("the topic {} was not left cleanly", TOPIC, e);
      }
    }
  }
}
