package io.rigmesh.libp2p.kad;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Kademlia between real hosts on loopback.
class KademliaIT {
  private static final ProtocolId PROTOCOL = new ProtocolId("/rigmesh/kad/1.0.0");
  private static final byte[] KEY = multihash("a model");

  private record Node(Host host, Kademlia kad) {
    PeerAddress address() {
      return new PeerAddress(host.id(), host.listenAddresses());
    }
  }

  private final List<Node> nodes = new ArrayList<>();

  @AfterEach
  void close() {
    nodes.forEach(KademliaIT::stop);
  }

  @Test
  void twentyHostsFindARecordThroughOneBootstrapPeer() throws Exception {
    Node first = start(KademliaMode.SERVER, List.of());
    for (int i = 1; i < 20; i++) {
      start(KademliaMode.SERVER, List.of(first.address()));
    }
    // Everyone gets to know nearly everyone, though only the first was named to them.
    until("full tables", () -> nodes.stream().allMatch(node -> node.kad.tableSize() >= 15));

    Node provider = nodes.get(7);
    int told = provider.kad.provide(KEY).get(60, TimeUnit.SECONDS);
    assertThat(told).isGreaterThanOrEqualTo(15);

    Queue<PeerAddress> found = new ConcurrentLinkedQueue<>();
    List<PeerAddress> result =
        nodes.get(13).kad.findProviders(KEY, 5, found::add).get(60, TimeUnit.SECONDS);
    assertThat(result).hasSize(1);
    assertThat(result.getFirst().peer()).isEqualTo(provider.host.id());
    assertThat(result.getFirst().addresses()).containsAll(provider.host.listenAddresses());
    assertThat(found).extracting(PeerAddress::peer).containsExactly(provider.host.id());

    // A node that comes only now finds it as well, and finds peers by name.
    Node late = start(KademliaMode.CLIENT, List.of(first.address()));
    assertThat(late.kad.findProviders(KEY, 5, peer -> {}).get(60, TimeUnit.SECONDS))
        .extracting(PeerAddress::peer)
        .containsExactly(provider.host.id());
    assertThat(late.kad.findPeer(nodes.get(11).host.id()).get(60, TimeUnit.SECONDS))
        .get()
        .satisfies(
            peer -> assertThat(peer.addresses()).containsAll(nodes.get(11).host.listenAddresses()));
    assertThat(late.kad.closestPeers(KEY).get(60, TimeUnit.SECONDS))
        .hasSizeGreaterThanOrEqualTo(15)
        .isSortedAccordingTo(byDistance());

    // Once withdrawn, the provider itself names itself no more; what others hold expires.
    assertThat(
            late.kad.findProviders(multihash("nothing"), 5, peer -> {}).get(60, TimeUnit.SECONDS))
        .isEmpty();
  }

  @Test
  void aClientIsNotAnnouncedAndEntersNoTable() throws Exception {
    Node server = start(KademliaMode.SERVER, List.of());
    Node client = start(KademliaMode.CLIENT, List.of(server.address()));
    client.kad.bootstrap().get(60, TimeUnit.SECONDS);
    assertThat(client.kad.tablePeers()).containsExactly(server.host.id());
    assertThat(client.host.protocols()).doesNotContain(PROTOCOL);
    until(
        "the client's identify",
        () -> !server.host.peerStore().protocols(client.host.id()).isEmpty());
    assertThat(server.host.peerStore().protocols(client.host.id())).doesNotContain(PROTOCOL);
    assertThat(server.kad.tableSize()).isZero();

    // It can provide all the same.
    assertThat(client.kad.provide(KEY).get(60, TimeUnit.SECONDS)).isEqualTo(1);
    Node finder = start(KademliaMode.CLIENT, List.of(server.address()));
    assertThat(finder.kad.findProviders(KEY, 1, peer -> {}).get(60, TimeUnit.SECONDS))
        .extracting(PeerAddress::peer)
        .containsExactly(client.host.id());

    // Switched to server, it is announced and enters the table; switched back, it leaves it.
    client.kad.mode(KademliaMode.SERVER);
    assertThat(client.kad.isServer()).isTrue();
    until("its entry", () -> server.kad.tablePeers().contains(client.host.id()));
    client.kad.mode(KademliaMode.CLIENT);
    until("its leaving", () -> !server.kad.tablePeers().contains(client.host.id()));
  }

