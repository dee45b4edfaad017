package io.rigmesh.libp2p.relay;

import io.rigmesh.libp2p.identity.PeerId;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Who holds a reservation until when, and who takes part in how many circuits. Thread-safe.
final class Reservations {
  private final RelayLimits limits;
  private final Map<PeerId, Held> held = new HashMap<>();
  private final Map<String, Integer> perIp = new HashMap<>();
  private final Map<PeerId, Integer> circuits = new HashMap<>();

  private record Held(String ip, Instant expiry) {}

  Reservations(RelayLimits limits) {
    this.limits = limits;
  }

  /// Makes or renews a reservation.
  ///
  /// @param ip what counts as one origin
  /// @return when it expires; empty when there are too many
  synchronized Optional<Instant> reserve(PeerId peer, String ip, Instant now) {
    expire(now);
    Held before = held.get(peer);
    int fromIp = perIp.getOrDefault(ip, 0) - (before != null && before.ip().equals(ip) ? 1 : 0);
    int others = held.size() - (before == null ? 0 : 1);
    if (others >= limits.reservations() || fromIp >= limits.reservationsPerIp()) {
      return Optional.empty();
    }
    remove(peer);
    // The expiry is told in whole seconds; what is told is what is kept.
    Instant expiry = Instant.ofEpochSecond(now.plus(limits.reservationTime()).getEpochSecond());
    held.put(peer, new Held(ip, expiry));
    perIp.merge(ip, 1, Integer::sum);
    return Optional.of(expiry);
  }

  synchronized boolean holds(PeerId peer, Instant now) {
    expire(now);
    return held.containsKey(peer);
  }

  synchronized int count(Instant now) {
    expire(now);
    return held.size();
  }

  synchronized boolean remove(PeerId peer) {
    Held gone = held.remove(peer);
    if (gone == null) {
      return false;
    }
    perIp.computeIfPresent(gone.ip(), (ip, count) -> count == 1 ? null : count - 1);
    return true;
  }

  /// Ends what has expired and says whose it was.
  synchronized List<PeerId> expire(Instant now) {
    List<PeerId> expired =
        held.entrySet().stream()
            .filter(entry -> !entry.getValue().expiry().isAfter(now))
            .map(Map.Entry::getKey)
            .toList();
    expired.forEach(this::remove);
    return expired;
  }

  /// Counts a circuit for both its ends, unless either has too many.
  synchronized boolean openCircuit(PeerId one, PeerId other) {
    if (circuits.getOrDefault(one, 0) >= limits.circuitsPerPeer()
        || circuits.getOrDefault(other, 0) >= limits.circuitsPerPeer()) {
      return false;
    }
    circuits.merge(one, 1, Integer::sum);
    circuits.merge(other, 1, Integer::sum);
    return true;
  }

  synchronized void closeCircuit(PeerId one, PeerId other) {
    circuits.computeIfPresent(one, (peer, count) -> count == 1 ? null : count - 1);
    circuits.computeIfPresent(other, (peer, count) -> count == 1 ? null : count - 1);
  }

  synchronized int circuits() {
    return circuits.values().stream().mapToInt(Integer::intValue).sum() / 2;
  }
}
