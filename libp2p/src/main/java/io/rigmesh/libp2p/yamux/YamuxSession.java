package io.rigmesh.libp2p.yamux;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.DuplexChannel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.transport.MuxerSession;
import io.rigmesh.libp2p.transport.StreamAcceptor;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;

/// yamux over one secured channel (specification yamux). Thread-safe.
///
/// Streams keep what they cannot send in their own Netty outbound buffers, so their writability
/// tells of the whole way to the remote's application; and the remote may send only what fits the
/// windows, which are renewed as the application reads.
public final class YamuxSession implements MuxerSession {
  public static final String PROTOCOL = "/yamux/1.0.0";

  private final Channel parent;
  private final YamuxHandler handler;

  private YamuxSession(Channel parent, YamuxHandler handler) {
    this.parent = parent;
    this.handler = handler;
  }

  /// Puts yamux at the end of a secured channel's pipeline; call on its event loop. Reads from then
  /// on with `autoRead`, since the windows bound what arrives.
  ///
  /// @param role outbound for who dialled
  /// @param scope where windows above their first 256 KiB are counted
  public static YamuxSession attach(
      Channel parent,
      Direction role,
      ConnectionScope scope,
      StreamAcceptor streams,
      YamuxConfig config) {
    YamuxHandler handler = new YamuxHandler(parent, role, scope, streams, config);
    parent.pipeline().addLast("yamux", handler);
    parent.config().setAutoRead(true);
    return new YamuxSession(parent, handler);
  }

  @Override
  public EventLoop eventLoop() {
    return parent.eventLoop();
  }

  @Override
  public CompletableFuture<DuplexChannel> open() {
    CompletableFuture<DuplexChannel> opened = new CompletableFuture<>();
    if (!onEventLoop(() -> handler.open(opened))) {
      opened.completeExceptionally(
          new Libp2pException("yamux: no new stream: the host has ended its event loops"));
    }
    return opened;
  }

  @Override
  public void reset(DuplexChannel stream) {
    onEventLoop(() -> ((YamuxStream) stream).reset());
  }

  @Override
  public CompletableFuture<Void> close() {
    CompletableFuture<Void> done = new CompletableFuture<>();
    parent.closeFuture().addListener(closed -> done.complete(null));
    if (!onEventLoop(handler::goodbye)) {
      done.complete(null);
    }
    return done;
  }

  @Override
  public CompletableFuture<String> closed() {
    return handler.closed().copy();
  }

  /// False when the event loops have ended, and every connection with them.
  private boolean onEventLoop(Runnable action) {
    if (parent.eventLoop().inEventLoop()) {
      action.run();
      return true;
    }
    try {
      parent.eventLoop().execute(action);
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }
}
