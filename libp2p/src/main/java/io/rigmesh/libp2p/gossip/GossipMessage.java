package io.rigmesh.libp2p.gossip;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.identity.PeerId;

/// A message whose signature has been checked.
///
/// @param from who signed it
/// @param receivedFrom which neighbour brought it; this host itself for its own
/// @param sequence the signer's sequence number
public record GossipMessage(
    String topic, PeerId from, PeerId receivedFrom, long sequence, ByteString data) {}
