package io.rigmesh.node.network.blob;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;
import java.util.Optional;

/// Who may read which blob. Asked for every request; safe for use by several threads.
@FunctionalInterface
public interface BlobAccess {
  /// Whether a peer may read a blob.
  ///
  /// @param job the job that it names as its reason
  /// @param pass its requester's pass for that job, where it speaks for the requester
  boolean mayRead(PeerId peer, Hash root, Optional<Hash> job, Optional<Signature> pass);
}
