package io.rigmesh.libp2p.gossip;

/// What leaves first when a peer reads slowly, and is dropped last.
enum Priority {
  /// Subscriptions, GRAFT, PRUNE, IDONTWANT: without them the two sides no longer agree.
  CONTROL,
  /// This host's own messages.
  PUBLISH,
  /// Others' messages.
  FORWARD,
  /// IHAVE and IWANT, which come again with the next heartbeat.
  GOSSIP
}
