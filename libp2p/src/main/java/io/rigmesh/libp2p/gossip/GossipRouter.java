package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.identity.PeerId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;

/// The gossipsub router: what one node does with what it hears. Pure: events, time (milliseconds of
/// any clock that only goes forward) and randomness are handed in; what is to be done comes back as
/// [Action]s, in order. Not thread-safe.
///
/// A message goes through two checks outside of it: [Action.Verify] its signature, then
/// [Action.Judge] by the topic's validator. Only a message whose signature was right counts as
/// seen, or else a forgery would keep the true message out.
final class GossipRouter {
  /// Topics that a host may join: their announcement fits one RPC.
  static final int TOPICS_MAX = 1000;

  private static final Duration DIRECT_CHECK = Duration.ofMinutes(5);

  private final PeerId self;
  private final GossipConfig config;
  private final Set<PeerId> direct;
  private final PeerScores scores;
  private final Neighbours neighbours;
  private final Outbox outbox = new Outbox();
  private final Meshes meshes;
  private final SeenMessages seen;
  private final MessageCache cache;
  private final LazyGossip gossip;

  /// Messages whose signature is being checked, by id; several when they differ, which all but one
  /// must be forgeries.
  private final Map<MessageId, List<Unverified>> unverified = new LinkedHashMap<>();

  private long heartbeats;
  private long directCheckedAt = Long.MIN_VALUE / 2;

  private record Unverified(Message message, Set<PeerId> from) {}

  /// @param records the signed peer record of a peer, empty when none is known
  GossipRouter(
      PeerId self,
      GossipConfig config,
      RandomGenerator random,
      Function<PeerId, ByteString> records,
      long now) {
    this.self = self;
    this.config = config;
    this.direct =
        config.direct().stream()
            .map(address -> address.peer())
            .collect(Collectors.toCollection(LinkedHashSet::new));
    MeshParameters mesh = config.mesh();
    this.scores = new PeerScores(config.score(), now);
    this.neighbours = new Neighbours(random);
    this.meshes = new Meshes(config, neighbours, scores, outbox, random, records);
    this.seen = new SeenMessages(mesh.seenTimeToLive().toMillis(), config.limits().seenMax());
    this.cache =
        new MessageCache(
            mesh.historyLength(), mesh.historyGossip(), config.limits().cacheBytesMax());
    this.gossip = new LazyGossip(config, neighbours, meshes, scores, seen, cache, outbox, random);
  }

  /// A peer speaks the protocol. Again for one that is known, when its version or connection is
  /// another.
  ///
  /// @param outbound whether this host dialled it
  /// @param address what its IP address counts as for colocation, if it counts
  List<Action> addPeer(
      PeerId peer, PeerFeatures features, boolean outbound, Optional<String> address) {
    scores.add(peer, address);
    Neighbour neighbour = neighbours.get(peer);
    if (neighbour == null) {
      neighbours.add(new Neighbour(peer, features, outbound, direct.contains(peer)));
      return greet(peer);
    }
    neighbour.features = features;
    neighbour.outbound = outbound;
    return List.of();
  }

  /// Says again what the peer must know: its stream was lost, and with it perhaps what it heard.
  List<Action> greet(PeerId peer) {
    Neighbour neighbour = neighbours.get(peer);
    if (neighbour != null && !meshes.topics().isEmpty()) {
      Rpc.Builder hello = outbox.control(peer);
      for (String topic : meshes.topics()) {
        hello.subscriptions.add(new Rpc.Subscription(topic, true));
        if (meshes.mesh(topic).contains(neighbour)) {
          hello.grafts.add(topic);
        }
      }
    }
    return outbox.take();
  }

  /// A peer is no longer connected.
  void removePeer(PeerId peer, long now) {
    Neighbour neighbour = neighbours.remove(peer);
    if (neighbour != null) {
      meshes.removed(neighbour);
      scores.remove(peer, now);
      gossip.forgive(peer);
    }
  }

  /// Subscribes.
  ///
  /// @throws IllegalStateException when too many topics are joined
  List<Action> join(String topic, long now) {
    if (!meshes.joined(topic)) {
      if (meshes.topics().size() >= TOPICS_MAX) {
        throw new IllegalStateException(
            "A host joins at most " + TOPICS_MAX + " topics; leave one first");
      }
      announce(topic, true);
      meshes.join(topic, now);
    }
    return outbox.take();
  }

  /// Unsubscribes.
  List<Action> leave(String topic, long now) {
    if (meshes.joined(topic)) {
      announce(topic, false);
      meshes.leave(topic, now);
    }
    return outbox.take();
  }

