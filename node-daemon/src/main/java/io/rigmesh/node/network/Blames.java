package io.rigmesh.node.network;

import io.rigmesh.libp2p.identity.PeerId;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Which peers were caught breaking a rule, and at what last. Bounded: the peer that has behaved
/// longest is forgotten first. Safe for use by several threads.
public final class Blames {
  private static final Logger LOG = LoggerFactory.getLogger(Blames.class);
  private static final int PEERS_MAX = 1_024;

  private final BiConsumer<PeerId, String> letGo;
  private final Map<PeerId, Blame> blames = new LinkedHashMap<>();
  private long total;

  /// Nobody is blamed yet.
  ///
  /// @param letGo closes the connections to a peer, for a reason
  public Blames(BiConsumer<PeerId, String> letGo) {
    this.letGo = letGo;
  }

  /// What a peer was caught at.
  ///
  /// @param count how often
  /// @param last the last time, in one sentence
  public record Blame(long count, String last) {}

  /// A peer broke a rule: it is remembered, and its connections are closed.
  public void blame(PeerId peer, String what) {
    LOG.warn("the peer {} broke a rule: {}", peer, what);
    remember(peer, what);
    letGo.accept(peer, what);
  }

  private synchronized void remember(PeerId peer, String what) {
    Blame before = blames.remove(peer);
    blames.put(peer, new Blame(before == null ? 1 : before.count + 1, what));
    if (blames.size() > PEERS_MAX) {
      blames.remove(blames.keySet().iterator().next());
    }
    total++;
  }

  /// What a peer was caught at, if ever.
  public synchronized Optional<Blame> of(PeerId peer) {
    return Optional.ofNullable(blames.get(peer));
  }

  /// How often peers were blamed since the daemon started.
  public synchronized long total() {
    return total;
  }
}
