package io.rigmesh.node.network.offers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.gossip.Gossip;
import io.rigmesh.libp2p.gossip.GossipConfig;
import io.rigmesh.libp2p.gossip.Gossipsub;
import io.rigmesh.libp2p.gossip.Topic;
import io.rigmesh.node.network.Blames;
import io.rigmesh.node.network.Peers;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Offer;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.TokenAmount;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Offers between hosts over real sockets: one that gossips, one that judges in the middle, and one
/// behind it that hears all that was let through.
class OfferExchangeIT {
  private static final Domain DOMAIN = new Domain(31_337, AccountKey.generate().address());
  private final List<AutoCloseable> open = new ArrayList<>();

  @AfterEach
  void stop() throws Exception {
    for (AutoCloseable resource : open.reversed()) {
      resource.close();
    }
  }

  /// A host with a gossip, and an exchange if it judges.
  private final class Node {
    final AccountKey account = AccountKey.generate();
    final Host host = Peers.start();
    final Gossip gossip = Gossipsub.start(host, GossipConfig.defaults());
    final Blames blames = new Blames((_, _) -> {});
    final OfferExchange exchange = new OfferExchange(100, DOMAIN, blames, Clock.systemUTC());

    Node() {
      open.add(host);
      open.add(gossip);
    }

    Node judging() {
      exchange.startOn(host, gossip);
      open.add(exchange);
      return this;
    }

    Topic topic() {
      return gossip.topic(OfferExchange.TOPIC);
    }

    SealedOffer offer(long sequence, long validSeconds) {
      return seal(this, this, account, sequence, validSeconds, 1);
    }

    SealedOffer withdrawal(long sequence, long validSeconds) {
      return seal(this, this, account, sequence, validSeconds, 0);
    }
  }

  /// An offer of `named`, sealed by `sealer`, signed by `signer` for the account of `named`.
  private static SealedOffer seal(
      Node named, Node sealer, AccountKey signer, long sequence, long validSeconds, int devices) {
    Offer offer =
        new Offer(
            named.host.id().toString(),
            List.of("/ip4/127.0.0.1/tcp/4070"),
            named.account.address(),
            java.util.Collections.nCopies(
                devices, new Offer.Device("CPU", 1L << 32, Profile.F32_V1, 100, 0)),
            List.of(
                new Offer.Model(Hash.ZERO, "", JobKind.TRAIN, TokenAmount.of(1), TokenAmount.ZERO)),
            TokenAmount.of(1),
            "",
            Instant.now().getEpochSecond() + validSeconds,
            sequence);
    return SealedOffer.seal(
        new io.rigmesh.protocol.SignedOffer(offer, signer.sign(offer.typedData().digest(DOMAIN))),
        DOMAIN,
        sealer.host.key());
  }

  private static List<Long> sequences(Node node) {
    return node.exchange.live().stream().map(Offer::sequence).toList();
  }

  @Test
  void offersReachThoseBehindAndOthersOfTheirKindDoNot() throws Exception {
    Node provider = new Node();
    Node middle = new Node().judging();
    Node behind = new Node();
    List<byte[]> heard = new CopyOnWriteArrayList<>();
    open.add(behind.topic().subscribe(message -> heard.add(message.data().toByteArray())));
    open.add(provider.topic().subscribe(_ -> {}));
    Peers.connect(provider.host, middle.host);
    Peers.connect(behind.host, middle.host);
    Peers.await(
        "the mesh is there",
        () -> provider.topic().mesh().size() == 1 && middle.topic().mesh().size() == 2);

    publish(provider, provider.offer(10, 600));
    Peers.await("the offer is through", () -> heard.size() == 1);
    assertThat(sequences(middle)).containsExactly(10L);

    Node stranger = new Node();
    List<SealedOffer> bad =
        List.of(
            // Replayed, expired, too far ahead, and signed by another account.
            provider.offer(10, 900),
            provider.offer(9, 600),
            provider.offer(11, -3_600),
            seal(provider, provider, AccountKey.generate(), 12, 600, 1),
            // Somebody else's good offer, in this provider's message.
            stranger.offer(1, 600));
    for (SealedOffer offer : bad) {
      publish(provider, offer);
    }
    provider.topic().publish(new byte[] {1, 2, 3});
    // What comes behind all of them says that they were judged.
    publish(provider, provider.offer(20, 600));
    Peers.await("the good offer behind them is through", () -> sequences(middle).contains(20L));
    Peers.await("and was forwarded", () -> heard.size() >= 2);
    assertThat(heard).hasSize(2);
    assertThat(SealedOffer.open(heard.getLast(), DOMAIN).orElseThrow().offer().sequence())
        .isEqualTo(20);
    assertThat(sequences(middle)).containsExactly(20L);
  }

