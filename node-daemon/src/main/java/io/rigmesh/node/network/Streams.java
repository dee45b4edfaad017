package io.rigmesh.node.network;

import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identity.PeerId;

/// Opens streams to peers. Safe for use by several threads.
@FunctionalInterface
public interface Streams {
  /// Opens a stream, over an open connection where there is one; otherwise the peer is dialled, and
  /// looked for in the network where its addresses are not known or do not answer.
  ///
  /// @throws io.rigmesh.libp2p.Libp2pException if the peer cannot be reached or does not speak the
  ///   protocol
  PeerStream open(PeerId peer, ProtocolId protocol);
}
