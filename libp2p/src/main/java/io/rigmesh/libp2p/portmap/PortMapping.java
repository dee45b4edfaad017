package io.rigmesh.libp2p.portmap;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.transport.IpAddresses;
import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.bitlet.weupnp.GatewayDevice;
import org.bitlet.weupnp.GatewayDiscover;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.xml.sax.SAXException;

/// Asks the home router by UPnP to pass the listening ports on to this host, again every few
/// minutes (a router that was restarted has forgotten them), and takes the mappings back at the
/// end. The mapped addresses are announced when they lie on the public network. Thread-safe.
public final class PortMapping implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PortMapping.class);

  private static final Duration TURN = Duration.ofMinutes(10);
  private static final Duration FIRST_TURN = Duration.ofSeconds(1);
  private static final int ANSWER_TIMEOUT_MS = 3_000;
  private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);
  private static final int PORTS_TRIED_MAX = 4;
  private static final String DESCRIPTION = "libp2p";

  private final Host host;
  private final Discovery discovery;
  private final Duration turn;
  private final CountDownLatch closing = new CountDownLatch(1);
  private final Map<Mapped, Integer> mapped = new LinkedHashMap<>();
  private final Thread thread;
  private volatile List<Multiaddr> addresses = List.of();
  private @Nullable GatewayDevice gateway;

  /// Finds the router; blocks for a bounded time.
  interface Discovery {
    Optional<GatewayDevice> find() throws IOException, SAXException;
  }

  /// A port of this host.
  ///
  /// @param protocol TCP or UDP, as UPnP writes it
  private record Mapped(String protocol, int port, boolean quic) {}

  private PortMapping(Host host, Discovery discovery, Duration turn) {
    this.host = host;
    this.discovery = discovery;
    this.turn = turn;
    this.thread = Thread.ofVirtual().name("port-mapping").unstarted(this::run);
  }

  /// Starts to look for a router; the mapped addresses are announced when there is one.
  public static PortMapping start(Host host) {
    return start(host, PortMapping::discover, TURN);
  }

  static PortMapping start(Host host, Discovery discovery, Duration turn) {
    PortMapping mapping = new PortMapping(host, discovery, turn);
    host.announce(mapping::addresses);
    mapping.thread.start();
    return mapping;
  }

  /// Asks every network of this machine by multicast.
  private static Optional<GatewayDevice> discover() throws IOException, SAXException {
    GatewayDevice.setHttpReadTimeout(ANSWER_TIMEOUT_MS);
    GatewayDiscover discover = new GatewayDiscover();
    discover.setTimeout(ANSWER_TIMEOUT_MS);
    try {
      discover.discover();
    } catch (javax.xml.parsers.ParserConfigurationException e) {
      throw new IOException("This Java runtime has no XML parser", e);
    }
    return Optional.ofNullable(discover.getValidGateway());
  }

  /// What the router maps now, seen from outside.
  public List<Multiaddr> addresses() {
    return addresses;
  }

  private void run() {
    // Anybody on the local network may say to be a router.
    GuardedXmlReader.use(Thread.currentThread());
    try {
      Duration wait = FIRST_TURN.compareTo(turn) < 0 ? FIRST_TURN : turn;
      while (!closing.await(wait.toMillis(), TimeUnit.MILLISECONDS)) {
        wait = turn;
        try {
          map();
        } catch (IOException | SAXException | RuntimeException e) {
          // weupnp reports a router's nonsense as any of these.
          LOG.debug("No ports are mapped: {}", e.getMessage());
          addresses = List.of();
          gateway = null;
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      addresses = List.of();
      unmap();
    }
  }

  private void map() throws IOException, SAXException {
    GatewayDevice router = gateway;
    if (router == null) {
      Optional<GatewayDevice> found = discovery.find();
      if (found.isEmpty()) {
        LOG.debug("No router here maps ports");
        return;
      }
      router = found.get();
      gateway = router;
    }
    for (Multiaddr listening : host.listenAddresses()) {
      Optional<Mapped> port = mappable(listening, router.getLocalAddress());
      if (port.isPresent()) {
        map(router, port.get());
      }
    }
    List<Multiaddr> now = seenFromOutside(router.getExternalIPAddress());
    if (!now.equals(addresses)) {
      LOG.info("The router maps {}", now);
      addresses = now;
      host.identify().pushChanges();
    }
  }

  /// What of a listening address a router can pass on: IPv4 towards the address that the router
  /// knows this machine by.
  private static Optional<Mapped> mappable(Multiaddr listening, InetAddress local) {
    boolean tcp = IpAddresses.isTcp(listening);
    if (!listening.has(AddressProtocol.IP4) || (!tcp && !IpAddresses.isQuic(listening))) {
      return Optional.empty();
    }
    InetAddress bound = IpAddresses.socketAddress(listening).getAddress();
    if (!bound.isAnyLocalAddress() && !bound.equals(local)) {
      return Optional.empty();
    }
    int port = IpAddresses.socketAddress(listening).getPort();
    return Optional.of(new Mapped(tcp ? "TCP" : "UDP", port, !tcp));
  }

  private void map(GatewayDevice router, Mapped port) throws IOException, SAXException {
    int outside = mapped.getOrDefault(port, port.port());
    for (int i = 0; i < PORTS_TRIED_MAX; i++) {
      if (router.addPortMapping(
          outside,
          port.port(),
          router.getLocalAddress().getHostAddress(),
          port.protocol(),
          DESCRIPTION)) {
        mapped.put(port, outside);
        return;
      }
      // Another machine at home may have the port.
      outside = ThreadLocalRandom.current().nextInt(20_000, 60_000);
    }
    mapped.remove(port);
    LOG.debug("The router does not map {} port {}", port.protocol(), port.port());
  }

  /// Behind a second router the outside of the first is no public address, and of no use to others.
  private List<Multiaddr> seenFromOutside(@Nullable String ip) {
    if (ip == null) {
      return List.of();
    }
    InetAddress outside = InetAddress.ofLiteral(ip);
    if (AddressScope.of(outside) != AddressScope.PUBLIC) {
      LOG.debug("The router's outside address {} is not public", ip);
      return List.of();
    }
    return mapped.entrySet().stream()
        .map(entry ->
            IpAddresses.ip(outside)
                .then(
                    entry.getKey().quic()
                        ? "/udp/" + entry.getValue() + "/quic-v1"
                        : "/tcp/" + entry.getValue()))
        .toList();
  }

  private void unmap() {
    GatewayDevice router = gateway;
    if (router == null) {
      return;
    }
    mapped.forEach((port, outside) -> {
      try {
        router.deletePortMapping(outside, port.protocol());
      } catch (IOException | SAXException | RuntimeException e) {
        LOG.debug("The mapping of port {} stays: {}", outside, e.getMessage());
      }
    });
  }

  /// Removes the mappings; waits a few seconds for that.
  @Override
  public void close() {
    closing.countDown();
    try {
      thread.join(CLOSE_TIMEOUT);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
