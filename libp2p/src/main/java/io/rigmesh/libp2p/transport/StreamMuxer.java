package io.rigmesh.libp2p.transport;

import io.netty.channel.Channel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.resource.ConnectionScope;

/// A way to carry many streams over one channel, such as yamux.
public interface StreamMuxer {
  /// The name in multistream-select.
  String protocol();

  /// Starts on a secured channel, adding handlers to its end; called on the event loop.
  MuxerSession start(
      Channel channel, Direction direction, ConnectionScope scope, StreamAcceptor streams);
}
