package io.rigmesh.libp2p.kad;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class KadSimulationTest {
  private static final int NODES = 5_000;

  @Test
  void fiveThousandNodesFindRecordsInLogarithmicallyManyHops() {
    KadSimulation world = new KadSimulation(20_261_122);
    world.join(NODES, 60);
    report(world, "joined");
    Map<ByteString, PeerId> records = provide(world, 200);
    report(world, "provided");
    List<ProviderSearch.Result> quiet = find(world, records, 300);
    assertFound("all alive", quiet, 1.0);

    // A fifth dies at once; nobody has had the time to notice.
    kill(world, NODES / 5, records);
    List<ProviderSearch.Result> wounded = find(world, records, 300);
    assertFound("20% dead", wounded, 1.0);

    // Then some leave and some join all the time.
    List<ProviderSearch.Result> churn = new ArrayList<>();
    for (int minute = 0; minute < 3; minute++) {
      kill(world, NODES / 100, records);
      for (int i = 0; i < NODES / 100; i++) {
        world.joinOne().node.start();
      }
      churn.addAll(find(world, records, 100));
    }
    assertFound("churn", churn, 1.0);
    report(world, "end");
  }

  @Test
  void theSameSeedGivesTheSameRun() {
    assertThat(smallRun(1)).isEqualTo(smallRun(1)).isNotEqualTo(smallRun(2));
  }

  private static long smallRun(long seed) {
    KadSimulation world = new KadSimulation(seed);
    world.join(200, 60);
    find(world, provide(world, 20), 50);
    world.run(700_000);
    return world.digest();
  }

  /// An attacker with one /16 makes 400 ids nearer to a key than any honest node, makes himself
  /// known to all, and answers with nothing but his own ids and providers that do not exist. Half
  /// of his ids claim a second address, in a network that is not his.
  @Test
  void manyIdsFromOneNetworkDoNotHideARecord() {
    KadSimulation world = new KadSimulation(7);
    world.join(1_000, 60);
    ByteString key = world.randomMultihash();
    KadKey point = KadKey.of(key.toByteArray());
    KadSimulation.Peer before = world.anyone();
    before.node.provide(key, told -> {});
    world.run(60_000);

    List<PeerAddress> gang = new ArrayList<>();
    KadSimulation.Liar liar = request -> Optional.of(lie(world, gang, request));
    for (int i = 0; i < 400; i++) {
      PeerId id = world.randomId();
      while (point.commonPrefix(KadKey.of(id)) < 12) {
        id = world.randomId();
      }
      List<Multiaddr> claimed = new ArrayList<>();
      claimed.add(Multiaddr.of("/ip4/9.9." + i % 256 + "." + i / 256 + "/udp/4070/quic-v1"));
      if (i % 2 == 0) {
        claimed.add(world.randomAddress());
      }
      world.add(id, claimed, world.config().build(), liar);
      gang.add(new PeerAddress(id, claimed));
    }
    List<KadSimulation.Peer> honest =
        world.inOrder.stream().filter(peer -> peer.liar == null).toList();
    assertThat(honest).noneMatch(peer -> point.commonPrefix(KadKey.of(peer.id)) >= 12);
    for (PeerAddress member : gang) {
      for (int i = 0; i < 50; i++) {
        KadSimulation.Peer target = honest.get(world.random.nextInt(honest.size()));
        world
            .peers
            .get(member.peer())
            .ask(target.peerAddress(), List.of(KadMessage.findNode(key)), outcome -> {});
      }
    }
    world.run(10_000);
    // The tables hold few of them.
    Set<PeerId> members = new HashSet<>();
    gang.forEach(member -> members.add(member.peer()));
    int taken = 0;
    for (KadSimulation.Peer peer : honest) {
      int bad = (int) peer.node.table().peers().stream().filter(members::contains).count();
      assertThat(bad).isLessThanOrEqualTo(3);
      taken += bad;
    }
    assertThat(taken).isPositive();

    // A second provider announces itself while the attack runs.
    KadSimulation.Peer during = world.anyone();
    during.node.provide(key, told -> {});
    world.run(60_000);

    List<ProviderSearch.Result> results = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      KadSimulation.Peer finder = world.anyone();
      if (finder != before && finder != during) {
        finder.node.findProviders(key, 20, found -> {}, results::add);
      }
    }
    world.run(60_000);
    double asked = results.stream().mapToInt(ProviderSearch.Result::asked).average().orElse(0);
    System.out.printf(
        "attack: %d entries in %d tables, %.1f peers asked%n", taken, honest.size(), asked);
    assertThat(results).hasSizeGreaterThan(40);
    assertThat(results)
        .allSatisfy(result ->
            assertThat(result.providers())
                .extracting(PeerAddress::peer)
                .contains(before.id, during.id));
  }

  private static KadMessage lie(KadSimulation world, List<PeerAddress> gang, KadMessage request) {
    List<PeerAddress> closer = new ArrayList<>();
    List<PeerAddress> providers = new ArrayList<>();
    for (int i = 0; i < KademliaConfig.K; i++) {
      closer.add(gang.get(world.random.nextInt(gang.size())));
      providers.add(new PeerAddress(world.randomId(), List.of(world.randomAddress())));
    }
    return new KadMessage(
        request.type(),
        request.key(),
        Optional.empty(),
        closer,
        request.type() == KadMessage.Type.GET_PROVIDERS ? providers : List.of());
  }

  private static Map<ByteString, PeerId> provide(KadSimulation world, int count) {
    Map<ByteString, PeerId> records = new LinkedHashMap<>();
    List<Integer> told = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      KadSimulation.Peer provider = world.anyone();
      ByteString key = world.randomMultihash();
      provider.node.provide(key, told::add);
      records.put(key, provider.id);
    }
    world.run(60_000);
    assertThat(told).hasSize(count).allMatch(nodes -> nodes >= KademliaConfig.K - 4);
    return records;
  }

  private static void kill(KadSimulation world, int count, Map<ByteString, PeerId> records) {
    for (int killed = 0; killed < count; ) {
      KadSimulation.Peer victim = world.anyone();
      if (!records.containsValue(victim.id)) {
        victim.alive = false;
        killed++;
      }
    }
  }

  /// Lets strangers look for records, and checks that what is found is true.
  private static List<ProviderSearch.Result> find(
      KadSimulation world, Map<ByteString, PeerId> records, int count) {
    List<Map.Entry<ByteString, PeerId>> all = List.copyOf(records.entrySet());
    List<ProviderSearch.Result> results = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      Map.Entry<ByteString, PeerId> record = all.get(world.random.nextInt(all.size()));
      KadSimulation.Peer finder = world.anyone();
      PeerAddress expected = world.peers.get(record.getValue()).peerAddress();
      if (finder.id.equals(expected.peer())) {
        finder = world.inOrder.get(0);
      }
      finder.node.findProviders(
          record.getKey(),
          1,
          found -> {},
          result -> {
            if (!result.providers().isEmpty()) {
              assertThat(result.providers()).containsExactly(expected);
            }
            results.add(result);
          });
    }
    world.run(60_000);
    assertThat(results).hasSize(count);
    return results;
  }

  /// Each hop brings a lookup into a bucket of 20 that share some bits more, so that log2(n) hops
  /// are the worst case, and about log2(n) / log2(20) the usual one.
  private static void assertFound(String phase, List<ProviderSearch.Result> results, double share) {
    TreeMap<Integer, Integer> hops = new TreeMap<>();
    results.forEach(result -> hops.merge(result.hops(), 1, Integer::sum));
    double asked = results.stream().mapToInt(ProviderSearch.Result::asked).average().orElse(0);
    System.out.printf("%s: lookups per hops %s, %.1f peers asked%n", phase, hops, asked);
    double found = results.stream().filter(result -> !result.providers().isEmpty()).count();
    assertThat(found / results.size()).isGreaterThanOrEqualTo(share);
    double bits = Math.log(NODES) / Math.log(2);
    assertThat(hops.lastKey()).isLessThanOrEqualTo((int) Math.ceil(bits));
    double mean = results.stream().mapToInt(ProviderSearch.Result::hops).average().orElse(0);
    assertThat(mean).isLessThanOrEqualTo(Math.ceil(bits / (Math.log(20) / Math.log(2))) + 1);
  }

  private static void report(KadSimulation world, String when) {
    double table =
        world.inOrder.stream()
            .filter(peer -> peer.alive)
            .mapToInt(peer -> peer.node.table().size())
            .average()
            .orElse(0);
    System.out.printf(
        "%s at %d s: %d messages, table of %.1f peers%n",
        when, world.now() / 1_000, world.messagesSent, table);
  }
}