  private void announce(String topic, boolean subscribe) {
    for (Neighbour peer : neighbours.all()) {
      outbox.control(peer.id).subscriptions.add(new Rpc.Subscription(topic, subscribe));
    }
  }

  /// Sends an own message, whose validator has accepted it already.
  List<Action> publish(Message message, long now) {
    if (seen.get(message.id()) != null) {
      return List.of();
    }
    seen.add(message, self, now).decide(SeenMessages.State.ACCEPTED, now);
    cache.put(message);
    if (meshes.joined(message.topic())) {
      outbox.add(new Action.Deliver(message, self));
    }
    Set<Neighbour> to = new LinkedHashSet<>();
    double threshold = config.thresholds().publish();
    boolean flood = config.mesh().floodPublish();
    for (Neighbour peer : neighbours.subscribed(message.topic())) {
      if (peer.direct || ((flood || !peer.features.mesh()) && scores.score(peer.id) >= threshold)) {
        to.add(peer);
      }
    }
    if (!flood) {
      to.addAll(meshes.publishTo(message.topic(), now));
    }
    Rpc rpc = Rpc.of(message);
    for (Neighbour peer : to) {
      if (peer.wants(message.id())) {
        outbox.message(peer.id, rpc, Priority.PUBLISH);
      }
    }
    return outbox.take();
  }

  /// An RPC has come from a peer that was added.
  List<Action> receive(PeerId from, Rpc rpc, long now) {
    Neighbour peer = neighbours.get(from);
    if (peer == null) {
      return List.of();
    }
    rpc.subscriptions().forEach(subscription -> subscription(peer, subscription));
    if (isGraylisted(from)) {
      return outbox.take();
    }
    for (Rpc.Fault fault : rpc.faults()) {
      if (meshes.joined(fault.topic())) {
        scores.invalid(from, fault.topic());
      }
    }
    rpc.messages().forEach(message -> message(peer, message, now));
    rpc.grafts().forEach(topic -> meshes.grafted(peer, topic, now));
    rpc.prunes().forEach(prune -> meshes.pruned(peer, prune, now));
    gossip.unwant(peer, rpc.unwanted(), heartbeats);
    gossip.have(peer, rpc.haves(), now);
    gossip.want(peer, rpc.wanted());
    return outbox.take();
  }

  private boolean isGraylisted(PeerId peer) {
    return !direct.contains(peer) && scores.score(peer) < config.thresholds().graylist();
  }

  private void subscription(Neighbour peer, Rpc.Subscription subscription) {
    if (!subscription.subscribe()) {
      neighbours.unsubscribe(peer, subscription.topic());
      meshes.unsubscribed(peer, subscription.topic());
    } else if (peer.topics.size() < config.limits().peerTopicsMax()) {
      neighbours.subscribe(peer, subscription.topic());
    }
  }

  private void message(Neighbour peer, Message message, long now) {
    // Whoever sends back what this host said means no harm.
    if (!meshes.joined(message.topic()) || message.author().equals(self)) {
      return;
    }
    SeenMessages.Entry entry = seen.get(message.id());
    if (entry != null) {
      copy(peer.id, message, entry, now);
      return;
    }
    gossip.arrived(message.id());
    List<Unverified> candidates =
        unverified.computeIfAbsent(message.id(), id -> new ArrayList<>(1));
    for (Unverified candidate : candidates) {
      if (candidate.message().wire().equals(message.wire())) {
        candidate.from().add(peer.id);
        return;
      }
    }
    candidates.add(new Unverified(message, new LinkedHashSet<>(Set.of(peer.id))));
    outbox.add(new Action.Verify(message, peer.id));
  }

  /// Another delivery of a message that was seen.
  private void copy(PeerId from, Message message, SeenMessages.Entry entry, long now) {
    if (entry.brought(from) || !entry.isCopy(message)) {
      return;
    }
    switch (entry.state) {
      case JUDGING -> entry.others.add(from);
      case ACCEPTED -> {
        if (now - entry.decidedAt <= scores.windowMillis(message.topic())) {
          entry.others.add(from);
          scores.nearDelivery(from, message.topic());
        }
      }
      case REJECTED -> scores.invalid(from, message.topic());
      case IGNORED -> {}
    }
  }

  /// Whether an [Action.Verify] is still worth its cost; when not, no answer is needed. Whoever
  /// became graylisted meanwhile has often sent many more wrong signatures in the same RPC.
  boolean mustVerify(Message message) {
    for (Unverified candidate : unverified.getOrDefault(message.id(), List.of())) {
      if (candidate.message().wire().equals(message.wire())) {
        if (candidate.from().stream().allMatch(this::isGraylisted)) {
          takeUnverified(message);
          return false;
        }
        return true;
      }
    }
    return false;
  }

