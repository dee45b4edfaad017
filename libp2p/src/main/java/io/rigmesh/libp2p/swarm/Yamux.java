package io.rigmesh.libp2p.swarm;

import io.netty.channel.Channel;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.resource.ConnectionScope;
import io.rigmesh.libp2p.transport.MuxerSession;
import io.rigmesh.libp2p.transport.StreamAcceptor;
import io.rigmesh.libp2p.transport.StreamMuxer;
import io.rigmesh.libp2p.yamux.YamuxConfig;
import io.rigmesh.libp2p.yamux.YamuxSession;

/// yamux as a host offers it on plain connections.
record Yamux(YamuxConfig config) implements StreamMuxer {
  @Override
  public String protocol() {
    return YamuxSession.PROTOCOL;
  }

  @Override
  public MuxerSession start(
      Channel channel, Direction direction, ConnectionScope scope, StreamAcceptor streams) {
    return YamuxSession.attach(channel, direction, scope, streams, config);
  }
}
