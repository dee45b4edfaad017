package io.rigmesh.node.network.blob;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;
import java.util.Optional;

/// A peer to fetch from, and by what right.
///
/// @param peer the peer
/// @param job the job that the blobs belong to, where they are not for everyone
/// @param pass this node's pass for that job, where it is the job's requester
public record BlobSource(PeerId peer, Optional<Hash> job, Optional<Signature> pass) {
  /// A peer that hands a blob to everyone.
  public static BlobSource open(PeerId peer) {
    return new BlobSource(peer, Optional.empty(), Optional.empty());
  }
}
