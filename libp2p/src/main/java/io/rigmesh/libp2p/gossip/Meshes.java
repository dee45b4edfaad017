package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.identity.PeerId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// The peers that each topic's messages are forwarded to: a mesh for a joined topic, a fanout for
/// one that is only published to. Grafts, prunes and keeps their sizes (gossipsub 1.0, "Mesh
/// Maintenance", with the rules of 1.1). Not thread-safe.
final class Meshes {
  /// A PRUNE offers peers only while so many were not offered in the same RPC.
  private static final int OFFERED_PER_RPC_MAX = 128;

  /// Larger records are not offered, so that an RPC stays within its limit.
  private static final int RECORD_BYTES_MAX = 4096;

  private final MeshParameters parameters;
  private final ScoreThresholds thresholds;
  private final Neighbours neighbours;
  private final PeerScores scores;
  private final Outbox outbox;
  private final RandomGenerator random;
  private final Function<PeerId, ByteString> records;
  private final Backoffs backoffs = new Backoffs();
  private final Map<String, Set<Neighbour>> meshes = new LinkedHashMap<>();
  private final Map<String, Fanout> fanouts = new LinkedHashMap<>();

  Meshes(
      GossipConfig config,
      Neighbours neighbours,
      PeerScores scores,
      Outbox outbox,
      RandomGenerator random,
      Function<PeerId, ByteString> records) {
    this.parameters = config.mesh();
    this.thresholds = config.thresholds();
    this.neighbours = neighbours;
    this.scores = scores;
    this.outbox = outbox;
    this.random = random;
    this.records = records;
  }

  private static final class Fanout {
    final Set<Neighbour> peers = new LinkedHashSet<>();
    long publishedAt;
  }

  boolean joined(String topic) {
    return meshes.containsKey(topic);
  }

  Set<String> topics() {
    return Collections.unmodifiableSet(meshes.keySet());
  }

  Set<Neighbour> mesh(String topic) {
    return Collections.unmodifiableSet(meshes.getOrDefault(topic, Set.of()));
  }

  /// JOIN: takes the fanout over, then fills up at random.
  void join(String topic, long now) {
    meshes.put(topic, new LinkedHashSet<>());
    Fanout fanout = fanouts.remove(topic);
    if (fanout != null) {
      for (Neighbour peer : fanout.peers) {
        if (mayGraft(topic, peer, now) && size(topic) < parameters.degrees().target()) {
          graft(topic, peer, now);
        }
      }
    }
    fill(topic, parameters.degrees().target(), now);
  }

  /// LEAVE.
  void leave(String topic, long now) {
    for (Neighbour peer : List.copyOf(mesh(topic))) {
      prune(topic, peer, true, parameters.unsubscribeBackoff(), now);
    }
    meshes.remove(topic);
  }

  /// A peer's GRAFT.
  void grafted(Neighbour peer, String topic, long now) {
    Set<Neighbour> mesh = meshes.get(topic);
    // Unknown topics get no answer: that would let a peer make this host send at will.
    if (mesh == null || !peer.features.mesh() || mesh.contains(peer)) {
      return;
    }
    if (peer.direct) {
      refuse(topic, peer, false, now);
      return;
    }
    long backoffEndsAt = backoffs.endsAt(topic, peer.id);
    if (now < backoffEndsAt) {
      scores.penalise(peer.id, 1);
      long prunedAt = backoffEndsAt - parameters.pruneBackoff().toMillis();
      if (now < prunedAt + parameters.graftFlood().toMillis()) {
        scores.penalise(peer.id, 1);
      }
      refuse(topic, peer, false, now);
    } else if (scores.score(peer.id) < 0) {
      refuse(topic, peer, false, now);
    } else if (mesh.size() >= parameters.degrees().high() && !peer.outbound) {
      refuse(topic, peer, true, now);
    } else {
      mesh.add(peer);
      scores.graft(peer.id, topic, now);
    }
  }

  private void refuse(String topic, Neighbour peer, boolean exchange, long now) {
    backoffs.add(topic, peer.id, now + parameters.pruneBackoff().toMillis());
    sendPrune(topic, peer, exchange, parameters.pruneBackoff());
  }

