package io.rigmesh.libp2p.kad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/// What a server answers, in a small simulated network.
class RequestsTest {
  private static final Multiaddr PUBLIC = Multiaddr.of("/ip4/8.8.8.8/tcp/1");
  private static final Multiaddr HOME = Multiaddr.of("/ip4/192.168.1.9/tcp/1");
  private static final ByteString KEY = multihash(7);

  private final KadSimulation world = new KadSimulation(11);
  private final KadSimulation.Peer server;

  RequestsTest() {
    world.join(30, 60);
    server = world.inOrder.get(0);
  }

  @Test
  void theNearestAreNamedWithoutTheAsker() {
    PeerId asker = world.inOrder.get(5).id;
    assertThat(server.node.table().contains(asker)).isTrue();
    KadMessage answer = ask(asker, PUBLIC, KadMessage.findNode(key(asker))).orElseThrow();
    assertThat(answer.type()).isEqualTo(KadMessage.Type.FIND_NODE);
    assertThat(answer.closer())
        .hasSize(KademliaConfig.K)
        .extracting(PeerAddress::peer)
        .doesNotContain(asker, server.id)
        .isEqualTo(nearest(key(asker), asker));
  }

  @Test
  void addressesOfPrivateNetworksAreToldOnlyThere() {
    PeerId near = world.randomId();
    KadSimulation.Peer hidden =
        world.add(near, List.of(HOME), world.config().build(), request -> Optional.empty());
    server.node.seen(near, HOME);
    assertThat(server.node.table().contains(near)).isTrue();
    assertThat(closer(PUBLIC, near)).doesNotContain(hidden.peerAddress());
    assertThat(closer(HOME, near)).startsWith(hidden.peerAddress());
  }

  @Test
  void onlyAPeerItselfIsTakenAsAProvider() {
    PeerId asker = KadPeers.peer(1);
    PeerAddress own = KadPeers.at(asker, "/ip4/8.8.8.8/tcp/1", "/ip4/192.168.1.9/tcp/1");
    assertThatThrownBy(() -> ask(KadPeers.peer(2), PUBLIC, KadMessage.addProvider(KEY, own)))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("announces providers, of which none is itself");
    assertThat(providers()).isEmpty();

    assertThat(ask(asker, PUBLIC, KadMessage.addProvider(KEY, own))).isEmpty();
    // What only its own network reaches is not kept.
    assertThat(providers()).containsExactly(KadPeers.at(asker, "/ip4/8.8.8.8/tcp/1"));
  }

  @Test
  void aProviderThatNobodyCouldReachIsNotTaken() {
    PeerId asker = KadPeers.peer(1);
    ask(asker, PUBLIC, KadMessage.addProvider(KEY, KadPeers.at(asker, HOME.toString())));
    ask(asker, PUBLIC, KadMessage.addProvider(KEY, KadPeers.at(asker)));
    assertThat(providers()).isEmpty();
  }

  @Test
  void theServersOwnProvisionsAreNamed() {
    server.node.provide(KEY, told -> {});
    assertThat(providers()).containsExactly(server.peerAddress());
    server.node.unprovide(KEY);
    assertThat(providers()).isEmpty();
  }

  @Test
  void providersAreKeptOnlyUnderMultihashes() {
    for (ByteString key :
        List.of(ByteString.copyFromUtf8("no multihash"), ByteString.copyFrom(new byte[] {0x12}))) {
      assertThatThrownBy(() ->
              ask(KadPeers.peer(1), PUBLIC, KadMessage.request(KadMessage.Type.GET_PROVIDERS, key)))
          .isInstanceOf(PeerMisbehaviourException.class)
          .hasMessageContaining("is no multihash");
    }
    assertThatThrownBy(() -> ask(KadPeers.peer(1), PUBLIC, KadMessage.findNode(ByteString.EMPTY)))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageContaining("without a key");
  }

  @Test
  void valuesOfUnknownNamespacesAreRefused() {
    ByteString key = ByteString.copyFromUtf8("/pk/somebody");
    assertThatThrownBy(
            () -> ask(KadPeers.peer(1), PUBLIC, KadMessage.putValue(key, ByteString.EMPTY)))
        .isInstanceOf(Libp2pException.class)
        .hasMessageContaining("values under /pk/somebody are not kept here");
    assertThatThrownBy(
            () -> ask(KadPeers.peer(1), PUBLIC, KadMessage.request(KadMessage.Type.GET_VALUE, key)))
        .isInstanceOf(Libp2pException.class);
  }

  @Test
  void anOldPingIsEchoed() {
    assertThat(
            ask(
                KadPeers.peer(1),
                PUBLIC,
                KadMessage.request(KadMessage.Type.PING, ByteString.EMPTY)))
        .hasValue(KadMessage.request(KadMessage.Type.PING, ByteString.EMPTY));
  }

  private Optional<KadMessage> ask(PeerId asker, Multiaddr from, KadMessage request) {
    return server.node.answer(asker, from, request);
  }

  private List<PeerAddress> providers() {
    return ask(KadPeers.peer(9), PUBLIC, KadMessage.request(KadMessage.Type.GET_PROVIDERS, KEY))
        .orElseThrow()
        .providers();
  }

  private List<PeerAddress> closer(Multiaddr from, PeerId target) {
    return ask(KadPeers.peer(9), from, KadMessage.findNode(key(target))).orElseThrow().closer();
  }

  private List<PeerId> nearest(ByteString key, PeerId without) {
    return server.node.table().closest(KadKey.of(key.toByteArray()), KademliaConfig.K + 1).stream()
        .filter(peer -> !peer.equals(without))
        .limit(KademliaConfig.K)
        .toList();
  }

  private static ByteString key(PeerId peer) {
    return ByteString.copyFrom(peer.bytes());
  }

  private static ByteString multihash(int seed) {
    return ByteString.copyFrom(KadPeers.peer(seed).bytes());
  }
}