  @Test
  void aHostThatKnowsNoPublicAddressServesOnlyWhenTold() {
    Node node = start(KademliaMode.AUTOMATIC, List.of());
    boolean reachable =
        node.host.addresses().stream()
            .anyMatch(address -> AddressScope.of(address) == AddressScope.PUBLIC);
    assertThat(reachable).isFalse();
    assertThat(node.kad.isServer()).isFalse();
    node.host.announce(() -> List.of(Multiaddr.of("/ip4/9.9.9.9/tcp/4070")));
    node.kad.mode(KademliaMode.AUTOMATIC);
    assertThat(node.kad.isServer()).isTrue();
    assertThat(node.host.protocols()).contains(PROTOCOL);
  }

  @Test
  void aHostThatDiesIsEvicted() throws Exception {
    Node first = start(KademliaMode.SERVER, List.of());
    Node second = start(KademliaMode.SERVER, List.of(first.address()));
    Node third = start(KademliaMode.SERVER, List.of(first.address()));
    PeerId dead = third.host.id();
    until(
        "all tables",
        () ->
            first.kad.tableSize() == 2
                && second.kad.tablePeers().contains(dead)
                && third.kad.tableSize() == 2);
    stop(third);
    // Whoever asks it next notices.
    until(
        "the eviction",
        () -> {
          second.kad.closestPeers(dead.bytes()).join();
          first.kad.closestPeers(dead.bytes()).join();
          return !second.kad.tablePeers().contains(dead) && !first.kad.tablePeers().contains(dead);
        });
    assertThat(first.kad.tablePeers()).containsExactly(second.host.id());
  }

  @Test
  void aRecordSurvivesItsProvidersRestartWithNewAddresses() throws Exception {
    Node first = start(KademliaMode.SERVER, List.of());
    Node second = start(KademliaMode.SERVER, List.of(first.address()));
    Ed25519PrivateKey key = Ed25519PrivateKey.generate(new SecureRandom());
    Node provider = start(key, KademliaMode.CLIENT, List.of(first.address()));
    until("a table", () -> provider.kad.tableSize() == 2);
    assertThat(provider.kad.provide(KEY).get(60, TimeUnit.SECONDS)).isEqualTo(2);
    stop(provider);

    Node again = start(key, KademliaMode.CLIENT, List.of(second.address()));
    assertThat(again.host.listenAddresses()).isNotEqualTo(provider.address().addresses());
    until("a table", () -> again.kad.tableSize() == 2);
    assertThat(again.kad.provide(KEY).get(60, TimeUnit.SECONDS)).isEqualTo(2);

    Node finder = start(KademliaMode.CLIENT, List.of(first.address()));
    List<PeerAddress> found =
        finder.kad.findProviders(KEY, 3, peer -> {}).get(60, TimeUnit.SECONDS);
    assertThat(found).extracting(PeerAddress::peer).containsExactly(again.host.id());
    assertThat(found.getFirst().addresses()).containsAll(again.host.listenAddresses());
    assertThat(finder.host.connect(found.getFirst()).get(60, TimeUnit.SECONDS).peer())
        .isEqualTo(again.host.id());
  }

