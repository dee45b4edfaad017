package io.rigmesh.ledger.wallet;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.Optional;

/// A channel that holds this account's tokens.
///
/// @param channel its id
/// @param payee whom it may pay
/// @param amount what is in it and not paid out
/// @param closesAt from when on the rest can be taken back; empty while nobody asked to close it
public record LockedChannel(
    Hash channel, Address payee, TokenAmount amount, Optional<Instant> closesAt) {}
