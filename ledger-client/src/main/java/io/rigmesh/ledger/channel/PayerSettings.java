package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.TokenAmount;

/// How a payer puts money into channels.
///
/// @param depositMinimum what an opening or a top-up moves at least, so that few are needed
public record PayerSettings(TokenAmount depositMinimum) {}
