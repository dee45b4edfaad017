package io.rigmesh.node.network;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.autonat.AutoNat;
import io.rigmesh.libp2p.autonat.AutoNatSettings;
import io.rigmesh.libp2p.autonat.Reachability;
import io.rigmesh.libp2p.dcutr.Dcutr;
import io.rigmesh.libp2p.dcutr.DcutrSettings;
import io.rigmesh.libp2p.gossip.Gossip;
import io.rigmesh.libp2p.gossip.GossipConfig;
import io.rigmesh.libp2p.gossip.Gossipsub;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.kad.Kademlia;
import io.rigmesh.libp2p.kad.KademliaConfig;
import io.rigmesh.libp2p.mdns.Mdns;
import io.rigmesh.libp2p.mdns.MdnsSettings;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.portmap.PortMapping;
import io.rigmesh.libp2p.relay.AutoRelay;
import io.rigmesh.libp2p.relay.Relay;
import io.rigmesh.libp2p.relay.RelayLimits;
import io.rigmesh.libp2p.relay.RelayTransport;
import io.rigmesh.libp2p.resource.ResourceLimits;
import io.rigmesh.libp2p.resource.ResourceUsage;
import io.rigmesh.libp2p.resource.ScopeLimits;
import io.rigmesh.libp2p.swarm.ConnectionLimits;
import io.rigmesh.node.Service;
import io.rigmesh.node.config.NetworkConfig;
import io.rigmesh.protocol.Hash;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// This node in the peer-to-peer network: a host with its persistent key, gossip, Kademlia under
/// the market's own name, and the peers that it stays connected to.
public final class NetworkService implements Service, Streams {
  /// Kademlia of this market alone.
  public static final ProtocolId KAD = new ProtocolId("/rigmesh/kad/1.0.0");

  private static final Logger LOG = LoggerFactory.getLogger(NetworkService.class);
  private static final Duration OPEN_MAX = Duration.ofSeconds(20);
  private static final Duration LOOKUP_MAX = Duration.ofSeconds(15);
  private static final Duration CHECK_PAUSE = Duration.ofMillis(100);
  private static final int PROVIDERS_MAX = 8;

  /// With so many connections no more are opened to peers only because they are near.
  private static final int NEIGHBOURS_MAX = 32;

  private static final int RESERVATIONS = 2;
  private static final byte SHA_256 = 0x12;

  private final NetworkConfig config;
  private final Path peersFile;
  private final PrivateKey key;
  private final PeerId self;
  private final String agent;
  private final List<Part> parts = new ArrayList<>();
  private final Deque<AutoCloseable> opened = new ArrayDeque<>();
  private volatile @Nullable Running running;

  /// What is there while the service runs.
  private record Running(Host host, Kademlia kad, AutoNat autoNat, Bootstrap bootstrap) {}

  /// Something that speaks a protocol on this node's host.
  @FunctionalInterface
  public interface Part {
    /// Begins to, before any peer is connected.
    ///
    /// @return what ends it
    AutoCloseable startOn(Host host, Gossip gossip);
  }

  /// The node's place in the network; nothing runs yet.
  ///
  /// @param peersFile where what is known of other peers is kept
  /// @param agent the software, as peers are told
  public NetworkService(NetworkConfig config, Path peersFile, PrivateKey key, String agent) {
    this.config = config;
    this.peersFile = peersFile;
    this.key = key;
    this.self = PeerId.of(key.publicKey());
    this.agent = agent;
  }

  /// Adds what speaks a protocol; before the start.
  public void add(Part part) {
    parts.add(part);
  }

  @Override
  public String name() {
    return "network";
  }

  /// This node's peer id.
  public PeerId self() {
    return self;
  }

  /// The host.
  ///
  /// @throws Libp2pException if the service does not run
  public Host host() {
    return require().host;
  }

  private Running require() {
    Running now = running;
    if (now == null) {
      throw new Libp2pException("the node is not in the network now");
    }
    return now;
  }

