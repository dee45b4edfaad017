package io.rigmesh.ledger.wallet;

import io.rigmesh.ledger.chain.Place;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;

/// Tokens came into an account's balance in PaymentChannels from outside, or left it.
///
/// @param place where in the chain
/// @param account whose balance
/// @param token which token; zero for ether
/// @param in true if they came
/// @param amount how much
/// @param other where they came from or went to
record BalanceMove(
    Place place, Address account, Address token, boolean in, TokenAmount amount, Address other) {}
