package io.rigmesh.libp2p.swarm;

import io.netty.channel.socket.DuplexChannel;
import io.rigmesh.libp2p.transport.StreamAcceptor;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Takes a connection's inbound streams from the first moment on, and keeps those that come before
/// the connection is registered (the muxer's backlog bounds them).
final class InboundStreams implements StreamAcceptor {
  private final List<DuplexChannel> early = new ArrayList<>();
  private @Nullable StreamAcceptor target;

  @Override
  public void accept(DuplexChannel stream) {
    StreamAcceptor now;
    synchronized (this) {
      now = target;
      if (now == null) {
        early.add(stream);
        return;
      }
    }
    now.accept(stream);
  }

  void handTo(StreamAcceptor acceptor) {
    List<DuplexChannel> waiting;
    synchronized (this) {
      target = acceptor;
      waiting = List.copyOf(early);
      early.clear();
    }
    waiting.forEach(acceptor::accept);
  }
}
