package io.rigmesh.libp2p.autonat;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.identify.IdentifyListener;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.AddressScope;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.transport.TcpTransport;
import io.rigmesh.libp2p.transport.Transport;
import io.rigmesh.libp2p.transport.quic.QuicTransport;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Finds out which addresses of this host others can dial, by asking connected peers to dial them,
/// and dials back for others (specification AutoNAT v2). Thread-safe.
public final class AutoNat implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(AutoNat.class);

  public static final ProtocolId DIAL_REQUEST = new ProtocolId("/libp2p/autonat/2/dial-request");
  public static final ProtocolId DIAL_BACK = new ProtocolId("/libp2p/autonat/2/dial-back");

  private static final int CANDIDATES_MAX = 16;

  /// Questions to one server in one turn; servers refuse those who ask too much.
  private static final int QUESTIONS_PER_SERVER_MAX = 3;

  private final Host host;
  private final AutoNatSettings settings;
  private final InstantSource clock;
  private final DialBackClient client = new DialBackClient();
  private final DialBackServer server;
  private final Verdicts verdicts = new Verdicts();
  private final List<ReachabilityListener> listeners = new CopyOnWriteArrayList<>();
  private final IdentifyListener onIdentified;
  private final Semaphore turns = new Semaphore(0);
  private final Thread thread;
  private volatile Reachability reachability = Reachability.UNKNOWN;
  private volatile boolean closed;

  private AutoNat(
      Host host, AutoNatSettings settings, InstantSource clock, List<Transport> dialers) {
    this.host = host;
    this.settings = settings;
    this.clock = clock;
    this.server = new DialBackServer(host, settings, clock, dialers);
    this.onIdentified =
        (connection, info) -> {
          if (reachability == Reachability.UNKNOWN && info.speaks(DIAL_REQUEST)) {
            probe();
          }
        };
    this.thread = Thread.ofVirtual().name("autonat").unstarted(this::run);
  }

  /// Starts to ask, and to answer if the settings say so. Confirmed addresses are announced.
  public static AutoNat start(Host host, AutoNatSettings settings) {
    List<Transport> dialers = new ArrayList<>();
    dialers.add(new TcpTransport(host.network().eventLoops(), host.network().upgrader()));
    if (QuicTransport.unavailability().isEmpty()) {
      dialers.add(new QuicTransport(host.network().eventLoops(), host.key()));
    }
    AutoNat autoNat = new AutoNat(host, settings, InstantSource.system(), dialers);
    host.handle(DIAL_BACK, StreamHandler.blocking(autoNat.client::dialledBack));
    if (settings.serve()) {
      host.handle(DIAL_REQUEST, StreamHandler.blocking(autoNat.server::serve));
    }
    host.announce(autoNat::confirmed);
    host.identify().addListener(autoNat.onIdentified);
    autoNat.thread.start();
    return autoNat;
  }

  public Reachability reachability() {
    return reachability;
  }

  /// Every address that was asked about.
  public List<AddressVerdict> verdicts() {
    return verdicts.all();
  }

  /// Addresses that were dialled from outside.
  private List<Multiaddr> confirmed() {
    return verdicts.all().stream()
        .filter(verdict -> verdict.state() == Reachability.PUBLIC)
        .map(AddressVerdict::address)
        .toList();
  }

  public void addListener(ReachabilityListener listener) {
    listeners.add(listener);
  }

  public void removeListener(ReachabilityListener listener) {
    listeners.remove(listener);
  }

  /// Asks now instead of at the next turn.
  public void probe() {
    turns.release();
  }

  private void run() {
    try {
      while (!closed) {
        if (turns.tryAcquire(settings.retry().toMillis(), TimeUnit.MILLISECONDS)) {
          turns.drainPermits();
        }
        if (!closed) {
          turn();
        }
      }
    } catch (InterruptedException over) {
      Thread.currentThread().interrupt();
    }
  }

  private void turn() throws InterruptedException {
    Set<Multiaddr> candidates = candidates();
    verdicts.keepOnly(candidates);
    List<Connection> servers = servers();
    LOG.debug("{} servers for {}", servers.size(), candidates);
    Map<PeerId, Integer> questions = new HashMap<>();
    for (Multiaddr candidate : candidates) {
      if (verdicts.due(candidate, settings.refresh(), clock.instant())) {
        askAbout(candidate, servers, questions);
      }
    }
    settle();
  }

  private void askAbout(Multiaddr address, List<Connection> servers, Map<PeerId, Integer> questions)
      throws InterruptedException {
    AddressScope scope = AddressScope.of(address);
    // A server inside this network says nothing about the outside, and the other way round.
    List<Connection> fitting =
        servers.stream()
            .filter(server -> AddressScope.of(server.remoteAddress()) == scope)
            .toList();
    int needed = Math.min(settings.confirmations(), fitting.size());
    int answers = 0;
    for (Connection server : fitting) {
      if (closed || answers >= needed) {
        return;
      }
      if (questions.merge(server.peer(), 1, Integer::sum) > QUESTIONS_PER_SERVER_MAX) {
        continue;
      }
      try {
        DialBackClient.Outcome outcome = client.ask(server, address);
        LOG.debug("{} about {}: {}", server.peer(), address, outcome);
        if (outcome != DialBackClient.Outcome.NO_ANSWER) {
          answers++;
          verdicts.add(
              address,
              server.peer(),
              outcome == DialBackClient.Outcome.DIALLED,
              needed,
              clock.instant());
        }
      } catch (Libp2pException e) {
        LOG.debug("{} could not be asked about {}: {}", server.peer(), address, e.getMessage());
      }
    }
  }

  /// What this host might be dialled at: as others see it, and as it listens.
  private Set<Multiaddr> candidates() {
    List<Multiaddr> all = new ArrayList<>(host.identify().candidateAddresses());
    all.addAll(host.addresses());
    Set<Multiaddr> out = new LinkedHashSet<>();
    for (Multiaddr address : all) {
      AddressScope scope = AddressScope.of(address);
      boolean asked =
          scope == AddressScope.PUBLIC
              || (settings.privateAddresses() && scope != AddressScope.NONE);
      if (asked
          && out.size() < CANDIDATES_MAX
          && !address.has(AddressProtocol.P2P_CIRCUIT)
          && (address.has(AddressProtocol.IP4) || address.has(AddressProtocol.IP6))) {
        out.add(address.withoutPeerId());
      }
    }
    return out;
  }

  /// One direct connection to each peer that dials back, in an order of chance.
  private List<Connection> servers() {
    List<Connection> out = new ArrayList<>();
    Set<PeerId> seen = new HashSet<>();
    for (Connection connection : host.connections()) {
      if (connection.isOpen()
          && !relayed(connection)
          && host.peerStore().protocols(connection.peer()).contains(DIAL_REQUEST)
          && seen.add(connection.peer())) {
        out.add(connection);
      }
    }
    Collections.shuffle(out);
    return out;
  }

  private void settle() {
    Reachability now = verdicts.overall();
    if (now == reachability) {
      return;
    }
    LOG.info("Reachability is {} after {}", now, reachability);
    reachability = now;
    host.identify().pushChanges();
    for (ReachabilityListener listener : listeners) {
      try {
        listener.changed(now);
      } catch (RuntimeException e) {
        LOG.warn("A reachability listener failed", e);
      }
    }
  }

  static boolean relayed(Connection connection) {
    return connection.limited() || connection.remoteAddress().has(AddressProtocol.P2P_CIRCUIT);
  }

  @Override
  public void close() {
    closed = true;
    host.identify().removeListener(onIdentified);
    host.unhandle(DIAL_BACK);
    if (settings.serve()) {
      host.unhandle(DIAL_REQUEST);
    }
    server.close();
    probe();
  }
}
