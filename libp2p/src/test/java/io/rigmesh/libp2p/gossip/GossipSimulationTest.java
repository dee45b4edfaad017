package io.rigmesh.libp2p.gossip;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.gossip.SimulatedNetwork.Delivery;
import io.rigmesh.libp2p.gossip.SimulatedNetwork.HonestNode;
import io.rigmesh.libp2p.identity.PeerId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// The whole protocol on many routers with a clock of its own.
class GossipSimulationTest {
  private static final int NODES = 1000;
  private static final int DEGREE = MeshParameters.defaults().degrees().target();

  /// In a random graph where each node forwards to D - 1 others, the nodes reached grow by that
  /// factor at each hop until most are reached, after log(n) to that base, and the last of them
  /// after log(ln n) more: the leading terms of the diameter of random regular graphs (Bollobas and
  /// de la Vega, 1982).
  private static int hopsMax(int nodes) {
    double base = Math.log(DEGREE - 1);
    return (int) Math.ceil(Math.log(nodes) / base + Math.log(Math.log(nodes)) / base);
  }

  private static SimulatedNetwork network(
      long seed, int nodes, GossipConfig config, double loss, int latencyMinMillis) {
    SimulatedNetwork network = new SimulatedNetwork(seed, config, loss, latencyMinMillis);
    for (int i = 0; i < nodes; i++) {
      network.addHonest();
    }
    for (HonestNode node : network.honest()) {
      network.dialRandom(node, 10);
      node.join();
    }
    return network;
  }

  private static GossipConfig withoutFlood() {
    MeshParameters m = MeshParameters.defaults();
    return GossipConfig.defaults()
        .with(
            new MeshParameters(
                m.degrees(),
                m.gossipFactor(),
                m.heartbeat(),
                m.fanoutTimeToLive(),
                m.historyLength(),
                m.historyGossip(),
                m.seenTimeToLive(),
                m.pruneBackoff(),
                m.unsubscribeBackoff(),
                m.graftFlood(),
                m.exchangePeers(),
                false,
                m.opportunisticHeartbeats(),
                m.opportunisticPeers(),
                m.haveIdsMax(),
                m.haveMessagesMax(),
                m.wantFollowUp(),
                m.retransmissionsMax(),
                m.unwantedBytesMin()));
  }

