package io.rigmesh.libp2p.gossip;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// The connected peers and what they subscribe to, in a fixed order, so that equal seeds give equal
/// runs. Not thread-safe.
final class Neighbours {
  private final Map<PeerId, Neighbour> byId = new LinkedHashMap<>();
  private final Map<String, Set<Neighbour>> byTopic = new LinkedHashMap<>();
  private final RandomGenerator random;

  Neighbours(RandomGenerator random) {
    this.random = random;
  }

  @Nullable Neighbour get(PeerId peer) {
    return byId.get(peer);
  }

  Collection<Neighbour> all() {
    return byId.values();
  }

  void add(Neighbour neighbour) {
    byId.put(neighbour.id, neighbour);
  }

  @Nullable Neighbour remove(PeerId peer) {
    Neighbour neighbour = byId.remove(peer);
    if (neighbour != null) {
      List.copyOf(neighbour.topics).forEach(topic -> unsubscribe(neighbour, topic));
    }
    return neighbour;
  }

  void subscribe(Neighbour neighbour, String topic) {
    if (neighbour.topics.add(topic)) {
      byTopic.computeIfAbsent(topic, t -> new LinkedHashSet<>()).add(neighbour);
    }
  }

  void unsubscribe(Neighbour neighbour, String topic) {
    if (neighbour.topics.remove(topic)) {
      Set<Neighbour> subscribed = byTopic.get(topic);
      if (subscribed != null) {
        subscribed.remove(neighbour);
        if (subscribed.isEmpty()) {
          byTopic.remove(topic);
        }
      }
    }
  }

  Set<Neighbour> subscribed(String topic) {
    return byTopic.getOrDefault(topic, Set.of());
  }

  /// Up to so many subscribers that pass, at random.
  List<Neighbour> pick(String topic, int count, Predicate<Neighbour> passes) {
    if (count <= 0) {
      return List.of();
    }
    List<Neighbour> candidates = new ArrayList<>();
    for (Neighbour neighbour : subscribed(topic)) {
      if (passes.test(neighbour)) {
        candidates.add(neighbour);
      }
    }
    Collections.shuffle(candidates, random);
    return candidates.size() <= count ? candidates : candidates.subList(0, count);
  }
}
