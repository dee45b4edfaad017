package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.TokenAmount;

/// A channel that a watchtower guards.
///
/// @param channel as the chain had it when it was asked last
/// @param promised what the newest voucher that was handed over promises
public record WatchedChannel(Channel channel, TokenAmount promised) {}