  @Test
  void aMessageReachesAThousandNodesWithinTheHopsOfARandomGraph() {
    SimulatedNetwork network =
        network(1, NODES, withoutFlood(), 0, SimulatedNetwork.LATENCY_MAX_MILLIS);
    network.run(10_000);
    List<HonestNode> nodes = network.honest();
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      messages.add(nodes.get(network.random.nextInt(NODES)).publish("message " + i));
      network.run(100);
    }
    // Over the mesh alone: no heartbeat's gossip is waited for.
    int hopsMax = hopsMax(NODES);
    network.run((long) hopsMax * SimulatedNetwork.LATENCY_MAX_MILLIS);
    int farthest = 0;
    for (Message message : messages) {
      for (HonestNode node : nodes) {
        Delivery delivery = node.deliveries.get(message.id());
        assertThat(delivery).isNotNull();
        farthest = Math.max(farthest, delivery.hops());
      }
    }
    assertThat(farthest).isLessThanOrEqualTo(hopsMax);
    for (HonestNode node : nodes) {
      assertThat(node.router.mesh(SimulatedNetwork.TOPIC))
          .hasSizeBetween(
              MeshParameters.defaults().degrees().low(),
              MeshParameters.defaults().degrees().high());
    }
  }

  @Test
  void everyMessageArrivesWithinTheRoundsOfGossipDespiteLossAndChurn() {
    SimulatedNetwork network = network(2, NODES, withoutFlood(), 0.05, 20);
    network.run(10_000);
    Map<Message, Long> published = new LinkedHashMap<>();
    Map<HonestNode, Long> since = new HashMap<>();
    network.honest().forEach(node -> since.put(node, 0L));
    Set<HonestNode> left = new HashSet<>();
    for (int second = 0; second < 20; second++) {
      List<HonestNode> nodes = network.honest();
      // One in a hundred leaves each second, and as many come.
      for (int i = 0; i < NODES / 100; i++) {
        HonestNode leaving = nodes.get(network.random.nextInt(nodes.size()));
        if (left.add(leaving)) {
          network.stop(leaving);
        }
        HonestNode coming = network.addHonest();
        network.dialRandom(coming, 10);
        coming.join();
        since.put(coming, network.now);
      }
      List<HonestNode> present = network.honest();
      Message message = present.get(network.random.nextInt(present.size())).publish("m" + second);
      published.put(message, network.now);
      network.run(1000);
    }
    // The mesh's hops, then the rounds in which the message is told of: a heartbeat, and IHAVE,
    // IWANT and the message on their way.
    MeshParameters mesh = network.config.mesh();
    long hops = (long) hopsMax(NODES) * SimulatedNetwork.LATENCY_MAX_MILLIS;
    long round = mesh.heartbeat().toMillis() + 3L * SimulatedNetwork.LATENCY_MAX_MILLIS;
    long bound = hops + mesh.historyGossip() * round;
    network.run(bound);
    long latest = 0;
    int checked = 0;
    for (Map.Entry<Message, Long> entry : published.entrySet()) {
      for (HonestNode node : network.honest()) {
        // A node takes part once its own grafts were answered.
        if (since.get(node) + 2000 <= entry.getValue() || since.get(node) == 0) {
          Delivery delivery = node.deliveries.get(entry.getKey().id());
          assertThat(delivery).as("%s at %s", entry.getKey().id(), node.id).isNotNull();
          latest = Math.max(latest, delivery.at() - entry.getValue());
          checked++;
        }
      }
    }
    assertThat(checked).isGreaterThan(15_000);
    assertThat(latest).isLessThanOrEqualTo(bound);
  }

  @Test
  void gossipBringsWhatTheMeshLoses() {
    SimulatedNetwork network = network(5, 200, withoutFlood(), 0.3, 20);
    network.run(10_000);
    MeshParameters mesh = network.config.mesh();
    long hops = (long) hopsMax(200) * SimulatedNetwork.LATENCY_MAX_MILLIS;
    List<HonestNode> nodes = network.honest();
    int late = 0;
    for (int i = 0; i < 20; i++) {
      Message message = nodes.get(network.random.nextInt(200)).publish("m" + i);
      long publishedAt = network.now;
      // IHAVEs, IWANTs and answers are lost too: many peers tell of each message.
      network.run(hops + (mesh.historyLength() + 1) * mesh.heartbeat().toMillis());
      for (HonestNode node : nodes) {
        Delivery delivery = node.deliveries.get(message.id());
        assertThat(delivery).as("%s at %s", message.id(), node.id).isNotNull();
        if (delivery.at() - publishedAt > hops) {
          late++;
        }
      }
    }
    assertThat(late).as("deliveries that the mesh alone did not make").isPositive();
  }

  /// A topic with about one message a second, of which each mesh peer should bring two within the
  /// memory of some twenty seconds.
  private static GossipConfig withKnownRate() {
    return GossipConfig.defaults()
        .with(
            ScoreParameters.defaults()
                .with(
                    SimulatedNetwork.TOPIC,
                    TopicScoreParameters.defaults()
                        .with(
                            new TopicScoreParameters.MeshDeliveries(
                                -1, 0.95, 1.5, 20, Duration.ofSeconds(15), Duration.ofSeconds(1)),
                            new TopicScoreParameters.MeshFailures(-1, 0.995))));
  }

  @Test
  void attackersAreScoredOutWhileEveryHonestMessageArrives() {
    int honest = 120;
    int attackers = 90;
    SimulatedNetwork network = network(6, honest, withKnownRate(), 0.01, 20);
    network.run(3000);
    Attacker.Kind[] kinds = Attacker.Kind.values();
    for (int i = 0; i < attackers; i++) {
      Attacker attacker = new Attacker(network, kinds[i % kinds.length]);
      network.start(attacker);
      network.dialRandom(attacker, 20);
    }
    List<HonestNode> nodes = network.honest();
    List<Message> published = new ArrayList<>();
    AttackersInMeshes seen = new AttackersInMeshes(nodes);
    for (int second = 0; second < 90; second++) {
      published.add(nodes.get(network.random.nextInt(honest)).publish("m" + second));
      network.run(1000);
      seen.look(network, second);
    }
    network.run(5000);
    for (Message message : published) {
      for (HonestNode node : nodes) {
        assertThat(node.deliveries).as("at %s", node.id).containsKey(message.id());
      }
    }
    assertThat(seen.highestShare)
        .as("share of the meshes when the attack begins")
        .isGreaterThan(0.3);
    assertThat(seen.activeAfterHalfAMinute).as("attackers that do more than be silent").isZero();
    // The only way in for a silent peer is to be new: it is measured after 15 seconds, within a
    // decay interval and a heartbeat.
    assertThat(seen.longestSeconds).as("longest stay in a mesh").isLessThanOrEqualTo(18);
    assertThat(seen.share).as("share of the meshes at the end").isLessThan(0.05);
  }

  /// What attackers have of the honest nodes' meshes, looked at every second.
  private static final class AttackersInMeshes {
    private final List<HonestNode> nodes;
    private Map<Stay, Integer> secondsInMesh = new HashMap<>();
    double share;
    double highestShare;
    int longestSeconds;
    int activeAfterHalfAMinute;

    private record Stay(PeerId node, PeerId attacker) {}

    AttackersInMeshes(List<HonestNode> nodes) {
      this.nodes = nodes;
    }

    void look(SimulatedNetwork network, int second) {
      int all = 0;
      Map<Stay, Integer> now = new HashMap<>();
      for (HonestNode node : nodes) {
        for (PeerId peer : node.router.mesh(SimulatedNetwork.TOPIC)) {
          all++;
          if (network.nodes.get(peer) instanceof Attacker attacker) {
            Stay stay = new Stay(node.id, peer);
            now.put(stay, secondsInMesh.getOrDefault(stay, 0) + 1);
            longestSeconds = Math.max(longestSeconds, now.get(stay));
            if (attacker.kind != Attacker.Kind.SILENT && second >= 30) {
              activeAfterHalfAMinute++;
            }
          }
        }
      }
      secondsInMesh = now;
      share = (double) now.size() / all;
      highestShare = Math.max(highestShare, share);
    }
  }

  @Test
  void theSameSeedGivesTheSameRun() {
    assertThat(digest(3)).isEqualTo(digest(3)).isNotEqualTo(digest(4));
  }

  private static String digest(long seed) {
    SimulatedNetwork network = network(seed, 100, GossipConfig.defaults(), 0.05, 20);
    network.run(3000);
    for (HonestNode node : network.honest().subList(0, 10)) {
      node.publish("message");
    }
    network.run(3000);
    return network.digest();
  }
}
