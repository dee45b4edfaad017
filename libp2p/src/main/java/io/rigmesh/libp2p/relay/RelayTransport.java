package io.rigmesh.libp2p.relay;

import io.netty.channel.Channel;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.negotiation.FirstMessage;
import io.rigmesh.libp2p.relay.wire.RelayWire;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.resource.ResourceLimitException;
import io.rigmesh.libp2p.transport.ConnectionAcceptor;
import io.rigmesh.libp2p.transport.Failures;
import io.rigmesh.libp2p.transport.Listener;
import io.rigmesh.libp2p.transport.SecuredConnection;
import io.rigmesh.libp2p.transport.StreamAcceptor;
import io.rigmesh.libp2p.transport.Transport;
import io.rigmesh.libp2p.transport.Upgrader;
import java.time.InstantSource;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Dials and listens through relays: `/ip4/../p2p/<relay>/p2p-circuit` (specification circuit relay
/// v2). What a relay carries is secured and multiplexed between the two ends, so that the relay can
/// only count and cut it.
public final class RelayTransport implements Transport {
  private static final Logger LOG = LoggerFactory.getLogger(RelayTransport.class);

  private final Host host;
  private final InstantSource clock;
  private final Set<RelayListener> listeners = ConcurrentHashMap.newKeySet();

  private RelayTransport(Host host, InstantSource clock) {
    this.host = host;
    this.clock = clock;
  }

  /// Adds the transport to the host; it is closed with the host.
  public static RelayTransport start(Host host) {
    return start(host, InstantSource.system());
  }

  static RelayTransport start(Host host, InstantSource clock) {
    RelayTransport transport = new RelayTransport(host, clock);
    host.handle(Relay.STOP, transport::stop);
    host.announce(transport::relayedAddresses);
    host.network().addTransport(transport);
    return transport;
  }

  /// Where this host can be reached through the relays that it holds reservations with.
  public List<Multiaddr> relayedAddresses() {
    Set<Multiaddr> all = new LinkedHashSet<>();
    listeners.forEach(listener -> all.addAll(listener.announced()));
    return List.copyOf(all);
  }

  @Override
  public boolean dials(Multiaddr address) {
    return RelayedAddress.of(address).isPresent();
  }

  @Override
  public boolean listens(Multiaddr address) {
    return RelayedAddress.of(address)
        .filter(relayed -> relayed.target().isEmpty() || relayed.target().get().equals(host.id()))
        .isPresent();
  }

  @Override
  public CompletableFuture<SecuredConnection> dial(
      Multiaddr address, @Nullable PeerId expected, ConnectionScope scope, StreamAcceptor streams) {
    RelayedAddress to = RelayedAddress.of(address).orElseThrow();
    PeerId target = expected != null ? expected : to.target().orElse(null);
    if (target == null) {
      return CompletableFuture.failedFuture(
          new Libp2pException("The address does not say who is behind the relay: " + address));
    }
    CompletableFuture<SecuredConnection> result = new CompletableFuture<>();
    CompletableFuture<Stream> opening = openHop(host, to, result);
    opening.whenComplete((stream, failure) -> {
      if (failure != null) {
        result.completeExceptionally(Failures.unwrapped(failure));
      } else {
        stream
            .channel()
            .eventLoop()
            .execute(() -> connect(stream, to, target, scope, streams, result));
      }
    });
    return result;
  }

  /// Opens a hop stream over a direct connection to the relay; given up when the result fails.
  static CompletableFuture<Stream> openHop(
      Host host, RelayedAddress to, CompletableFuture<?> result) {
    CompletableFuture<Connection> connecting = host.connect(to.relay());
    CompletableFuture<Stream> opening =
        connecting.thenCompose(connection ->
            RelayMessages.relayed(connection)
                ? CompletableFuture.failedFuture(
                    new Libp2pException(
                        "The relay "
                            + to.relay().peer()
                            + " can only be reached through a relay itself"))
                : connection.open(List.of(Relay.HOP)));
    result.whenComplete((done, failure) -> {
      if (failure != null) {
        connecting.cancel(true);
        opening.thenAccept(Stream::reset);
      }
    });
    return opening;
  }

  private void connect(
      Stream stream,
      RelayedAddress to,
      PeerId target,
      ConnectionScope scope,
      StreamAcceptor streams,
      CompletableFuture<SecuredConnection> result) {
    RelayWire.HopMessage question =
        RelayWire.HopMessage.newBuilder()
            .setType(RelayWire.HopMessage.Type.CONNECT)
            .setPeer(RelayMessages.peer(target))
            .build();
    stream.channel().writeAndFlush(FirstMessage.framed(question));
    FirstMessage.read(
            stream.channel(), Relay.HOP.name(), RelayMessages.BYTES_MAX, RelayMessages.TIMEOUT)
        .thenCompose(bytes -> {
          RelayWire.HopMessage answer = RelayMessages.hop(bytes);
          if (answer.getType() != RelayWire.HopMessage.Type.STATUS
              || answer.getStatus() != RelayWire.Status.OK) {
            throw new Libp2pException(
                "The relay " + stream.peer() + " does not connect: " + reason(answer));
          }
          return upgrade(
              stream,
              new Upgrader.Request(
                  Direction.OUTBOUND,
                  target,
                  null,
                  stream.connection().localAddress(),
                  to.whole(),
                  RelayMessages.limits(answer.getLimit()),
                  scope,
                  streams));
        })
        .whenComplete((connection, failure) -> {
          if (failure != null) {
            result.completeExceptionally(Failures.unwrapped(failure));
          } else if (!result.complete(connection)) {
            connection.session().close();
          }
        });
  }

  private CompletableFuture<SecuredConnection> upgrade(Stream stream, Upgrader.Request request) {
    Channel channel = stream.channel();
    channel.pipeline().addLast(new RelayedSocket());
    CompletableFuture<SecuredConnection> upgrading =
        host.network().upgrader().upgrade(channel, request);
    channel.config().setAutoRead(true);
    return upgrading;
  }

  /// What a refusal means, and what may help.
  static String reason(RelayWire.HopMessage answer) {
    return switch (answer.getStatus()) {
      case RESERVATION_REFUSED -> "it has no reservation to give; try another relay";
      case RESOURCE_LIMIT_EXCEEDED -> "too many connections run through it; try again later";
      case PERMISSION_DENIED -> "it does not serve this host, or not over a relayed connection";
      case CONNECTION_FAILED -> "the peer behind it did not take the connection";
      case NO_RESERVATION -> "the peer holds no reservation there any more";
      case MALFORMED_MESSAGE, UNEXPECTED_MESSAGE ->
          "it did not understand the request (" + answer.getStatus() + ")";
      case OK, UNUSED -> "it did not answer the request";
    };
  }

  /// Relayed connections are replaced, not punched through.
  @Override
  public CompletableFuture<SecuredConnection> punch(
      Multiaddr address,
      PeerId expected,
      Direction role,
      ConnectionScope scope,
      StreamAcceptor streams) {
    return CompletableFuture.failedFuture(
        new Libp2pException("A hole is punched to a direct address, not to " + address));
  }

  /// Reserves a place with the relay and keeps it until the listener is closed.
  @Override
  public CompletableFuture<Listener> listen(Multiaddr address, ConnectionAcceptor acceptor) {
    RelayedAddress to = RelayedAddress.of(address).orElseThrow();
    RelayListener listener = new RelayListener(host, to, acceptor, clock, listeners::remove);
    listeners.add(listener);
    return listener.start().thenApply(reserved -> listener);
  }

  /// A relay brings a connection (specification circuit relay v2, "Stop Protocol").
  private void stop(Stream stream) {
    Optional<RelayListener> listener =
        RelayMessages.relayed(stream.connection())
            ? Optional.empty()
            : listeners.stream().filter(one -> one.relay().equals(stream.peer())).findFirst();
    FirstMessage.read(
            stream.channel(), Relay.STOP.name(), RelayMessages.BYTES_MAX, RelayMessages.TIMEOUT)
        .whenComplete((bytes, failure) -> {
          if (failure != null) {
            LOG.debug("{}: {}", stream, Failures.message(failure));
            stream.reset();
            return;
          }
          try {
            RelayWire.StopMessage message = RelayMessages.stop(bytes);
            if (message.getType() != RelayWire.StopMessage.Type.CONNECT) {
              refuse(stream, RelayWire.Status.UNEXPECTED_MESSAGE);
            } else if (listener.isEmpty()) {
              refuse(stream, RelayWire.Status.PERMISSION_DENIED);
            } else {
              accept(stream, message, listener.get().acceptor());
            }
          } catch (PeerMisbehaviourException e) {
            LOG.debug("{}: {}", stream, e.getMessage());
            refuse(stream, RelayWire.Status.MALFORMED_MESSAGE);
          }
        });
  }

  private static void refuse(Stream stream, RelayWire.Status status) {
    stream.channel().writeAndFlush(FirstMessage.framed(RelayMessages.stopStatus(status)));
    stream.close();
  }

  private void accept(Stream stream, RelayWire.StopMessage message, ConnectionAcceptor acceptor) {
    PeerId source = RelayMessages.peerId(Relay.STOP.name(), message.getPeer());
    Multiaddr remote =
        stream.connection().remoteAddress().withPeerId(stream.peer()).then("/p2p-circuit");
    ConnectionScope scope;
    try {
      scope = acceptor.admit(remote);
    } catch (ResourceLimitException e) {
      LOG.debug("Refused a relayed connection of {}: {}", source, e.getMessage());
      refuse(stream, RelayWire.Status.RESOURCE_LIMIT_EXCEEDED);
      return;
    }
    StreamAcceptor streams = acceptor.streams();
    stream
        .channel()
        .writeAndFlush(FirstMessage.framed(RelayMessages.stopStatus(RelayWire.Status.OK)));
    upgrade(
            stream,
            new Upgrader.Request(
                Direction.INBOUND,
                source,
                null,
                stream.connection().localAddress(),
                remote,
                RelayMessages.limits(message.getLimit()),
                scope,
                streams))
        .whenComplete((connection, failure) -> {
          if (failure == null) {
            acceptor.accept(connection, scope, streams);
          } else {
            acceptor.failed(remote, scope, Failures.unwrapped(failure));
          }
        });
  }

  @Override
  public void close() {
    listeners.forEach(RelayListener::close);
  }
}
