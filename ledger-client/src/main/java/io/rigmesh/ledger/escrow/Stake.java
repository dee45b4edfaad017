package io.rigmesh.ledger.escrow;

import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.Optional;

/// What a provider has at stake.
///
/// @param bonded stake that counts
/// @param unbonding stake that was asked back and is still at risk
/// @param withdrawableAt when the unbonding part can be withdrawn; empty where nothing is unbonding
public record Stake(TokenAmount bonded, TokenAmount unbonding, Optional<Instant> withdrawableAt) {}
