package io.rigmesh.ledger.wallet;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;

/// An escrow that holds tokens.
///
/// @param requester whose tokens they were
/// @param provider whom they may be paid to
/// @param job the job
/// @param amount what is in it
/// @param deadline until when the provider may prove; what is not proven goes back after it
record LockedEscrow(
    Address requester, Address provider, Hash job, TokenAmount amount, Instant deadline) {}
