package io.rigmesh.libp2p.resource;

import io.rigmesh.libp2p.Direction;

/// An amount of each resource: held by a scope, or asked for by a step.
record Usage(
    int connectionsInbound,
    int connectionsOutbound,
    int streamsInbound,
    int streamsOutbound,
    long memoryBytes) {
  static final Usage NOTHING = new Usage(0, 0, 0, 0, 0);

  static Usage connection(Direction direction) {
    return direction == Direction.INBOUND ? new Usage(1, 0, 0, 0, 0) : new Usage(0, 1, 0, 0, 0);
  }

  static Usage stream(Direction direction) {
    return direction == Direction.INBOUND ? new Usage(0, 0, 1, 0, 0) : new Usage(0, 0, 0, 1, 0);
  }

  static Usage memory(long bytes) {
    return new Usage(0, 0, 0, 0, bytes);
  }

  Usage plus(Usage other) {
    return new Usage(
        connectionsInbound + other.connectionsInbound,
        connectionsOutbound + other.connectionsOutbound,
        streamsInbound + other.streamsInbound,
        streamsOutbound + other.streamsOutbound,
        memoryBytes + other.memoryBytes);
  }

  Usage minus(Usage other) {
    return new Usage(
        connectionsInbound - other.connectionsInbound,
        connectionsOutbound - other.connectionsOutbound,
        streamsInbound - other.streamsInbound,
        streamsOutbound - other.streamsOutbound,
        memoryBytes - other.memoryBytes);
  }

  int connections() {
    return connectionsInbound + connectionsOutbound;
  }

  int streams() {
    return streamsInbound + streamsOutbound;
  }
}
