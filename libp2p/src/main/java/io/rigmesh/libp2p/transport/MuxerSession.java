package io.rigmesh.libp2p.transport;

import io.netty.channel.EventLoop;
import io.netty.channel.socket.DuplexChannel;
import java.util.concurrent.CompletableFuture;

/// The multiplexing of one connection: every stream is a Netty [DuplexChannel] on the connection's
/// event loop, with writability, half-close (`shutdownOutput`), and the user event
/// [io.netty.channel.socket.ChannelInputShutdownEvent] when the remote has closed its half. A reset
/// by the remote fires [io.rigmesh.libp2p.StreamResetException] and makes the channel inactive.
public interface MuxerSession {
  EventLoop eventLoop();

  /// Opens a stream; fails when the remote's backlog of unaccepted streams is full. The channel's
  /// `autoRead` is off. Cancelling resets it.
  CompletableFuture<DuplexChannel> open();

  /// Ends both directions of a stream of this session at once; data in flight is dropped.
  void reset(DuplexChannel stream);

  /// Says goodbye to the remote and closes the socket.
  CompletableFuture<Void> close();

  /// Completes with the reason when the socket is gone.
  CompletableFuture<String> closed();
}
