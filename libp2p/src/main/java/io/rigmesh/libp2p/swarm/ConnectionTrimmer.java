package io.rigmesh.libp2p.swarm;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.ConnectionManager;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.identity.PeerId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Remembers what peers are worth, and picks the connections to close when there are too many. It
/// closes none itself: the swarm asks on each new connection and on a timer.
public final class ConnectionTrimmer implements ConnectionManager {
  /// Of how many peers values are remembered; beyond it, of those longest untouched they are
  /// forgotten.
  static final int TAGGED_PEERS_MAX = 8192;

  private final ConnectionLimits limits;
  private final Map<PeerId, Set<String>> protectedBy = new HashMap<>();
  private final Map<PeerId, Map<String, Integer>> values = new LinkedHashMap<>(16, 0.75f, true);

  public ConnectionTrimmer(ConnectionLimits limits) {
    this.limits = limits;
  }

  @Override
  public synchronized void protect(PeerId peer, String tag) {
    protectedBy.computeIfAbsent(peer, key -> new HashSet<>()).add(tag);
  }

  @Override
  public synchronized boolean unprotect(PeerId peer, String tag) {
    Set<String> tags = protectedBy.get(peer);
    if (tags == null) {
      return false;
    }
    tags.remove(tag);
    if (tags.isEmpty()) {
      protectedBy.remove(peer);
    }
    return !tags.isEmpty();
  }

  @Override
  public synchronized boolean isProtected(PeerId peer) {
    return protectedBy.containsKey(peer);
  }

  @Override
  public synchronized void tag(PeerId peer, String tag, int value) {
    if (value == 0) {
      Map<String, Integer> tags = values.get(peer);
      if (tags != null) {
        tags.remove(tag);
        if (tags.isEmpty()) {
          values.remove(peer);
        }
      }
      return;
    }
    values.computeIfAbsent(peer, key -> new HashMap<>()).put(tag, value);
    if (values.size() > TAGGED_PEERS_MAX) {
      values.remove(values.keySet().iterator().next());
    }
  }

  synchronized long value(PeerId peer) {
    Map<String, Integer> tags = values.get(peer);
    return tags == null ? 0 : tags.values().stream().mapToLong(Integer::longValue).sum();
  }

  synchronized int taggedPeers() {
    return values.size();
  }

  /// Which of the open connections to close now, the least useful first: none up to the high-water
  /// mark, and above it as many as it takes to reach the low-water mark. Those of protected peers
  /// and new ones are never among them, so that there may be too few.
  ///
  /// Peers of low value go first; among equals relayed connections, then those without a stream,
  /// then those that the remote opened, then the youngest: whoever connects a lot cannot push out
  /// those who were there before.
  public List<Connection> trim(Collection<? extends Connection> open, Instant now) {
    if (open.size() <= limits.highWater()) {
      return List.of();
    }
    Instant settled = now.minus(limits.grace());
    record Candidate(Connection connection, long value, boolean idle) {}
    List<Candidate> candidates = new ArrayList<>();
    for (Connection connection : open) {
      if (!connection.openedAt().isAfter(settled) && !isProtected(connection.peer())) {
        candidates.add(
            new Candidate(connection, value(connection.peer()), connection.streams().isEmpty()));
      }
    }
    candidates.sort(
        Comparator.comparingLong(Candidate::value)
            .thenComparing(candidate -> !candidate.connection().limited())
            .thenComparing(candidate -> !candidate.idle())
            .thenComparing(candidate -> candidate.connection().direction() != Direction.INBOUND)
            .thenComparing(
                candidate -> candidate.connection().openedAt(), Comparator.reverseOrder()));
    return candidates.stream()
        .limit(open.size() - limits.lowWater())
        .<Connection>map(Candidate::connection)
        .toList();
  }
}
