package io.rigmesh.libp2p.resource;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;

/// Random walks over connections and streams against a model that counts everything anew at every
/// step: the ledger accepts exactly what the model accepts, a refusal changes nothing, and when all
/// is closed, in any order, nothing is held.
class ResourceLedgerPropertyTest {
  private static final List<PeerId> PEERS = List.of(peer(1), peer(2), peer(3));
  private static final List<ProtocolId> PROTOCOLS =
      List.of(new ProtocolId("/a"), new ProtocolId("/b"));
  private static final List<Multiaddr> ADDRESSES =
      List.of(
          Multiaddr.of("/ip4/127.0.0.1/tcp/1"),
          Multiaddr.of("/ip4/1.2.3.4/tcp/1"),
          Multiaddr.of("/ip6/2001:db8:0:1::1/tcp/1"),
          Multiaddr.of("/ip6/2001:db8:0:ff::1/tcp/1"));

  private static final ScopeLimits SYSTEM = new ScopeLimits(5, 5, 7, 6, 6, 9, 100);
  private static final ScopeLimits TRANSIENT = new ScopeLimits(3, 3, 4, 3, 4, 5, 40);
  private static final ScopeLimits PEER = new ScopeLimits(2, 2, 3, 3, 3, 5, 60);
  private static final ScopeLimits PROTOCOL = ScopeLimits.ofStreams(4, 4, 6, 70);
  private static final ScopeLimits PROTOCOL_PEER = ScopeLimits.ofStreams(2, 2, 3, 50);
  private static final ScopeLimits CONNECTION = new ScopeLimits(1, 1, 1, 2, 3, 4, 45);
  private static final ScopeLimits STREAM = ScopeLimits.ofStreams(1, 1, 1, 30);
  private static final ResourceLimits LIMITS =
      new ResourceLimits(
          SYSTEM,
          TRANSIENT,
          PEER,
          PROTOCOL,
          Map.of(),
          PROTOCOL_PEER,
          CONNECTION,
          STREAM,
          new AddressLimits(56, 2, 1000, 1000, 2, AddressLimits.defaults().exempt()));

  private static PeerId peer(int seed) {
    byte[] bytes = new byte[32];
    bytes[0] = (byte) seed;
    return PeerId.of(Ed25519PrivateKey.ofSeed(bytes).publicKey());
  }

  enum Kind {
    OPEN_CONNECTION,
    SET_PEER,
    OPEN_STREAM,
    SET_PROTOCOL,
    RESERVE_CONNECTION,
    RESERVE_STREAM,
    RELEASE_CONNECTION,
    RELEASE_STREAM,
    CLOSE_STREAM,
    CLOSE_CONNECTION
  }

  /// @param target picks the connection or stream among those there are
  /// @param value picks the peer, protocol, address, direction or number of bytes
  record Step(Kind kind, int target, int value) {}

  @Provide
  Arbitrary<List<Step>> walks() {
    Arbitrary<Kind> kinds =
        Arbitraries.frequency(
            net.jqwik.api.Tuple.of(4, Kind.OPEN_CONNECTION),
            net.jqwik.api.Tuple.of(4, Kind.SET_PEER),
            net.jqwik.api.Tuple.of(7, Kind.OPEN_STREAM),
            net.jqwik.api.Tuple.of(5, Kind.SET_PROTOCOL),
            net.jqwik.api.Tuple.of(3, Kind.RESERVE_CONNECTION),
            net.jqwik.api.Tuple.of(5, Kind.RESERVE_STREAM),
            net.jqwik.api.Tuple.of(1, Kind.RELEASE_CONNECTION),
            net.jqwik.api.Tuple.of(2, Kind.RELEASE_STREAM),
            net.jqwik.api.Tuple.of(3, Kind.CLOSE_STREAM),
            net.jqwik.api.Tuple.of(2, Kind.CLOSE_CONNECTION));
    return Combinators.combine(
            kinds, Arbitraries.integers().between(0, 999), Arbitraries.integers().between(0, 35))
        .as(Step::new)
        .list()
        .ofMinSize(1)
        .ofMaxSize(120);
  }

  static final class ModelConnection {
    final ConnectionScope scope;
    final Direction direction;
    final Multiaddr address;
    @Nullable PeerId peer;
    long memory;
    final List<ModelStream> streams = new ArrayList<>();

    ModelConnection(ConnectionScope scope, Direction direction, Multiaddr address) {
      this.scope = scope;
      this.direction = direction;
      this.address = address;
    }
  }

  static final class ModelStream {
    final StreamScope scope;
    final ModelConnection connection;
    final Direction direction;
    @Nullable ProtocolId protocol;
    long memory;

