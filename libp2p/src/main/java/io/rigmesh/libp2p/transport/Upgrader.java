package io.rigmesh.libp2p.transport;

import io.netty.channel.Channel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.negotiation.Multistream;
import io.rigmesh.libp2p.resource.ConnectionScope;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Turns a plain channel (a TCP socket, a relayed stream, a channel in memory) into a secured and
/// multiplexed connection (connections specification, "Upgrading Connections").
///
/// Towards the remote, a dialler's security proposal and first handshake message go in one packet,
/// the muxer is agreed inside the handshake, and the stream's proposal travels with its first
/// bytes: a connection and its first answer take three round trips over TCP.
public final class Upgrader {
  private final List<SecureChannel> securities;
  private final List<StreamMuxer> muxers;
  private final Duration timeout;

  /// @param securities best first
  /// @param muxers best first
  /// @param timeout for the whole upgrade
  public Upgrader(List<SecureChannel> securities, List<StreamMuxer> muxers, Duration timeout) {
    this.securities = List.copyOf(securities);
    this.muxers = List.copyOf(muxers);
    this.timeout = timeout;
  }

  public List<SecureChannel> securities() {
    return securities;
  }

  /// What an upgrade is about.
  ///
  /// @param expected the peer that must be at the other end; null accepts any
  /// @param security the only one to propose; null accepts any when inbound, and means the best
  ///   when outbound
  public record Request(
      Direction direction,
      @Nullable PeerId expected,
      @Nullable SecureChannel security,
      Multiaddr localAddress,
      Multiaddr remoteAddress,
      boolean limited,
      ConnectionScope scope,
      StreamAcceptor streams) {}

  /// Upgrades a channel that is registered and active. On failure, on the timeout and when the
  /// future is cancelled, the channel is closed.
  public CompletableFuture<SecuredConnection> upgrade(Channel channel, Request request) {
    CompletableFuture<SecuredConnection> result = new CompletableFuture<>();
    if (channel.eventLoop().inEventLoop()) {
      start(channel, request, result);
    } else {
      channel.eventLoop().execute(() -> start(channel, request, result));
    }
    return result;
  }

  private void start(
      Channel channel, Request request, CompletableFuture<SecuredConnection> result) {
    var timer =
        channel
            .eventLoop()
            .schedule(
                () ->
                    result.completeExceptionally(
                        new Libp2pException(
                            "The handshake with "
                                + request.remoteAddress()
                                + " took over "
                                + timeout.toSeconds()
                                + " s")),
                timeout.toNanos(),
                TimeUnit.NANOSECONDS);
    result.whenComplete((connection, failure) -> {
      timer.cancel(false);
      if (failure != null) {
        channel.close();
      }
    });
    // In a later turn of the loop, so that who closed the channel can say why first.
    channel
        .closeFuture()
        .addListener(closed ->
            channel
                .eventLoop()
                .execute(() ->
                    result.completeExceptionally(
                        new Libp2pException(
                            request.remoteAddress()
                                + " closed the connection during the handshake"))));
    negotiateSecurity(channel, request)
        .thenCompose(security ->
            security
                .secure(channel, request.direction(), request.expected(), muxerNames())
                .thenCompose(secured ->
                    negotiateMuxer(channel, request, secured)
                        .thenAccept(
                            muxer -> finish(channel, request, security, secured, muxer, result))))
        .whenComplete((done, failure) -> {
          if (failure != null) {
            result.completeExceptionally(Failures.unwrapped(failure));
          }
        });
  }

  private void finish(
      Channel channel,
      Request request,
      SecureChannel security,
      SecureChannel.Secured secured,
      StreamMuxer muxer,
      CompletableFuture<SecuredConnection> result) {
    if (result.isDone()) {
      return;
    }
    request.scope().setPeer(PeerId.of(secured.remoteKey()));
    MuxerSession session =
        muxer.start(channel, request.direction(), request.scope(), request.streams());
    result.complete(
        new SecuredConnection(
            secured.remoteKey(),
            request.localAddress(),
            request.remoteAddress(),
            security.protocol(),
            muxer.protocol(),
            request.limited(),
            session));
  }

  private CompletableFuture<SecureChannel> negotiateSecurity(Channel channel, Request request) {
    if (request.direction() == Direction.OUTBOUND) {
      SecureChannel proposed =
          request.security() == null ? securities.getFirst() : request.security();
      return Multistream.propose(channel, List.of(proposed.protocol()), Multistream.Then.PASS_ON)
          .thenApply(name -> proposed);
    }
    return Multistream.answer(
            channel,
            name -> securities.stream().anyMatch(one -> one.protocol().equals(name)),
            Multistream.Then.PASS_ON)
        .thenApply(name ->
            securities.stream()
                .filter(one -> one.protocol().equals(name))
                .findFirst()
                .orElseThrow());
  }

  private CompletableFuture<StreamMuxer> negotiateMuxer(
      Channel channel, Request request, SecureChannel.Secured secured) {
    CompletableFuture<String> agreed;
    if (secured.muxer() != null) {
      agreed = CompletableFuture.completedFuture(secured.muxer());
    } else if (request.direction() == Direction.OUTBOUND) {
      agreed = Multistream.propose(channel, muxerNames(), Multistream.Then.PASS_ON);
    } else {
      agreed =
          Multistream.answer(
              channel, name -> muxerNames().contains(name), Multistream.Then.PASS_ON);
    }
    return agreed.thenApply(name ->
        muxers.stream().filter(one -> one.protocol().equals(name)).findFirst().orElseThrow());
  }

  private List<String> muxerNames() {
    return muxers.stream().map(StreamMuxer::protocol).toList();
  }
}
