package io.rigmesh.libp2p;

import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PrivateKey;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.resource.ResourceLimits;
import io.rigmesh.libp2p.swarm.ConnectionLimits;
import io.rigmesh.libp2p.swarm.NetworkHost;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Builds and starts a [Host]. What is not set has a default that suits a peer on the open network.
///
/// ```java
/// Host host = new HostBuilder(key).listen("/ip4/0.0.0.0/tcp/4070").start();
/// ```
public final class HostBuilder {
  private final PrivateKey key;
  private final List<Multiaddr> listen = new ArrayList<>();
  private final List<Multiaddr> announce = new ArrayList<>();
  private List<Security> securities = List.of(Security.NOISE, Security.TLS);
  private String agentVersion = "rigmesh-libp2p";
  private ResourceLimits limits = ResourceLimits.defaults();
  private ConnectionLimits connectionLimits = ConnectionLimits.defaults();
  private Optional<Path> peerStoreFile = Optional.empty();
  private Duration handshakeTimeout = Duration.ofSeconds(15);
  private boolean quic = true;
  private int eventLoopThreads;
  private InstantSource clock = InstantSource.system();

  /// @param key the identity; keep it where only this program reads it
  public HostBuilder(PrivateKey key) {
    this.key = key;
  }

  /// A host whose identity lasts as long as it does.
  public static HostBuilder anonymous() {
    return new HostBuilder(Ed25519PrivateKey.generate(new SecureRandom()));
  }

  /// Listens on these addresses; with none the host only dials.
  public HostBuilder listen(String... addresses) {
    for (String address : addresses) {
      listen.add(Multiaddr.of(address));
    }
    return this;
  }

  /// Announces these addresses besides those of the interfaces, such as a router's.
  public HostBuilder announce(String... addresses) {
    for (String address : addresses) {
      announce.add(Multiaddr.of(address));
    }
    return this;
  }

  /// The secure channels to propose and accept on TCP, best first.
  public HostBuilder securities(Security first, Security... more) {
    Set<Security> all = EnumSet.of(first, more);
    List<Security> ordered = new ArrayList<>(List.of(first));
    for (Security one : more) {
      if (all.contains(one) && !ordered.contains(one)) {
        ordered.add(one);
      }
    }
    securities = List.copyOf(ordered);
    return this;
  }

  /// What identify tells peers about the software, such as `rigmesh/0.1.0`.
  public HostBuilder agentVersion(String agent) {
    agentVersion = agent;
    return this;
  }

  public HostBuilder limits(ResourceLimits resourceLimits) {
    limits = resourceLimits;
    return this;
  }

  /// How many connections are kept, and which are closed when there are more.
  public HostBuilder connections(ConnectionLimits keep) {
    connectionLimits = keep;
    return this;
  }

  /// Keeps what is known of peers over a restart.
  public HostBuilder peerStoreFile(Path file) {
    peerStoreFile = Optional.of(file);
    return this;
  }

  /// How long a new connection may take to be secured and multiplexed.
  public HostBuilder handshakeTimeout(Duration timeout) {
    handshakeTimeout = timeout;
    return this;
  }

  /// Neither dials nor listens by QUIC.
  public HostBuilder withoutQuic() {
    quic = false;
    return this;
  }

  /// Threads that serve all sockets; zero chooses.
  public HostBuilder eventLoopThreads(int threads) {
    eventLoopThreads = threads;
    return this;
  }

  public HostBuilder clock(InstantSource hostClock) {
    clock = hostClock;
    return this;
  }

  /// Starts the host; returns when every address is listened on.
  ///
  /// @throws Libp2pException when an address cannot be listened on; nothing is left open then
  public Host start() {
    return NetworkHost.start(
        new NetworkHost.Settings(
            key,
            List.copyOf(listen),
            List.copyOf(announce),
            securities,
            agentVersion,
            limits,
            connectionLimits,
            peerStoreFile,
            handshakeTimeout,
            quic,
            eventLoopThreads,
            clock));
  }
}
