package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.random.RandomGenerator;

/// Tells peers outside the mesh of recent messages, asks for what was missed, and remembers who
/// promised what (IHAVE, IWANT and IDONTWANT; gossipsub 1.1, "Spam Protection Measures"). Not
/// thread-safe.
final class LazyGossip {
  /// Ids of IDONTWANT that are read of one peer per heartbeat.
  private static final int UNWANTED_IDS_MAX = 1024;

  /// Heartbeats for which an IDONTWANT is remembered.
  private static final int UNWANTED_HEARTBEATS = 3;

  private final MeshParameters parameters;
  private final ScoreThresholds thresholds;
  private final Neighbours neighbours;
  private final Meshes meshes;
  private final PeerScores scores;
  private final SeenMessages seen;
  private final MessageCache cache;
  private final Outbox outbox;
  private final RandomGenerator random;

  /// For one message of each IHAVE that was followed by an IWANT: who promised it until when.
  private final Map<MessageId, Map<PeerId, Long>> promises = new LinkedHashMap<>();

  LazyGossip(
      GossipConfig config,
      Neighbours neighbours,
      Meshes meshes,
      PeerScores scores,
      SeenMessages seen,
      MessageCache cache,
      Outbox outbox,
      RandomGenerator random) {
    this.parameters = config.mesh();
    this.thresholds = config.thresholds();
    this.neighbours = neighbours;
    this.meshes = meshes;
    this.scores = scores;
    this.seen = seen;
    this.cache = cache;
    this.outbox = outbox;
    this.random = random;
  }

  /// A peer's IHAVEs: asks for what is new, within the limits of a heartbeat.
  void have(Neighbour peer, List<Rpc.Have> haves, long now) {
    if (haves.isEmpty() || scores.score(peer.id) < thresholds.gossip()) {
      return;
    }
    if (++peer.haveMessages > parameters.haveMessagesMax()) {
      return;
    }
    int left = parameters.haveIdsMax() - peer.askedIds;
    Set<MessageId> fresh = new LinkedHashSet<>();
    for (Rpc.Have have : haves) {
      if (!meshes.joined(have.topic())) {
        continue;
      }
      for (MessageId id : have.ids()) {
        if (seen.get(id) == null) {
          fresh.add(id);
        }
      }
    }
    if (fresh.isEmpty() || left <= 0) {
      return;
    }
    List<MessageId> ask = new ArrayList<>(fresh);
    Collections.shuffle(ask, random);
    ask = ask.subList(0, Math.min(left, ask.size()));
    peer.askedIds += ask.size();
    outbox.gossip(peer.id).wanted.addAll(ask);
    // One at random stands for all: whoever makes ids up is caught sooner or later.
    promises
        .computeIfAbsent(ask.getFirst(), id -> new LinkedHashMap<>())
        .putIfAbsent(peer.id, now + parameters.wantFollowUp().toMillis());
  }

  /// A peer's IWANT: sends what is cached, each message a few times at most.
  void want(Neighbour peer, List<MessageId> ids) {
    if (ids.isEmpty() || scores.score(peer.id) < thresholds.gossip()) {
      return;
    }
    for (MessageId id : new LinkedHashSet<>(ids)) {
      if (peer.wants(id)) {
        Message message = cache.take(id, peer.id, parameters.retransmissionsMax());
        if (message != null) {
          outbox.message(peer.id, Rpc.of(message), Priority.FORWARD);
        }
      }
    }
  }

  /// A peer's IDONTWANT.
  void unwant(Neighbour peer, List<MessageId> ids, long heartbeats) {
    for (MessageId id : ids) {
      if (++peer.unwantedIds > UNWANTED_IDS_MAX) {
        return;
      }
      peer.unwanted.put(id, heartbeats + UNWANTED_HEARTBEATS);
    }
  }

  /// Tells the mesh that a large message has come. Only after its signature was found right: a
  /// forgery with the id of a true message would keep that away.
  void announceUnwanted(Message message, SeenMessages.Entry entry) {
    if (message.size() < parameters.unwantedBytesMin()) {
      return;
    }
    for (Neighbour peer : meshes.mesh(message.topic())) {
      if (peer.features.unwanted()
          && !entry.brought(peer.id)
          && !message.author().equals(peer.id)) {
        outbox.control(peer.id).unwanted.add(message.id());
      }
    }
  }

  /// A message has come, from whomever: nobody needs to send it any more.
  void arrived(MessageId id) {
    promises.remove(id);
  }

  /// What this peer promised may be stuck behind this host's own slowness.
  void forgive(PeerId peer) {
    promises.values().removeIf(promised -> promised.remove(peer) != null && promised.isEmpty());
  }

  /// Penalises broken promises and opens a new period for all limits.
  void openHeartbeat(long heartbeats, long now) {
    Iterator<Map<PeerId, Long>> all = promises.values().iterator();
    while (all.hasNext()) {
      Map<PeerId, Long> promised = all.next();
      promised
          .entrySet()
          .removeIf(promise -> {
            boolean broken = promise.getValue() <= now;
            if (broken) {
              scores.penalise(promise.getKey(), 1);
            }
            return broken;
          });
      if (promised.isEmpty()) {
        all.remove();
      }
    }
    for (Neighbour peer : neighbours.all()) {
      peer.haveMessages = 0;
      peer.askedIds = 0;
      peer.unwantedIds = 0;
      if (!peer.unwanted.isEmpty()) {
        peer.unwanted.values().removeIf(until -> until < heartbeats);
      }
    }
  }

  /// Tells some peers of each topic what is new (gossipsub 1.1, "Adaptive Gossip Dissemination"),
  /// and moves the cache on.
  void emit() {
    meshes.all().forEach(this::emit);
    cache.shift();
  }

  private void emit(String topic, Set<Neighbour> mesh) {
    List<MessageId> ids = cache.gossipIds(topic);
    if (ids.isEmpty()) {
      return;
    }
    List<Neighbour> candidates =
        neighbours.pick(
            topic,
            Integer.MAX_VALUE,
            peer ->
                peer.features.mesh()
                    && !peer.direct
                    && !mesh.contains(peer)
                    && scores.score(peer.id) >= thresholds.gossip());
    int count =
        Math.max(
            parameters.degrees().lazy(), (int) (parameters.gossipFactor() * candidates.size()));
    for (Neighbour peer : candidates.subList(0, Math.min(count, candidates.size()))) {
      List<Rpc.Have> haves = outbox.gossip(peer.id).haves;
      int told = haves.stream().mapToInt(have -> have.ids().size()).sum();
      int left = parameters.haveIdsMax() - told;
      if (left > 0) {
        haves.add(new Rpc.Have(topic, some(ids, left)));
      }
    }
  }

  /// All ids, or as many as are left, others for each peer.
  private List<MessageId> some(List<MessageId> ids, int count) {
    if (ids.size() <= count) {
      return ids;
    }
    List<MessageId> shuffled = new ArrayList<>(ids);
    Collections.shuffle(shuffled, random);
    return shuffled.subList(0, count);
  }
}
