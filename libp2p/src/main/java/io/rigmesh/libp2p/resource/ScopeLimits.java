package io.rigmesh.libp2p.resource;

import io.rigmesh.libp2p.Direction;

/// What one scope may hold at once. Connections and streams are limited in each direction and
/// together.
public record ScopeLimits(
    int connectionsInboundMax,
    int connectionsOutboundMax,
    int connectionsMax,
    int streamsInboundMax,
    int streamsOutboundMax,
    int streamsMax,
    long memoryBytesMax) {
  public ScopeLimits {
    if (Math.min(
                Math.min(connectionsInboundMax, connectionsOutboundMax),
                Math.min(connectionsMax, Math.min(streamsInboundMax, streamsOutboundMax)))
            < 0
        || streamsMax < 0
        || memoryBytesMax < 0) {
      throw new IllegalArgumentException("A limit is not negative");
    }
  }

  /// Limits on streams and memory for a scope that holds no connections of its own.
  static ScopeLimits ofStreams(int inboundMax, int outboundMax, int max, long memoryBytesMax) {
    return new ScopeLimits(0, 0, 0, inboundMax, outboundMax, max, memoryBytesMax);
  }

  public ScopeLimits withConnections(int inboundMax, int outboundMax, int max) {
    return new ScopeLimits(
        inboundMax,
        outboundMax,
        max,
        streamsInboundMax,
        streamsOutboundMax,
        streamsMax,
        memoryBytesMax);
  }

  public ScopeLimits withStreams(int inboundMax, int outboundMax, int max) {
    return new ScopeLimits(
        connectionsInboundMax,
        connectionsOutboundMax,
        connectionsMax,
        inboundMax,
        outboundMax,
        max,
        memoryBytesMax);
  }

  public ScopeLimits withMemory(long bytesMax) {
    return new ScopeLimits(
        connectionsInboundMax,
        connectionsOutboundMax,
        connectionsMax,
        streamsInboundMax,
        streamsOutboundMax,
        streamsMax,
        bytesMax);
  }

  int connectionsMax(Direction direction) {
    return direction == Direction.INBOUND ? connectionsInboundMax : connectionsOutboundMax;
  }

  int streamsMax(Direction direction) {
    return direction == Direction.INBOUND ? streamsInboundMax : streamsOutboundMax;
  }
}
