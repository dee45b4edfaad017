package io.rigmesh.libp2p.peerstore;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.ConnectionListener;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PeerRecord;
import io.rigmesh.libp2p.identity.SignedEnvelope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.peerstore.wire.PeerStoreWire;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The peer store, in memory and, when it is given a file, over a restart. To be added to the host
/// as a connection listener: connected peers stay, their addresses do not expire, and afterwards
/// they are remembered for a while.
///
/// When it is full, the least useful peers leave: first those without a live address, then those
/// never connected, then those not heard of for the longest time. Connected ones never do.
public final class BoundedPeerStore implements PeerStore, ConnectionListener, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BoundedPeerStore.class);

  private final PeerStoreLimits limits;
  private final InstantSource clock;
  private final Map<PeerId, KnownPeer> peers = new HashMap<>();
  private final ReentrantLock saving = new ReentrantLock();
  private long bytes;
  private boolean changed;
  private final @Nullable PeerFile file;
  private final @Nullable ScheduledExecutorService saver;

  private BoundedPeerStore(
      PeerStoreLimits limits,
      InstantSource clock,
      @Nullable PeerFile file,
      @Nullable ScheduledExecutorService saver) {
    this.limits = limits;
    this.clock = clock;
    this.file = file;
    this.saver = saver;
  }

  /// A store that forgets everything at the end.
  public static BoundedPeerStore inMemory(PeerStoreLimits limits, InstantSource clock) {
    return new BoundedPeerStore(limits, clock, null, null);
  }

  /// A store that reads the file now and writes it while it changes and at [#close]. A damaged file
  /// is set aside with a warning.
  public static BoundedPeerStore open(Path path, PeerStoreLimits limits, InstantSource clock) {
    PeerFile file = new PeerFile(path, Math.min(Integer.MAX_VALUE - 64L, 2 * limits.bytesMax()));
    ScheduledExecutorService saver =
        Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("peer-store").factory());
    BoundedPeerStore store = new BoundedPeerStore(limits, clock, file, saver);
    store.load(file);
    long everyMillis = Math.max(1, limits.saveEvery().toMillis());
    saver.scheduleWithFixedDelay(store::save, everyMillis, everyMillis, TimeUnit.MILLISECONDS);
    return store;
  }

  private synchronized void load(PeerFile from) {
    Instant now = clock.instant();
    PeerStoreWire.Peers saved = from.read();
    try {
      for (PeerStoreWire.Peer entry : saved.getPeersList()) {
        KnownPeer peer = KnownPeer.decoded(entry, limits, now);
        if (peer.hasAddress(now) && makeRoom(peer.id(), now)) {
          peers.put(peer.id(), peer);
          bytes += peer.bytes();
        }
      }
    } catch (IllegalArgumentException e) {
      peers.clear();
      bytes = 0;
      from.setAside(String.valueOf(e.getMessage()));
    }
    shed(null, now);
    changed = false;
  }

  @Override
  public void addAddresses(PeerId peer, Collection<Multiaddr> addresses, Duration timeToLive) {
    if (addresses.isEmpty()) {
      return;
    }
    Instant expires = clock.instant().plus(timeToLive);
    change(peer, known -> known.addAddresses(addresses, expires, limits.addressesPerPeerMax()));
  }

  @Override
  public boolean addSignedRecord(
      SignedEnvelope envelope, Predicate<Multiaddr> useful, Duration timeToLive) {
    // Throws when the record is another's, before anything is remembered.
    PeerId peer = PeerRecord.of(envelope).peer();
    Instant expires = clock.instant().plus(timeToLive);
    boolean[] taken = new boolean[1];
    change(
        peer,
        known ->
            taken[0] = known.addRecord(envelope, useful, expires, limits.addressesPerPeerMax()));
    return taken[0];
  }

  @Override
  public synchronized Optional<SignedEnvelope> signedRecord(PeerId peer) {
    KnownPeer known = peers.get(peer);
    if (known == null) {
      return Optional.empty();
    }
    // A record from disk that proves wrong is dropped, and takes less from then on.
    bytes -= known.bytes();
    Optional<SignedEnvelope> record = known.record();
    bytes += known.bytes();
    return record;
  }

  @Override
  public List<Multiaddr> addresses(PeerId peer) {
    Instant now = clock.instant();
    return read(peer, known -> known.addresses(now), List.of());
  }

  @Override
  public PeerAddress peerAddress(PeerId peer) {
    return new PeerAddress(peer, addresses(peer));
  }

  @Override
  public void setProtocols(PeerId peer, Collection<ProtocolId> protocols) {
    change(peer, known -> known.setProtocols(protocols, limits.protocolsPerPeerMax()));
  }

  @Override
  public Set<ProtocolId> protocols(PeerId peer) {
    return read(peer, KnownPeer::protocols, Set.of());
  }

  @Override
  public void setAgent(PeerId peer, String agent) {
    change(peer, known -> known.setAgent(agent, limits.agentCharactersMax()));
  }

  @Override
  public Optional<String> agent(PeerId peer) {
    return read(peer, KnownPeer::agent, Optional.empty());
  }

  @Override
  public synchronized List<PeerId> peers() {
    Instant now = clock.instant();
    return peers.values().stream()
        .filter(peer -> peer.isConnected() || peer.hasAddress(now))
        .map(KnownPeer::id)
        .toList();
  }

  @Override
  public synchronized void remove(PeerId peer) {
    KnownPeer known = peers.get(peer);
    if (known == null) {
      return;
    }
    bytes -= known.bytes();
    known.clear();
    if (known.isConnected()) {
      bytes += known.bytes();
    } else {
      peers.remove(peer);
    }
    changed = true;
  }

  @Override
  public void connected(Connection connection) {
    change(connection.peer(), KnownPeer::connected);
    if (connection.direction() == Direction.OUTBOUND) {
      // A dial that has succeeded proves the address.
      addAddresses(connection.peer(), List.of(connection.remoteAddress()), limits.remembered());
    }
  }

  @Override
  public synchronized void disconnected(Connection connection, String reason) {
    KnownPeer known = peers.get(connection.peer());
    if (known != null && known.isConnected()) {
      Instant now = clock.instant();
      known.disconnected(now, now.plus(limits.remembered()));
      changed = true;
      shed(null, now);
    }
  }

  /// Writes the file once more if anything has changed.
  @Override
  public void close() {
    ScheduledExecutorService running = saver;
    if (running != null && !running.isShutdown()) {
      running.shutdown();
      save();
    }
  }

  synchronized int size() {
    return peers.size();
  }

  synchronized long bytes() {
    return bytes;
  }

  private synchronized <T> T read(PeerId peer, Function<KnownPeer, T> part, T none) {
    KnownPeer known = peers.get(peer);
    return known == null ? none : part.apply(known);
  }

  private synchronized void change(PeerId peer, Consumer<KnownPeer> change) {
    Instant now = clock.instant();
    KnownPeer known = peers.get(peer);
    if (known == null) {
      if (!makeRoom(peer, now)) {
        return;
      }
      known = new KnownPeer(peer, now);
      peers.put(peer, known);
    } else {
      bytes -= known.bytes();
    }
    change.accept(known);
    known.touch(now);
    bytes += known.bytes();
    changed = true;
    shed(peer, now);
  }

  /// Makes place for one more peer; false when everyone here is connected.
  private boolean makeRoom(PeerId newcomer, Instant now) {
    if (peers.size() < limits.peersMax()) {
      return true;
    }
    // Several leave at once, so that a flood of newcomers does not sort the store for each.
    shed(newcomer, now, limits.peersMax() - 1 - limits.peersMax() / 16, limits.bytesMax());
    return peers.size() < limits.peersMax();
  }

  private void shed(@Nullable PeerId spared, Instant now) {
    if (bytes > limits.bytesMax()) {
      shed(spared, now, limits.peersMax(), limits.bytesMax() - limits.bytesMax() / 16);
    }
  }

  private void shed(@Nullable PeerId spared, Instant now, int peersLeft, long bytesLeft) {
    List<KnownPeer> leastUseful =
        peers.values().stream()
            .filter(peer -> !peer.isConnected() && (spared == null || !peer.id().equals(spared)))
            .sorted(KnownPeer.byUse(now))
            .toList();
    for (KnownPeer peer : leastUseful) {
      if (peers.size() <= peersLeft && bytes <= bytesLeft) {
        return;
      }
      peers.remove(peer.id());
      bytes -= peer.bytes();
    }
  }

  private void save() {
    PeerFile to = file;
    if (to == null) {
      return;
    }
    saving.lock();
    try {
      save(to);
    } finally {
      saving.unlock();
    }
  }

  private void save(PeerFile to) {
    List<KnownPeer> all;
    synchronized (this) {
      if (!changed) {
        return;
      }
      changed = false;
      all = List.copyOf(peers.values());
    }
    PeerStoreWire.Peers.Builder out = PeerStoreWire.Peers.newBuilder();
    Instant now = clock.instant();
    for (KnownPeer peer : all) {
      // One at a time: event loops wait for this lock.
      synchronized (this) {
        out.addPeers(peer.encoded(now, now.plus(limits.remembered())));
      }
    }
    try {
      to.write(out.build());
    } catch (IOException | RuntimeException e) {
      synchronized (this) {
        changed = true;
      }
      LOG.warn("The known peers cannot be written to {}: {}", to.path(), e.toString());
    }
  }
}
