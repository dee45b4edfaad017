package io.rigmesh.libp2p.identify;

import io.rigmesh.libp2p.Connection;

/// Hears what peers say of themselves; called on a virtual thread of the connection's own, in
/// order.
@FunctionalInterface
public interface IdentifyListener {
  /// A connection has been identified, or its peer has pushed a change: `info` is the whole new
  /// state. The peer store has it already.
  void identified(Connection connection, IdentifyInfo info);
}
