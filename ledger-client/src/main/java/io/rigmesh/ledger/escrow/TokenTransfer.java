package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.chain.Place;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;

/// Tokens went from one account to another.
///
/// @param place where in the chain
/// @param from who had them; zero where they were made
/// @param to who has them; zero where they were destroyed
/// @param amount how many
public record TokenTransfer(Place place, Address from, Address to, TokenAmount amount) {}
