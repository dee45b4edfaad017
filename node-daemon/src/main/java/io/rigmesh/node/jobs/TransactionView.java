package io.rigmesh.node.jobs;

import io.rigmesh.protocol.Hash;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/// A transaction that this node sent, or is about to.
///
/// @param purpose what it is for: approve, fund, accept, proof, release, refund, decline, stake …
/// @param status stored, sent, confirmed, reverted … in the ledger's words
/// @param job the job it belongs to, if it belongs to one
/// @param transaction its hash on the chain, once it was signed
/// @param gasUsed the gas it took, once it is in a block
/// @param createdAt when its intent was stored
public record TransactionView(
    String purpose,
    String status,
    Optional<Hash> job,
    Optional<Hash> transaction,
    OptionalLong gasUsed,
    Instant createdAt) {}