  /// The answer to [Action.Verify]: without it, or [#mustVerify] being false, the message is
  /// remembered.
  ///
  /// @param genuine whether the author's signature is right
  List<Action> verified(Message message, boolean genuine, long now) {
    Set<PeerId> from = takeUnverified(message);
    if (!genuine) {
      from.forEach(peer -> scores.invalid(peer, message.topic()));
      return outbox.take();
    }
    SeenMessages.Entry known = seen.get(message.id());
    if (known != null) {
      from.forEach(peer -> copy(peer, message, known, now));
      return outbox.take();
    }
    List<PeerId> inOrder = List.copyOf(from);
    if (inOrder.isEmpty()) {
      return outbox.take();
    }
    SeenMessages.Entry entry = seen.add(message, inOrder.getFirst(), now);
    entry.others.addAll(inOrder.subList(1, inOrder.size()));
    gossip.announceUnwanted(message, entry);
    outbox.add(new Action.Judge(message, entry.first));
    return outbox.take();
  }

  private Set<PeerId> takeUnverified(Message message) {
    List<Unverified> candidates = unverified.getOrDefault(message.id(), List.of());
    for (Unverified candidate : candidates) {
      if (candidate.message().wire().equals(message.wire())) {
        candidates.remove(candidate);
        if (candidates.isEmpty()) {
          unverified.remove(message.id());
        }
        // A linked set in order of arrival, though the type does not say so.
        return candidate.from();
      }
    }
    return Set.of();
  }

  /// The answer to [Action.Judge].
  List<Action> judged(MessageId id, Topic.Verdict verdict, long now) {
    SeenMessages.Entry entry = seen.get(id);
    if (entry == null || entry.message == null) {
      return List.of();
    }
    Message message = entry.message;
    switch (verdict) {
      case ACCEPT -> accept(message, entry, now);
      case REJECT -> {
        entry.decide(SeenMessages.State.REJECTED, now);
        scores.invalid(entry.first, message.topic());
        entry.others.forEach(peer -> scores.invalid(peer, message.topic()));
      }
      case IGNORE -> entry.decide(SeenMessages.State.IGNORED, now);
    }
    return outbox.take();
  }

  private void accept(Message message, SeenMessages.Entry entry, long now) {
    entry.decide(SeenMessages.State.ACCEPTED, now);
    scores.firstDelivery(entry.first, message.topic());
    entry.others.forEach(peer -> scores.nearDelivery(peer, message.topic()));
    if (!meshes.joined(message.topic())) {
      return;
    }
    cache.put(message);
    outbox.add(new Action.Deliver(message, entry.first));
    Set<Neighbour> to = new LinkedHashSet<>(meshes.mesh(message.topic()));
    double threshold = config.thresholds().publish();
    for (Neighbour peer : neighbours.subscribed(message.topic())) {
      if (peer.direct || (!peer.features.mesh() && scores.score(peer.id) >= threshold)) {
        to.add(peer);
      }
    }
    Rpc rpc = Rpc.of(message);
    for (Neighbour peer : to) {
      if (!entry.brought(peer.id)
          && !peer.id.equals(message.author())
          && peer.wants(message.id())) {
        outbox.message(peer.id, rpc, Priority.FORWARD);
      }
    }
  }

  /// Maintenance, to be called once every [MeshParameters#heartbeat] (gossipsub 1.0, "Heartbeat").
  List<Action> heartbeat(long now) {
    heartbeats++;
    scores.decay(now);
    gossip.openHeartbeat(heartbeats, now);
    seen.expire(now);
    if (now - directCheckedAt >= DIRECT_CHECK.toMillis()) {
      directCheckedAt = now;
      for (PeerId peer : direct) {
        if (neighbours.get(peer) == null) {
          outbox.add(new Action.Connect(peer, ByteString.EMPTY));
        }
      }
    }
    meshes.heartbeat(heartbeats, now);
    gossip.emit();
    return outbox.take();
  }

  /// A peer sent what is not an RPC, or more than it may.
  void misbehaved(PeerId peer) {
    scores.penalise(peer, 1);
  }

  /// This host does not keep up with what a peer sends: no promise of it counts as broken.
  void overloaded(PeerId peer) {
    gossip.forgive(peer);
  }

  double score(PeerId peer) {
    return scores.score(peer);
  }

  List<PeerId> peers(String topic) {
    return neighbours.subscribed(topic).stream().map(peer -> peer.id).toList();
  }

  List<PeerId> mesh(String topic) {
    return meshes.mesh(topic).stream().map(peer -> peer.id).toList();
  }

  boolean knows(PeerId peer) {
    return neighbours.get(peer) != null;
  }

  int seenCount() {
    return seen.size();
  }
}
