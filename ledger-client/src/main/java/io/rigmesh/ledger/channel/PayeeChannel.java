package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.TokenAmount;

/// A channel in its payee's book.
///
/// @param channel as the chain has it
/// @param promised what the newest voucher promises
/// @param owed what its jobs owe, those that ended among them
/// @param mayCost what running jobs may still cost above that
public record PayeeChannel(
    Channel channel, TokenAmount promised, TokenAmount owed, TokenAmount mayCost) {}