  @Test
  void valuesAreKeptOnlyWithAValidator() throws Exception {
    Node first = start(KademliaMode.SERVER, List.of());
    Node second = start(KademliaMode.SERVER, List.of(first.address()));
    until("a table", () -> second.kad.tableSize() == 1 && first.kad.tableSize() == 1);
    byte[] key = "/number/one".getBytes(StandardCharsets.UTF_8);
    assertThat(second.kad.putValue(key, new byte[] {7}).get(60, TimeUnit.SECONDS)).isEqualTo(1);
    assertThat(first.kad.putValue(key, new byte[] {9}).get(60, TimeUnit.SECONDS)).isEqualTo(1);
    assertThat(second.kad.getValue(key).get(60, TimeUnit.SECONDS)).hasValue(new byte[] {9});
    assertThat(second.kad.putValue("/other/one".getBytes(StandardCharsets.UTF_8), new byte[] {7}))
        .failsWithin(Duration.ofSeconds(60))
        .withThrowableThat()
        .withMessageContaining("their namespace needs a validator");
  }

  @Test
  void closingEndsWhatIsUnderWay() throws Exception {
    Node first = start(KademliaMode.SERVER, List.of());
    Node second = start(KademliaMode.SERVER, List.of(first.address()));
    until("a table", () -> second.kad.tableSize() == 1);
    var lookup = second.kad.findProviders(KEY, 5, peer -> {});
    second.kad.close();
    assertThat(second.host.protocols()).doesNotContain(PROTOCOL);
    assertThat(lookup.handle((result, failure) -> failure == null ? "done" : failure.getMessage()))
        .succeedsWithin(Duration.ofSeconds(60))
        .asString()
        .containsAnyOf("done", "This Kademlia node is closed");
    assertThat(second.kad.findPeer(first.host.id()))
        .failsWithin(Duration.ofSeconds(60))
        .withThrowableThat()
        .withMessageContaining("This Kademlia node is closed");
    // The protocol is free for another.
    try (Kademlia again = Kademlia.start(second.host, config(KademliaMode.SERVER, List.of()))) {
      assertThat(again.isServer()).isTrue();
    }
  }

  private Node start(KademliaMode mode, List<PeerAddress> bootstrap) {
    return start(Ed25519PrivateKey.generate(new SecureRandom()), mode, bootstrap);
  }

  private Node start(Ed25519PrivateKey key, KademliaMode mode, List<PeerAddress> bootstrap) {
    Host host =
        new HostBuilder(key)
            .listen("/ip4/127.0.0.1/tcp/0")
            .withoutQuic()
            .eventLoopThreads(1)
            .start();
    Node node = new Node(host, Kademlia.start(host, config(mode, bootstrap)));
    nodes.add(node);
    return node;
  }

  private static KademliaConfig config(KademliaMode mode, List<PeerAddress> bootstrap) {
    return KademliaConfig.builder()
        .protocol(PROTOCOL)
        .mode(mode)
        .bootstrapPeers(bootstrap)
        .bootstrapInterval(Duration.ofSeconds(4))
        .queryTimeout(Duration.ofSeconds(30))
        .validator("number", new LargestNumber())
        .build();
  }

  private static void stop(Node node) {
    node.kad.close();
    node.host.close();
  }

  private static byte[] multihash(String content) {
    byte[] key = new byte[34];
    key[0] = 0x12;
    key[1] = 0x20;
    byte[] text = content.getBytes(StandardCharsets.UTF_8);
    System.arraycopy(text, 0, key, 2, text.length);
    return key;
  }

  private static Comparator<PeerAddress> byDistance() {
    KadKey target = KadKey.of(KEY);
    return (left, right) -> target.compareDistance(KadKey.of(left.peer()), KadKey.of(right.peer()));
  }

  private static void until(String what, BooleanSupplier reached) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
    while (!reached.getAsBoolean()) {
      assertThat(System.nanoTime()).as("waiting for %s", what).isLessThan(end);
      Thread.sleep(50);
    }
  }

  /// One-byte values, of which the largest is the best.
  private static final class LargestNumber implements RecordValidator {
    @Override
    public boolean isValid(byte[] key, byte[] value) {
      return value.length == 1;
    }

    @Override
    public int best(byte[] key, List<byte[]> values) {
      int best = 0;
      for (int i = 1; i < values.size(); i++) {
        if (values.get(i)[0] > values.get(best)[0]) {
          best = i;
        }
      }
      return best;
    }
  }
}
