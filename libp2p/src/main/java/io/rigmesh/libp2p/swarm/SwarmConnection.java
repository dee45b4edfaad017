package io.rigmesh.libp2p.swarm;

import io.netty.channel.socket.DuplexChannel;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PublicKey;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.negotiation.Multistream;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.resource.ResourceLimitException;
import io.rigmesh.libp2p.resource.StreamScope;
import io.rigmesh.libp2p.transport.Failures;
import io.rigmesh.libp2p.transport.SecuredConnection;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// A connection of the swarm: negotiates its streams' protocols and counts them.
final class SwarmConnection implements Connection {
  private static final Logger LOG = LoggerFactory.getLogger(SwarmConnection.class);

  private final SecuredConnection secured;
  private final PeerId peer;
  private final Direction direction;
  private final Instant openedAt;
  private final ConnectionScope scope;
  private final Map<ProtocolId, StreamHandler> handlers;
  private final Duration negotiationTimeout;
  private final Set<Stream> streams = ConcurrentHashMap.newKeySet();
  private final CompletableFuture<String> closed = new CompletableFuture<>();

  /// Set before the socket is gone: whoever connects meanwhile must not be given this connection.
  private volatile boolean closing;

  /// @param handlers what is served here; read at each inbound stream
  SwarmConnection(
      SecuredConnection secured,
      Direction direction,
      Instant openedAt,
      ConnectionScope scope,
      Map<ProtocolId, StreamHandler> handlers,
      Duration negotiationTimeout) {
    this.secured = secured;
    this.peer = PeerId.of(secured.remoteKey());
    this.direction = direction;
    this.openedAt = openedAt;
    this.scope = scope;
    this.handlers = handlers;
    this.negotiationTimeout = negotiationTimeout;
    secured
        .session()
        .closed()
        .whenComplete((reason, failure) -> {
          scope.close();
          closed.complete(failure == null ? reason : Failures.message(failure));
        });
  }

  @Override
  public PeerId peer() {
    return peer;
  }

  @Override
  public PublicKey remoteKey() {
    return secured.remoteKey();
  }

  @Override
  public Multiaddr localAddress() {
    return secured.localAddress();
  }

  @Override
  public Multiaddr remoteAddress() {
    return secured.remoteAddress();
  }

  @Override
  public Direction direction() {
    return direction;
  }

  @Override
  public Instant openedAt() {
    return openedAt;
  }

  @Override
  public String security() {
    return secured.security();
  }

  @Override
  public String muxer() {
    return secured.muxer();
  }

  @Override
  public boolean limited() {
    return secured.limited();
  }

  @Override
  public CompletableFuture<Stream> open(List<ProtocolId> protocols) {
    StreamScope streamScope;
    try {
      streamScope = scope.openStream(Direction.OUTBOUND);
    } catch (ResourceLimitException e) {
      return CompletableFuture.failedFuture(e);
    }
    CompletableFuture<Stream> result = new CompletableFuture<>();
    CompletableFuture<DuplexChannel> opening = secured.session().open();
    result.whenComplete((stream, failure) -> {
      if (failure != null) {
        opening.cancel(false);
        opening.thenAccept(secured.session()::reset);
        streamScope.close();
      }
    });
    opening.whenComplete((channel, failure) -> {
      if (failure != null) {
        result.completeExceptionally(Failures.unwrapped(failure));
      } else if (channel.eventLoop().inEventLoop()) {
        propose(channel, protocols, streamScope, result);
      } else {
        channel.eventLoop().execute(() -> propose(channel, protocols, streamScope, result));
      }
    });
    return result;
  }