  @Override
  public void start() {
    try {
      Host host = hold(builder().start());
      Gossip gossip = hold(Gossipsub.start(host, GossipConfig.defaults()));
      Kademlia kad = hold(kademlia(host));
      AutoNat autoNat = hold(AutoNat.start(host, autoNatSettings()));
      parts.forEach(part -> hold(part.startOn(host, gossip)));
      Bootstrap bootstrap = hold(new Bootstrap(host, bootstrapPeers()));
      if (config.relay()) {
        hold(Relay.start(host, RelayLimits.defaults()));
      }
      hold(
          AutoRelay.start(
              host, RelayTransport.start(host), autoNat, this::bootstrapPeers, RESERVATIONS));
      hold(Dcutr.start(host, dcutrSettings()));
      if (config.portMapping()) {
        hold(PortMapping.start(host));
      }
      if (config.mdns()) {
        hold(Mdns.start(host, MdnsSettings.defaults(), peer -> meet(host, peer)));
      }
      running = new Running(host, kad, autoNat, bootstrap);
      bootstrap.start();
      LOG.info("the peer {} listens on {}", self, host.listenAddresses());
    } catch (Libp2pException e) {
      stop();
      throw new NetworkException(
          "the node cannot listen for peers: " + e.getMessage() + "; see network.listen", e);
    }
  }

  private HostBuilder builder() {
    return new HostBuilder(key)
        .listen(texts(config.listen()))
        .announce(texts(config.announce()))
        .agentVersion(agent)
        .limits(resourceLimits(config.connectionsMax()))
        .connections(connectionLimits(config.connectionsMax()))
        .peerStoreFile(peersFile);
  }

  private List<PeerAddress> bootstrapPeers() {
    return config.bootstrap().stream().map(PeerAddress::of).toList();
  }

  private AutoNatSettings autoNatSettings() {
    AutoNatSettings defaults = AutoNatSettings.defaults();
    return config.privateNetwork() ? defaults.withPrivateAddresses() : defaults;
  }

  private DcutrSettings dcutrSettings() {
    DcutrSettings defaults = DcutrSettings.defaults();
    return config.privateNetwork() ? defaults.withPrivateAddresses() : defaults;
  }

  /// Connects to a peer that was found on the local network, unless there are enough.
  private static void meet(Host host, PeerAddress peer) {
    boolean wanted =
        host.connections(peer.peer()).isEmpty() && host.connections().size() < NEIGHBOURS_MAX;
    if (wanted) {
      var _ =
          host.connect(peer)
              .whenComplete((_, e) -> {
                if (e != null) {
                  LOG.debug("{} on the local network is not reached", peer.peer(), e);
                }
              });
    }
  }

  private Kademlia kademlia(Host host) {
    return Kademlia.start(
        host,
        KademliaConfig.builder()
            .protocol(KAD)
            .mode(config.kademlia())
            .bootstrapPeers(bootstrapPeers())
            .build());
  }

  /// As many connections as the settings allow, trimmed well before that.
  private static ConnectionLimits connectionLimits(int max) {
    ConnectionLimits defaults = ConnectionLimits.defaults();
    return new ConnectionLimits(max * 5 / 8, max * 13 / 16, defaults.grace());
  }

  private static ResourceLimits resourceLimits(int connectionsMax) {
    ScopeLimits system =
        ResourceLimits.defaults()
            .system()
            .withConnections((connectionsMax + 1) / 2, connectionsMax, connectionsMax);
    return ResourceLimits.defaults().withSystem(system);
  }

  private static String[] texts(List<Multiaddr> addresses) {
    return addresses.stream().map(Multiaddr::toString).toArray(String[]::new);
  }

  private <T extends AutoCloseable> T hold(T resource) {
    opened.push(resource);
    return resource;
  }

  @Override
  public void stop() {
    running = null;
    while (!opened.isEmpty()) {
      AutoCloseable resource = opened.pop();
      try {
        resource.close();
      } catch (Exception e) {
        LOG.error("{} did not close cleanly", resource.getClass().getSimpleName(), e);
      }
    }
  }

  @Override
  public PeerStream open(PeerId peer, ProtocolId protocol) {
    Running now = require();
    try {
      return PeerStream.of(await(now.host.open(peer, protocol), OPEN_MAX, "a stream to " + peer));
    } catch (Libp2pException e) {
      if (!now.host.connections(peer).isEmpty()) {
        throw e;
      }
      Optional<PeerAddress> found =
          await(now.kad.findPeer(peer), LOOKUP_MAX, "a lookup of " + peer);
      if (found.isEmpty()) {
        throw e;
      }
      LOG.debug("{} was found at {}", peer, found.get().addresses());
      await(now.host.connect(found.get()), OPEN_MAX, "a connection to " + peer);
      return PeerStream.of(await(now.host.open(peer, protocol), OPEN_MAX, "a stream to " + peer));
    }
  }

