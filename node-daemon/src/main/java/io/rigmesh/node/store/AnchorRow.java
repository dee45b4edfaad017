package io.rigmesh.node.store;

import io.rigmesh.protocol.Hash;
import java.time.Instant;
import java.util.Optional;

/// A Merkle root over receipts, as it is on disk before its transaction leaves.
///
/// @param number the store's number, ascending
/// @param id what the asker calls it
/// @param root the root
/// @param receipts how many receipts are under it
/// @param createdAt when it was made
/// @param anchoredAt the time of the block that holds it; empty until that is confirmed
public record AnchorRow(
    long number,
    String id,
    Hash root,
    int receipts,
    Instant createdAt,
    Optional<Instant> anchoredAt) {}