  private void propose(
      DuplexChannel channel,
      List<ProtocolId> protocols,
      StreamScope streamScope,
      CompletableFuture<Stream> result) {
    if (result.isDone()) {
      return;
    }
    expireNegotiation(channel, result);
    Multistream.propose(
            channel,
            protocols.stream().map(ProtocolId::name).toList(),
            Multistream.Then.HOLD_UNTIL_READ)
        .whenComplete((name, failure) -> {
          if (failure != null) {
            result.completeExceptionally(Failures.unwrapped(failure));
            return;
          }
          try {
            result.complete(
                admitted(channel, new ProtocolId(name), Direction.OUTBOUND, streamScope));
          } catch (ResourceLimitException e) {
            result.completeExceptionally(e);
          }
        });
  }

  /// Negotiates a stream that the remote has opened, and hands it to its handler.
  void inbound(DuplexChannel channel) {
    StreamScope streamScope;
    try {
      streamScope = scope.openStream(Direction.INBOUND);
    } catch (ResourceLimitException e) {
      LOG.debug("Reset a stream of {}: {}", peer, e.getMessage());
      secured.session().reset(channel);
      return;
    }
    CompletableFuture<Void> done = new CompletableFuture<>();
    expireNegotiation(channel, done);
    done.whenComplete((nothing, failure) -> {
      if (failure != null) {
        LOG.debug("Reset a stream of {}: {}", peer, Failures.message(failure));
        secured.session().reset(channel);
        streamScope.close();
      }
    });
    Multistream.answer(channel, this::serves, Multistream.Then.HOLD_UNTIL_READ)
        .whenComplete((name, failure) -> {
          if (failure != null) {
            done.completeExceptionally(failure);
          } else if (!done.isDone()) {
            serve(channel, new ProtocolId(name), streamScope, done);
          }
        });
  }

  private boolean serves(String name) {
    return name.startsWith("/") && handlers.containsKey(new ProtocolId(name));
  }

  private void serve(
      DuplexChannel channel,
      ProtocolId protocol,
      StreamScope streamScope,
      CompletableFuture<Void> done) {
    StreamHandler handler = handlers.get(protocol);
    if (handler == null) {
      done.completeExceptionally(new Libp2pException(protocol + " is no longer served"));
      return;
    }
    try {
      handler.accept(admitted(channel, protocol, Direction.INBOUND, streamScope));
      done.complete(null);
    } catch (RuntimeException e) {
      if (!(e instanceof Libp2pException)) {
        LOG.warn("The handler of {} failed on a new stream of {}", protocol, peer, e);
      }
      done.completeExceptionally(e);
    }
  }

  private Stream admitted(
      DuplexChannel channel, ProtocolId protocol, Direction direction, StreamScope streamScope) {
    streamScope.setProtocol(protocol);
    Stream stream =
        new Stream(this, channel, protocol, direction, () -> secured.session().reset(channel));
    streams.add(stream);
    channel
        .closeFuture()
        .addListener(gone -> {
          streams.remove(stream);
          streamScope.close();
        });
    return stream;
  }

  private void expireNegotiation(DuplexChannel channel, CompletableFuture<?> result) {
    var timer =
        channel
            .eventLoop()
            .schedule(
                () ->
                    result.completeExceptionally(
                        new Libp2pException(
                            "No protocol was agreed with "
                                + peer
                                + " within "
                                + negotiationTimeout.toSeconds()
                                + " s")),
                negotiationTimeout.toNanos(),
                TimeUnit.NANOSECONDS);
    result.whenComplete((done, failure) -> timer.cancel(false));
  }

  @Override
  public List<Stream> streams() {
    return List.copyOf(streams);
  }

  @Override
  public boolean isOpen() {
    return !closing && !closed.isDone();
  }

  @Override
  public CompletableFuture<Void> close(String reason) {
    closing = true;
    LOG.debug("Closing the connection with {} at {}: {}", peer, remoteAddress(), reason);
    return secured.session().close();
  }

  @Override
  public CompletableFuture<String> closed() {
    return closed.copy();
  }

  @Override
  public String toString() {
    return direction + " " + peer + " " + remoteAddress();
  }
}