  /// A peer's PRUNE.
  void pruned(Neighbour peer, Rpc.Prune prune, long now) {
    Set<Neighbour> mesh = meshes.get(prune.topic());
    if (mesh == null) {
      return;
    }
    boolean wasInMesh = mesh.remove(peer);
    if (wasInMesh) {
      scores.prune(peer.id, prune.topic());
    }
    Duration backoff = prune.backoff().orElse(parameters.pruneBackoff());
    backoffs.add(prune.topic(), peer.id, now + backoff.toMillis());
    // Whoever was not in the mesh has no reason to offer others.
    if (wasInMesh && scores.score(peer.id) >= thresholds.acceptExchange()) {
      List<Rpc.Offered> offered = new ArrayList<>(prune.peers());
      Collections.shuffle(offered, random);
      offered.stream()
          .filter(other -> neighbours.get(other.peer()) == null)
          .limit(parameters.exchangePeers())
          .forEach(other -> outbox.add(new Action.Connect(other.peer(), other.record())));
    }
  }

  /// A peer says that it has left a topic. How long it is not to be grafted is in its PRUNE: a
  /// backoff of this host's own would punish a peer that comes back when it has said.
  void unsubscribed(Neighbour peer, String topic) {
    Set<Neighbour> mesh = meshes.get(topic);
    if (mesh != null && mesh.remove(peer)) {
      scores.prune(peer.id, topic);
    }
    Fanout fanout = fanouts.get(topic);
    if (fanout != null) {
      fanout.peers.remove(peer);
    }
  }

  /// A peer's connection is gone.
  void removed(Neighbour peer) {
    meshes.forEach((topic, mesh) -> {
      if (mesh.remove(peer)) {
        scores.prune(peer.id, topic);
      }
    });
    fanouts.values().forEach(fanout -> fanout.peers.remove(peer));
  }

  /// The peers for an own message without flood publishing: the mesh, or else the fanout, which
  /// comes into being here.
  Collection<Neighbour> publishTo(String topic, long now) {
    Set<Neighbour> mesh = meshes.get(topic);
    if (mesh != null && !mesh.isEmpty()) {
      return List.copyOf(mesh);
    }
    if (mesh != null) {
      return pickFanout(topic, parameters.degrees().target(), Set.of());
    }
    Fanout fanout = fanouts.computeIfAbsent(topic, t -> new Fanout());
    fanout.publishedAt = now;
    refill(topic, fanout);
    return List.copyOf(fanout.peers);
  }

  private List<Neighbour> pickFanout(String topic, int count, Set<Neighbour> without) {
    return neighbours.pick(
        topic,
        count,
        peer ->
            peer.features.mesh()
                && !peer.direct
                && !without.contains(peer)
                && scores.score(peer.id) >= thresholds.publish());
  }

  private void refill(String topic, Fanout fanout) {
    fanout.peers.removeIf(peer -> scores.score(peer.id) < thresholds.publish());
    fanout.peers.addAll(
        pickFanout(topic, parameters.degrees().target() - fanout.peers.size(), fanout.peers));
  }

  /// The topics of meshes and fanouts with the peers in them.
  Map<String, Set<Neighbour>> all() {
    Map<String, Set<Neighbour>> all = new LinkedHashMap<>(meshes);
    fanouts.forEach((topic, fanout) -> all.put(topic, fanout.peers));
    return all;
  }

  /// Mesh and fanout maintenance.
  void heartbeat(long heartbeats, long now) {
    if (heartbeats % 15 == 0) {
      backoffs.expire(now - slackMillis());
    }
    for (String topic : List.copyOf(meshes.keySet())) {
      maintain(topic, heartbeats, now);
    }
    fanouts
        .values()
        .removeIf(fanout -> fanout.publishedAt + parameters.fanoutTimeToLive().toMillis() < now);
    fanouts.forEach(this::refill);
  }

  private void maintain(String topic, long heartbeats, long now) {
    MeshParameters.Degrees degrees = parameters.degrees();
    for (Neighbour peer : List.copyOf(mesh(topic))) {
      if (scores.score(peer.id) < 0) {
        prune(topic, peer, false, parameters.pruneBackoff(), now);
      }
    }
    if (size(topic) < degrees.low()) {
      fill(topic, degrees.target(), now);
    }
    if (size(topic) > degrees.high()) {
      shrink(topic, now);
    }
    if (size(topic) >= degrees.low()) {
      long outbound = mesh(topic).stream().filter(peer -> peer.outbound).count();
      graftSome(topic, (int) (degrees.outbound() - outbound), now, peer -> peer.outbound);
    }
    if (heartbeats % parameters.opportunisticHeartbeats() == 0) {
      graftOpportunistically(topic, now);
    }
  }

  private int size(String topic) {
    return mesh(topic).size();
  }

  private void fill(String topic, int target, long now) {
    graftSome(topic, target - size(topic), now, peer -> true);
  }

  private void graftSome(
      String topic, int count, long now, java.util.function.Predicate<Neighbour> passes) {
    neighbours
        .pick(topic, count, peer -> passes.test(peer) && mayGraft(topic, peer, now))
        .forEach(peer -> graft(topic, peer, now));
  }

