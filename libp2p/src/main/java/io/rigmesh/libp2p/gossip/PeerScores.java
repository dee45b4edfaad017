package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Keeps the counts behind every peer's score, and adds them up (gossipsub 1.1, "The Score
/// Function"). Pure: time is handed in, in milliseconds. Not thread-safe.
final class PeerScores {
  /// Peers that left with a bad score are remembered up to so many, the latest.
  static final int RETAINED_MAX = 16_384;

  private final ScoreParameters parameters;
  private final Map<PeerId, Standing> present = new LinkedHashMap<>();
  private final Map<PeerId, Standing> retained = new LinkedHashMap<>();
  private final Map<String, Set<PeerId>> byAddress = new HashMap<>();
  private long decayedAt;

  PeerScores(ScoreParameters parameters, long now) {
    this.parameters = parameters;
    this.decayedAt = now;
  }

  /// A peer is here, with the address that its connection came from, if that counts.
  void add(PeerId peer, Optional<String> address) {
    Standing standing = retained.remove(peer);
    if (standing == null) {
      standing = present.get(peer);
    }
    if (standing == null) {
      standing = new Standing();
    }
    standing.expiresAt = Long.MAX_VALUE;
    present.put(peer, standing);
    forgetAddress(peer, standing);
    standing.address = address.orElse(null);
    address.ifPresent(a -> byAddress.computeIfAbsent(a, k -> new LinkedHashSet<>()).add(peer));
  }

  /// A peer has left. What it gained is gone; what it did wrong stays for a while.
  void remove(PeerId peer, long now) {
    Standing standing = present.remove(peer);
    if (standing == null) {
      return;
    }
    double score = score(peer, standing);
    forgetAddress(peer, standing);
    if (score > 0 || parameters.retain().isZero()) {
      return;
    }
    for (TopicStanding topic : standing.topics.values()) {
      topic.leaveMesh();
      topic.firstDeliveries = 0;
    }
    standing.expiresAt = now + parameters.retain().toMillis();
    retained.put(peer, standing);
    if (retained.size() > RETAINED_MAX) {
      Iterator<PeerId> eldest = retained.keySet().iterator();
      eldest.next();
      eldest.remove();
    }
  }

  private void forgetAddress(PeerId peer, Standing standing) {
    String address = standing.address;
    if (address != null) {
      Set<PeerId> peers = byAddress.get(address);
      if (peers != null) {
        peers.remove(peer);
        if (peers.isEmpty()) {
          byAddress.remove(address);
        }
      }
      standing.address = null;
    }
  }

  /// A peer is in the mesh from now on.
  void graft(PeerId peer, String topic, long now) {
    TopicStanding standing = topic(peer, topic);
    if (standing != null) {
      standing.inMesh = true;
      standing.graftedAt = now;
      standing.meshMillis = 0;
      standing.measured = false;
    }
  }

  /// A peer has left the mesh.
  void prune(PeerId peer, String topic) {
    TopicStanding standing = topic(peer, topic);
    if (standing != null) {
      standing.leaveMesh();
    }
  }

  /// A valid message that the peer brought first.
  void firstDelivery(PeerId peer, String topic) {
    TopicStanding standing = topic(peer, topic);
    if (standing != null) {
      standing.firstDeliveries =
          Math.min(standing.p.firstDeliveries().cap(), standing.firstDeliveries + 1);
      standing.countMeshDelivery();
    }
  }

  /// A valid message that the peer brought nearly first.
  void nearDelivery(PeerId peer, String topic) {
    TopicStanding standing = topic(peer, topic);
    if (standing != null) {
      standing.countMeshDelivery();
    }
  }

  /// How long after a message was accepted another delivery counts as nearly first.
  long windowMillis(String topic) {
    return parameters.topic(topic).meshDeliveries().window().toMillis();
  }

  /// A message that breaks a rule.
  void invalid(PeerId peer, String topic) {
    TopicStanding standing = topic(peer, topic);
    if (standing != null) {
      standing.invalidMessages += 1;
    }
  }

  /// Broken rules of behaviour (P7).
  void penalise(PeerId peer, int count) {
    Standing standing = present.get(peer);
    if (standing == null) {
      standing = retained.get(peer);
    }
    if (standing != null) {
      standing.penalty += count;
    }
  }

  private @Nullable TopicStanding topic(PeerId peer, String topic) {
    Standing standing = present.get(peer);
    return standing == null || parameters.topic(topic).weight() == 0
        ? null
        : standing.topics.computeIfAbsent(topic, t -> new TopicStanding(parameters.topic(t)));
  }