    ModelStream(StreamScope scope, ModelConnection connection, Direction direction) {
      this.scope = scope;
      this.connection = connection;
      this.direction = direction;
    }
  }

  /// Accepts anything; stands in the model while it asks "what if".
  private static final ResourceManager FREE = ResourceManager.unlimited();

  private final List<ModelConnection> connections = new ArrayList<>();
  private final List<ModelStream> streams = new ArrayList<>();

  @Property(tries = 1500)
  void theLedgerAcceptsWhatTheModelAcceptsAndForgetsAllThatIsClosed(
      @ForAll("walks") List<Step> walk) {
    connections.clear();
    streams.clear();
    LimitedResources ledger = new LimitedResources(LIMITS, InstantSource.fixed(Instant.EPOCH));
    for (Step step : walk) {
      take(ledger, step);
      assertThat(ledger.snapshot()).as("after %s", step).isEqualTo(counted());
    }
    // The walk's own order of steps decides the order of closing.
    for (Step step : walk) {
      if (!connections.isEmpty() && step.value() % 2 == 0) {
        connections.remove(step.target() % connections.size()).scope.close();
      } else if (!streams.isEmpty()) {
        streams.remove(step.target() % streams.size()).scope.close();
      }
    }
    connections.forEach(connection -> connection.scope.close());
    streams.forEach(stream -> stream.scope.close());
    assertThat(ledger.snapshot()).isEmpty();
    assertThat(ledger.addressedConnections()).isZero();
    assertThat(ledger.usage()).isEqualTo(new ResourceUsage(0, 0, 0, 0, 0, 0));
  }

  private void take(LimitedResources ledger, Step step) {
    Direction direction = step.value() % 2 == 0 ? Direction.INBOUND : Direction.OUTBOUND;
    switch (step.kind()) {
      case OPEN_CONNECTION -> {
        Multiaddr address = ADDRESSES.get(step.value() / 2 % ADDRESSES.size());
        ModelConnection wanted =
            new ModelConnection(FREE.openConnection(direction, address), direction, address);
        connections.add(wanted);
        boolean allowed = fits();
        connections.remove(wanted);
        @Nullable ConnectionScope scope =
            attempt(allowed, () -> ledger.openConnection(direction, address));
        if (scope != null) {
          connections.add(new ModelConnection(scope, direction, address));
        }
      }
      case SET_PEER -> {
        ModelConnection connection = pick(connections, step);
        if (connection != null && connection.peer == null) {
          PeerId peer = PEERS.get(step.value() % PEERS.size());
          connection.peer = peer;
          boolean allowed = fits();
          connection.peer = null;
          if (attempt(
                  allowed,
                  () -> {
                    connection.scope.setPeer(peer);
                    return true;
                  })
              != null) {
            connection.peer = peer;
          }
        }
      }
      case OPEN_STREAM -> {
        ModelConnection connection = pick(connections, step);
        if (connection != null) {
          ModelStream wanted =
              new ModelStream(
                  FREE.openConnection(direction, connection.address).openStream(direction),
                  connection,
                  direction);
          connection.streams.add(wanted);
          boolean allowed = fits();
          connection.streams.remove(wanted);
          @Nullable StreamScope scope =
              attempt(allowed, () -> connection.scope.openStream(direction));
          if (scope != null) {
            ModelStream stream = new ModelStream(scope, connection, direction);
            connection.streams.add(stream);
            streams.add(stream);
          }
        }
      }
      case SET_PROTOCOL -> {
        ModelStream stream = pick(streams, step);
        if (stream != null && stream.protocol == null) {
          ProtocolId protocol = PROTOCOLS.get(step.value() % PROTOCOLS.size());
          stream.protocol = protocol;
          boolean allowed = fits();
          stream.protocol = null;
          if (attempt(
                  allowed,
                  () -> {
                    stream.scope.setProtocol(protocol);
                    return true;
                  })
              != null) {
            stream.protocol = protocol;
          }
        }
      }
      case RESERVE_CONNECTION -> {
        ModelConnection connection = pick(connections, step);
        if (connection != null) {
          connection.memory += step.value();
          boolean allowed = fits();
          connection.memory -= step.value();
          if (reserved(allowed, connection.scope, step.value())) {
            connection.memory += step.value();
          }
        }
      }
      case RESERVE_STREAM -> {
        ModelStream stream = pick(streams, step);
        if (stream != null) {
          stream.memory += step.value();
          boolean allowed = fits();
          stream.memory -= step.value();
          if (reserved(allowed, stream.scope, step.value())) {
            stream.memory += step.value();
          }
        }
      }
      case RELEASE_CONNECTION -> {
        ModelConnection connection = pick(connections, step);
        if (connection != null) {
          long bytes = Math.min(step.value(), connection.memory);
          connection.scope.releaseMemory(bytes);
          connection.memory -= bytes;
        }
      }
      case RELEASE_STREAM -> {
        ModelStream stream = pick(streams, step);
        if (stream != null) {
          long bytes = Math.min(step.value(), stream.memory);
          stream.scope.releaseMemory(bytes);
          stream.memory -= bytes;
        }
      }
      case CLOSE_STREAM -> {
        ModelStream stream = pick(streams, step);
        if (stream != null) {
          stream.scope.close();
          stream.scope.close();
          streams.remove(stream);
          stream.connection.streams.remove(stream);
        }
      }
      case CLOSE_CONNECTION -> {
        ModelConnection connection = pick(connections, step);
        if (connection != null) {
          connection.scope.close();
          connection.scope.close();
          connections.remove(connection);
          streams.removeAll(connection.streams);
        }
      }
    }
  }