  private boolean mayGraft(String topic, Neighbour peer, long now) {
    long backoffEndsAt = backoffs.endsAt(topic, peer.id);
    return peer.features.mesh()
        && !peer.direct
        && !mesh(topic).contains(peer)
        && (backoffEndsAt == 0 || backoffEndsAt + slackMillis() <= now)
        && scores.score(peer.id) >= 0;
  }

  /// The peer's own count of the backoff may end a little later than this host's.
  private long slackMillis() {
    return 2 * parameters.heartbeat().toMillis();
  }

  private void graft(String topic, Neighbour peer, long now) {
    @Nullable Set<Neighbour> mesh = meshes.get(topic);
    if (mesh != null && mesh.add(peer)) {
      scores.graft(peer.id, topic, now);
      outbox.control(peer.id).grafts.add(topic);
    }
  }

  private void prune(String topic, Neighbour peer, boolean exchange, Duration backoff, long now) {
    @Nullable Set<Neighbour> mesh = meshes.get(topic);
    if (mesh != null && mesh.remove(peer)) {
      scores.prune(peer.id, topic);
    }
    backoffs.add(topic, peer.id, now + backoff.toMillis());
    sendPrune(topic, peer, exchange, backoff);
  }

  private void sendPrune(String topic, Neighbour peer, boolean exchange, Duration backoff) {
    List<Rpc.Prune> prunes = outbox.control(peer.id).prunes;
    if (!peer.features.exchange()) {
      prunes.add(new Rpc.Prune(topic, List.of(), Optional.empty()));
      return;
    }
    List<Rpc.Offered> offered = List.of();
    int offeredSoFar = prunes.stream().mapToInt(prune -> prune.peers().size()).sum();
    if (exchange && offeredSoFar < OFFERED_PER_RPC_MAX && scores.score(peer.id) >= 0) {
      offered =
          neighbours
              .pick(
                  topic,
                  parameters.exchangePeers(),
                  other -> other != peer && scores.score(other.id) >= 0)
              .stream()
              .map(other -> offer(other.id))
              .toList();
    }
    prunes.add(new Rpc.Prune(topic, offered, Optional.of(backoff)));
  }

  private Rpc.Offered offer(PeerId peer) {
    ByteString record = records.apply(peer);
    return new Rpc.Offered(peer, record.size() <= RECORD_BYTES_MAX ? record : ByteString.EMPTY);
  }

  /// Keeps the best by score, then others at random, with enough that this host dialled.
  private void shrink(String topic, long now) {
    MeshParameters.Degrees degrees = parameters.degrees();
    List<Neighbour> ranked = new ArrayList<>(mesh(topic));
    // Shuffled first, so that equal scores fall at random.
    Collections.shuffle(ranked, random);
    Map<PeerId, Double> known = new LinkedHashMap<>();
    ranked.forEach(peer -> known.put(peer.id, scores.score(peer.id)));
    ranked.sort(
        Comparator.comparingDouble((Neighbour peer) -> known.getOrDefault(peer.id, 0.0))
            .reversed());
    Collections.shuffle(ranked.subList(degrees.score(), ranked.size()), random);
    List<Neighbour> kept = new ArrayList<>(ranked.subList(0, degrees.target()));
    List<Neighbour> rest = new ArrayList<>(ranked.subList(degrees.target(), ranked.size()));
    long outbound = kept.stream().filter(peer -> peer.outbound).count();
    // The last of those kept at random make room for peers that this host dialled.
    for (int i = kept.size() - 1; i >= 0 && outbound < degrees.outbound(); i--) {
      Optional<Neighbour> better = rest.stream().filter(peer -> peer.outbound).findFirst();
      if (better.isEmpty()) {
        break;
      }
      if (!kept.get(i).outbound) {
        rest.add(kept.set(i, better.get()));
        rest.remove(better.get());
        outbound++;
      }
    }
    rest.forEach(peer -> prune(topic, peer, true, parameters.pruneBackoff(), now));
  }

  /// When the mesh as a whole does badly, grafts some that do better than its median (gossipsub
  /// 1.1, "Opportunistic Grafting").
  private void graftOpportunistically(String topic, long now) {
    if (size(topic) < 2) {
      return;
    }
    double[] sorted =
        mesh(topic).stream().mapToDouble(peer -> scores.score(peer.id)).sorted().toArray();
    double median = sorted[sorted.length / 2];
    if (median < thresholds.opportunisticGraft()) {
      graftSome(
          topic, parameters.opportunisticPeers(), now, peer -> scores.score(peer.id) > median);
    }
  }
}