  private static void publish(Node node, SealedOffer offer) {
    node.topic().publish(offer.bytes());
  }

  @Test
  void offerSealedByAnotherPeerThanItNamesIsNoOffer() {
    Node provider = new Node();
    Node thief = new Node();
    SealedOffer stolen = seal(provider, thief, provider.account, 1, 600, 1);
    assertThatThrownBy(() -> SealedOffer.open(stolen.bytes(), DOMAIN))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("is signed by " + thief.host.id());
    Domain elsewhere = new Domain(1, DOMAIN.verifyingContract());
    assertThat(SealedOffer.open(provider.offer(1, 600).bytes(), elsewhere)).isEmpty();
  }

  @Test
  void peerThatComesLaterHearsWhatWasOfferedBefore() throws Exception {
    Node provider = new Node().judging();
    Node middle = new Node().judging();
    Peers.connect(provider.host, middle.host);
    Peers.await(
        "the mesh is there",
        () -> provider.topic().mesh().size() == 1 && middle.topic().mesh().size() == 1);
    provider.exchange.publish(provider.offer(5, 600));
    Peers.await("the middle has heard it", () -> sequences(middle).contains(5L));
    // The late one never meets the provider itself, which says nothing more.
    Node late = new Node().judging();
    Peers.connect(late.host, middle.host);
    Peers.await("the late one knows it too", () -> sequences(late).contains(5L));
    assertThat(late.host.peerStore().addresses(provider.host.id())).isNotEmpty();
    assertThat(late.blames.total()).isZero();
  }

  @Test
  void neighbourThatWasConnectedBeforeTheExchangeBeganIsAskedToo() throws Exception {
    Node provider = new Node().judging();
    provider.exchange.publish(provider.offer(3, 600));
    Node late = new Node();
    Peers.connect(late.host, provider.host);
    late.judging();
    Peers.await("the offer is known", () -> sequences(late).contains(3L));
  }

  @Test
  void offerThatWasGossipedBeforeANeighbourWasHeardOfIsAskedForAgain() throws Exception {
    Node provider = new Node().judging();
    Node other = new Node();
    provider.exchange.publish(other.offer(1, 600));
    // From here on it can be asked, but tells nobody.
    provider.gossip.close();
    Node late = new Node().judging();
    Peers.connect(late.host, provider.host);
    Peers.await("the first question is answered", () -> sequences(late).contains(1L));
    provider.exchange.publish(provider.offer(2, 600));
    Peers.await("a later one is, too", () -> sequences(late).contains(2L));
    assertThat(late.blames.total()).isZero();
  }

  @Test
  void withdrawnOfferVanishesEverywhereAndItsReplayDoesNotBringItBack() throws Exception {
    Node provider = new Node().judging();
    Node middle = new Node().judging();
    Node behind = new Node().judging();
    Peers.connect(provider.host, middle.host);
    Peers.connect(behind.host, middle.host);
    Peers.await(
        "the mesh is there",
        () -> provider.topic().mesh().size() == 1 && middle.topic().mesh().size() == 2);
    SealedOffer offer = provider.offer(1, 600);
    provider.exchange.publish(offer);
    Peers.await("it is known behind", () -> sequences(behind).contains(1L));
    provider.exchange.publish(provider.withdrawal(2, 600));
    Peers.await("it is gone behind", () -> sequences(behind).isEmpty());
    provider.topic().publish(offer.bytes());
    provider.exchange.publish(provider.offer(3, 600));
    Peers.await("the next one is known", () -> sequences(behind).contains(3L));
    assertThat(sequences(behind)).containsExactly(3L);
  }
}