  private static <T> @Nullable T pick(List<T> all, Step step) {
    return all.isEmpty() ? null : all.get(step.target() % all.size());
  }

  private static boolean reserved(boolean allowed, MemoryScope scope, long bytes) {
    return attempt(
            allowed,
            () -> {
              scope.reserveMemory(bytes);
              return true;
            })
        != null;
  }

  private static <T> @Nullable T attempt(boolean allowed, java.util.function.Supplier<T> action) {
    try {
      T result = action.get();
      assertThat(allowed).as("the model refuses what the ledger took").isTrue();
      return result;
    } catch (ResourceLimitException e) {
      assertThat(allowed).as("the model takes what was refused: " + e.getMessage()).isFalse();
      assertThat(e.getMessage()).contains("The scope '").contains("at most");
      return null;
    }
  }

  /// What each scope holds, counted from nothing.
  private Map<String, Usage> counted() {
    Map<String, Usage> all = new TreeMap<>();
    for (ModelConnection c : connections) {
      Usage own = Usage.connection(c.direction).plus(Usage.memory(c.memory));
      all.merge("system", own, Usage::plus);
      all.merge(c.peer == null ? "transient" : "peer " + c.peer, own, Usage::plus);
      for (ModelStream s : c.streams) {
        Usage stream = Usage.stream(s.direction).plus(Usage.memory(s.memory));
        all.merge("system", stream, Usage::plus);
        if (c.peer != null) {
          all.merge("peer " + c.peer, stream, Usage::plus);
        }
        if (s.protocol != null) {
          all.merge("protocol " + s.protocol, stream, Usage::plus);
        }
        if (s.protocol != null && c.peer != null) {
          all.merge("protocol " + s.protocol + " with peer " + c.peer, stream, Usage::plus);
        }
        if (s.protocol == null || c.peer == null) {
          all.merge("transient", stream, Usage::plus);
        }
      }
    }
    return all;
  }

  private boolean fits() {
    for (Map.Entry<String, Usage> scope : counted().entrySet()) {
      String name = scope.getKey();
      ScopeLimits limits =
          name.equals("system")
              ? SYSTEM
              : name.equals("transient")
                  ? TRANSIENT
                  : name.contains(" with peer ")
                      ? PROTOCOL_PEER
                      : name.startsWith("peer ") ? PEER : PROTOCOL;
      if (!fits(limits, scope.getValue())) {
        return false;
      }
    }
    Map<String, Integer> byAddress = new HashMap<>();
    for (ModelConnection c : connections) {
      Usage own = Usage.connection(c.direction).plus(Usage.memory(c.memory));
      for (ModelStream s : c.streams) {
        own = own.plus(Usage.stream(s.direction)).plus(Usage.memory(s.memory));
        if (s.memory > STREAM.memoryBytesMax()) {
          return false;
        }
      }
      if (!fits(CONNECTION, own)) {
        return false;
      }
      int index = ADDRESSES.indexOf(c.address);
      // The two IPv6 addresses share their first 56 bits; the first address is exempt.
      if (index > 0 && byAddress.merge(index == 1 ? "4" : "6", 1, Integer::sum) > 2) {
        return false;
      }
    }
    return true;
  }

  private static boolean fits(ScopeLimits limits, Usage usage) {
    return usage.connectionsInbound() <= limits.connectionsInboundMax()
        && usage.connectionsOutbound() <= limits.connectionsOutboundMax()
        && usage.connections() <= limits.connectionsMax()
        && usage.streamsInbound() <= limits.streamsInboundMax()
        && usage.streamsOutbound() <= limits.streamsOutboundMax()
        && usage.streams() <= limits.streamsMax()
        && usage.memoryBytes() <= limits.memoryBytesMax();
  }
}
