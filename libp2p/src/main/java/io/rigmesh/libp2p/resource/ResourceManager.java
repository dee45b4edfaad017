package io.rigmesh.libp2p.resource;

import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.InstantSource;

/// Counts what the network may take of this machine, and refuses what exceeds a limit before memory
/// is taken: connections, streams and bytes, per system, transient (not yet identified), peer,
/// protocol, connection and stream. Thread-safe.
public interface ResourceManager {
  /// Counts a connection as transient until [ConnectionScope#setPeer].
  ///
  /// @throws ResourceLimitException naming the scope and limit that is reached
  ConnectionScope openConnection(Direction direction, Multiaddr remoteAddress);

  /// What is in use now, for metrics.
  ResourceUsage usage();

  /// Counts against limits; the clock paces new connections.
  static ResourceManager limited(ResourceLimits limits, InstantSource clock) {
    return new LimitedResources(limits, clock);
  }

  /// Counts nothing and refuses nothing; for tests of other parts.
  static ResourceManager unlimited() {
    return UnlimitedResources.INSTANCE;
  }
}
