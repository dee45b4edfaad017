package io.rigmesh.ledger.wallet;

import io.rigmesh.ledger.chain.Place;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.util.Optional;

/// One line of an account's history. The three balances are those after the transaction that it
/// belongs to.
///
/// @param place where in the chain, and when
/// @param kind what happened
/// @param counterparty the other account, or the contract
/// @param channel the channel, where it belongs to one
/// @param amount how much, in smallest units
/// @param wallet tokens in the account
/// @param channels the account's balance in PaymentChannels
/// @param locked what is in the account's channels and not paid out
public record WalletEntry(
    Place place,
    WalletKind kind,
    Address counterparty,
    Optional<Hash> channel,
    TokenAmount amount,
    TokenAmount wallet,
    TokenAmount channels,
    TokenAmount locked) {}
