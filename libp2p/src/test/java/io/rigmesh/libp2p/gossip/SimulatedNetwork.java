package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.identity.PeerId;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.Random;

/// A network of routers in one thread, with a clock of its own: links with latency and loss, nodes
/// that come and go, some of which attack. The same seed gives the same run.
final class SimulatedNetwork {
  static final String TOPIC = "/simulated/1";
  static final int LATENCY_MAX_MILLIS = 80;

  final Random random;
  final GossipConfig config;
  final Map<PeerId, Node> nodes = new LinkedHashMap<>();
  private final double loss;
  private final int latencyMinMillis;
  private final PriorityQueue<Event> events = new PriorityQueue<>();
  private final MessageDigest digest;
  private long eventNumber;
  long now;
  long rpcs;

  private record Event(long at, long number, Runnable what) implements Comparable<Event> {
    @Override
    public int compareTo(Event other) {
      return at != other.at ? Long.compare(at, other.at) : Long.compare(number, other.number);
    }
  }

  /// @param loss the share of RPCs that are lost, of those that carry no subscription
  /// @param latencyMinMillis each link's latency lies between this and [#LATENCY_MAX_MILLIS]
  SimulatedNetwork(long seed, GossipConfig config, double loss, int latencyMinMillis) {
    this.latencyMinMillis = latencyMinMillis;
    this.random = new Random(seed);
    this.config = config;
    this.loss = loss;
    try {
      this.digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  void after(long millis, Runnable what) {
    events.add(new Event(now + millis, eventNumber++, what));
  }

  void run(long millis) {
    long end = now + millis;
    while (!events.isEmpty() && events.element().at() <= end) {
      Event event = events.remove();
      now = event.at();
      event.what().run();
    }
    now = end;
  }

  /// All that was delivered where, when and over how many hops.
  String digest() {
    return HexFormat.of().formatHex(digest.digest());
  }

  HonestNode addHonest() {
    HonestNode node = new HonestNode();
    start(node);
    return node;
  }

  void start(Node node) {
    nodes.put(node.id, node);
    beat(node, random.nextInt(1000));
  }

  private void beat(Node node, int afterMillis) {
    after(
        afterMillis,
        () -> {
          if (nodes.containsKey(node.id)) {
            node.heartbeat();
            beat(node, 1000);
          }
        });
  }

  List<HonestNode> honest() {
    List<HonestNode> honest = new ArrayList<>();
    for (Node node : nodes.values()) {
      if (node instanceof HonestNode one) {
        honest.add(one);
      }
    }
    return honest;
  }

  /// Connects so many random other honest nodes.
  void dialRandom(Node from, int count) {
    List<HonestNode> all = honest();
    for (int dialled = 0, tries = 0; dialled < count && tries < 20 * count; tries++) {
      if (connect(from, all.get(random.nextInt(all.size())))) {
        dialled++;
      }
    }
  }

  boolean connect(Node dialler, Node listener) {
    if (dialler == listener || dialler.latencies.containsKey(listener.id)) {
      return false;
    }
    int latency = latencyMinMillis + random.nextInt(LATENCY_MAX_MILLIS - latencyMinMillis + 1);
    dialler.latencies.put(listener.id, latency);
    listener.latencies.put(dialler.id, latency);
    dialler.connected(listener.id, true);
    listener.connected(dialler.id, false);
    return true;
  }

  /// A node vanishes; its neighbours find out after the latency.
  void stop(Node node) {
    nodes.remove(node.id);
    node.latencies.forEach((peer, latency) ->
        after(
            latency,
            () -> {
              Node other = nodes.get(peer);
              if (other != null) {
                other.latencies.remove(node.id);
                other.disconnected(node.id);
              }
            }));
  }

  void send(Node from, PeerId to, Rpc rpc) {
    Integer latency = from.latencies.get(to);
    if (latency == null) {
      return;
    }
    rpcs++;
    if (rpc.subscriptions().isEmpty() && random.nextDouble() < loss) {
      return;
    }
    after(
        latency,
        () -> {
          Node target = nodes.get(to);
          if (target != null && target.latencies.containsKey(from.id)) {
            target.receive(from.id, rpc);
          }
        });
  }

  /// What has an id and neighbours.
  abstract class Node {
    final PeerId id = Messages.peer(random);
    final Map<PeerId, Integer> latencies = new LinkedHashMap<>();

    abstract void connected(PeerId peer, boolean outbound);

    void disconnected(PeerId peer) {}

    abstract void receive(PeerId from, Rpc rpc);

    abstract void heartbeat();

    void send(PeerId to, Rpc rpc) {
      SimulatedNetwork.this.send(this, to, rpc);
    }
  }

  /// A delivery to a node.
  ///
  /// @param hops how many links lay between the author and here
  record Delivery(long at, int hops) {}

  /// A node that runs the router as it is.
  final class HonestNode extends Node {
    final GossipRouter router =
        new GossipRouter(id, config, new Random(random.nextLong()), peer -> ByteString.EMPTY, now);
    final Map<MessageId, Delivery> deliveries = new HashMap<>();
    private long sequence;

    void join() {
      act(router.join(TOPIC, now));
    }

    Message publish(String data) {
      Message message = Messages.message(TOPIC, id, ++sequence, data);
      act(router.publish(message, now));
      return message;
    }

    @Override
    void connected(PeerId peer, boolean outbound) {
      act(
          router.addPeer(
              peer,
              PeerFeatures.of(PeerFeatures.MESHSUB_1_2),
              outbound,
              Optional.of(Integer.toString(peer.hashCode()))));
    }

    @Override
    void disconnected(PeerId peer) {
      router.removePeer(peer, now);
    }

    @Override
    void receive(PeerId from, Rpc rpc) {
      act(router.receive(from, rpc, now));
    }

    @Override
    void heartbeat() {
      act(router.heartbeat(now));
    }

    private void act(List<Action> actions) {
      for (Action action : actions) {
        switch (action) {
          case Action.Send send -> send(send.peer(), send.rpc());
          case Action.Verify verify ->
              act(
                  router.verified(
                      verify.message(), !data(verify.message()).startsWith("forged"), now));
          case Action.Judge judge ->
              act(
                  router.judged(
                      judge.message().id(),
                      data(judge.message()).startsWith("spam")
                          ? Topic.Verdict.REJECT
                          : Topic.Verdict.ACCEPT,
                      now));
          case Action.Deliver deliver -> deliver(deliver);
          case Action.Connect connect -> {
            Node other = nodes.get(connect.peer());
            if (other != null) {
              SimulatedNetwork.this.connect(this, other);
            }
          }
        }
      }
    }

    private void deliver(Action.Deliver deliver) {
      MessageId message = deliver.message().id();
      int hops = 0;
      if (!deliver.from().equals(id)
          && nodes.get(deliver.from()) instanceof HonestNode from
          && from.deliveries.get(message) != null) {
        hops = from.deliveries.get(message).hops() + 1;
      }
      if (deliveries.put(message, new Delivery(now, hops)) != null) {
        throw new AssertionError("Delivered twice: " + message);
      }
      digest.update(id.bytes());
      digest.update(message.bytes().toByteArray());
      digest.update(ByteBuffer.allocate(12).putLong(now).putInt(hops).array());
    }

    private static String data(Message message) {
      return message.data().toStringUtf8();
    }
  }
}
