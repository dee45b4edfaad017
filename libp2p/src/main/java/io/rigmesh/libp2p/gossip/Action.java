package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.identity.PeerId;

/// What the router asks of the world. Actions are carried out in their order.
sealed interface Action {
  /// Queue an RPC for a peer.
  record Send(PeerId peer, Rpc rpc, Priority priority) implements Action {}

  /// Check a message's signature, and answer with [GossipRouter#verified].
  record Verify(Message message, PeerId from) implements Action {}

  /// Let the topic's validator judge a message, and answer with [GossipRouter#judged].
  record Judge(Message message, PeerId from) implements Action {}

  /// Hand a message to this host's subscribers.
  record Deliver(Message message, PeerId from) implements Action {}

  /// Connect to a peer.
  ///
  /// @param record its signed peer record, not yet checked; empty when there is none
  record Connect(PeerId peer, ByteString record) implements Action {}
}