  /// Waits for what the network does; a stream that comes too late is reset.
  static <T> T await(CompletableFuture<T> future, Duration patience, String what) {
    try {
      return future.get(patience.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Libp2pException known) {
        throw known;
      }
      throw new Libp2pException(what + " failed: " + e.getCause(), e);
    } catch (TimeoutException e) {
      abandon(future);
      throw new Libp2pException(what + " took more than " + patience.toSeconds() + " s", e);
    } catch (InterruptedException e) {
      abandon(future);
      Thread.currentThread().interrupt();
      throw new Libp2pException(what + " was interrupted", e);
    }
  }

  private static void abandon(CompletableFuture<?> future) {
    if (!future.cancel(true) && future.resultNow() instanceof Stream late) {
      late.reset();
    }
  }

  /// Lets go of a peer that broke a rule.
  public void letGo(PeerId peer, String reason) {
    var _ = host().disconnect(peer, reason);
  }

  /// Why the node is not in the network, one sentence each.
  public List<String> troubles() {
    Running now = running;
    if (now == null) {
      return List.of("the node is not in the network yet");
    }
    boolean alone = now.host.connections().isEmpty() && !config.bootstrap().isEmpty();
    if (!alone) {
      return List.of();
    }
    List<String> failures = now.bootstrap.failures();
    return failures.isEmpty() ? List.of("no peer is connected yet") : failures;
  }

  // What Kademlia knows.

  /// Announces that this node hands out a blob to everyone.
  ///
  /// @return completes with the number of peers that were told
  public CompletableFuture<Integer> provide(Hash root) {
    return require().kad.provide(multihash(root));
  }

  /// Announces it no more.
  public void unprovide(Hash root) {
    require().kad.unprovide(multihash(root));
  }

  /// Peers that hand a blob out to everyone, as far as the network knows; their addresses are
  /// remembered.
  public List<PeerId> providers(Hash root) {
    Running now = require();
    List<PeerAddress> found =
        await(
            now.kad.findProviders(multihash(root), PROVIDERS_MAX, _ -> {}),
            LOOKUP_MAX,
            "a lookup of " + root);
    List<PeerId> peers = new ArrayList<>();
    for (PeerAddress provider : found) {
      if (!provider.peer().equals(self)) {
        now.host
            .peerStore()
            .addAddresses(provider.peer(), provider.addresses(), Duration.ofMinutes(30));
        peers.add(provider.peer());
      }
    }
    return peers;
  }

  /// Roots are SHA-256 digests already: the multihash says so and holds them as they are.
  private static byte[] multihash(Hash root) {
    byte[] multihash = new byte[2 + Hash.BYTES];
    multihash[0] = SHA_256;
    multihash[1] = Hash.BYTES;
    System.arraycopy(root.bytes(), 0, multihash, 2, Hash.BYTES);
    return multihash;
  }

  /// Connections that are open now.
  public List<Connection> connections() {
    Running now = running;
    return now == null ? List.of() : now.host.connections();
  }

  /// Whether the service runs.
  boolean isRunning() {
    return running != null;
  }

  /// What the network takes of this machine.
  ResourceUsage usage() {
    Running now = running;
    return now == null ? new ResourceUsage(0, 0, 0, 0, 0, 0) : now.host.resources().usage();
  }

  /// The software that a peer says it runs; empty while that is not known.
  String agent(PeerId peer) {
    Running now = running;
    return now == null ? "" : now.host.peerStore().agent(peer).orElse("");
  }

  /// How the node stands in the network.
  NetworkView view() {
    Running now = running;
    if (now == null) {
      return new NetworkView(
          self,
          config.listen(),
          List.of(),
          List.of(),
          0,
          0,
          0,
          0,
          Reachability.UNKNOWN,
          List.of(),
          troubles());
    }
    List<Connection> connections = now.host.connections();
    int inbound =
        (int) connections.stream().filter(c -> c.direction() == Direction.INBOUND).count();
    return new NetworkView(
        self,
        now.host.listenAddresses(),
        now.host.addresses(),
        now.host.identify().candidateAddresses(),
        (int) connections.stream().map(Connection::peer).distinct().count(),
        inbound,
        connections.size() - inbound,
        now.kad.tableSize(),
        now.autoNat.reachability(),
        now.autoNat.verdicts(),
        troubles());
  }

  /// Asks peers to dial this node back, and waits until one has said what became of it.
  NetworkView check(Duration patience) {
    Running now = require();
    Instant asked = Instant.now();
    now.autoNat.probe();
    Instant end = asked.plus(patience);
    try {
      while (Instant.now().isBefore(end)
          && !now.host.connections().isEmpty()
          && now.autoNat.verdicts().stream().noneMatch(v -> !v.at().isBefore(asked))) {
        Thread.sleep(CHECK_PAUSE);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return view();
  }
}