  /// The score of a peer; zero for one that is not known.
  double score(PeerId peer) {
    Standing standing = present.get(peer);
    if (standing == null) {
      standing = retained.get(peer);
    }
    return standing == null ? 0 : score(peer, standing);
  }

  private double score(PeerId peer, Standing standing) {
    double topics = 0;
    for (TopicStanding topic : standing.topics.values()) {
      topics += topic.score();
    }
    if (parameters.topicCap() > 0) {
      topics = Math.min(topics, parameters.topicCap());
    }
    ScoreParameters.Application application = parameters.application();
    double score = topics;
    if (application.weight() != 0) {
      score += application.weight() * application.score().applyAsDouble(peer);
    }
    score += parameters.colocation().weight() * colocation(standing);
    double excess = standing.penalty - parameters.behaviour().threshold();
    if (excess > 0) {
      score += parameters.behaviour().weight() * excess * excess;
    }
    return score;
  }

  private double colocation(Standing standing) {
    if (standing.address == null) {
      return 0;
    }
    Set<PeerId> peers = byAddress.get(standing.address);
    double surplus = (peers == null ? 0 : peers.size()) - parameters.colocation().threshold();
    return surplus > 0 ? surplus * surplus : 0;
  }

  /// Decays all counts, once for each interval that has passed, and forgets who left long ago.
  void decay(long now) {
    long interval = parameters.decayInterval().toMillis();
    // After a long pause (a machine that slept) all counts are near zero anyway.
    long due = Math.min((now - decayedAt) / interval, 1000);
    if (due <= 0) {
      return;
    }
    decayedAt = due == 1000 ? now : decayedAt + due * interval;
    for (long i = 0; i < due; i++) {
      // Those who left keep what they did wrong undiminished: leaving is no way to decay.
      present.values().forEach(this::decay);
    }
    for (Standing standing : present.values()) {
      standing.topics.values().forEach(topic -> topic.measure(now));
    }
    retained.values().removeIf(standing -> standing.expiresAt <= now);
  }

  private void decay(Standing standing) {
    double zero = parameters.decayToZero();
    standing.penalty = decayed(standing.penalty, parameters.behaviour().decay(), zero);
    for (TopicStanding topic : standing.topics.values()) {
      TopicScoreParameters p = topic.p;
      topic.firstDeliveries = decayed(topic.firstDeliveries, p.firstDeliveries().decay(), zero);
      topic.meshDeliveries = decayed(topic.meshDeliveries, p.meshDeliveries().decay(), zero);
      topic.meshFailures = decayed(topic.meshFailures, p.meshFailures().decay(), zero);
      topic.invalidMessages = decayed(topic.invalidMessages, p.invalidMessages().decay(), zero);
    }
  }

  private static double decayed(double count, double decay, double zero) {
    double left = count * decay;
    return left < zero ? 0 : left;
  }

  private static final class Standing {
    final Map<String, TopicStanding> topics = new LinkedHashMap<>();
    @Nullable String address;
    double penalty;
    long expiresAt = Long.MAX_VALUE;
  }

  private static final class TopicStanding {
    final TopicScoreParameters p;
    boolean inMesh;
    long graftedAt;
    long meshMillis;

    /// Whether the peer has been in the mesh for P3's activation.
    boolean measured;

    double firstDeliveries;
    double meshDeliveries;
    double meshFailures;
    double invalidMessages;

    TopicStanding(TopicScoreParameters parameters) {
      this.p = parameters;
    }

    void measure(long now) {
      if (inMesh) {
        meshMillis = now - graftedAt;
        measured = meshMillis > p.meshDeliveries().activation().toMillis();
      }
    }

    void countMeshDelivery() {
      if (inMesh) {
        meshDeliveries = Math.min(p.meshDeliveries().cap(), meshDeliveries + 1);
      }
    }

    double deficit() {
      return inMesh && measured ? Math.max(0, p.meshDeliveries().threshold() - meshDeliveries) : 0;
    }

    void leaveMesh() {
      double deficit = deficit();
      meshFailures += deficit * deficit;
      inMesh = false;
      measured = false;
    }

    double score() {
      double sum = 0;
      if (inMesh) {
        double quanta = (double) meshMillis / p.timeInMesh().quantum().toMillis();
        sum += p.timeInMesh().weight() * Math.min(quanta, p.timeInMesh().cap());
      }
      sum += p.firstDeliveries().weight() * firstDeliveries;
      double deficit = deficit();
      sum += p.meshDeliveries().weight() * deficit * deficit;
      sum += p.meshFailures().weight() * meshFailures;
      sum += p.invalidMessages().weight() * invalidMessages * invalidMessages;
      return p.weight() * sum;
    }
  }
}
