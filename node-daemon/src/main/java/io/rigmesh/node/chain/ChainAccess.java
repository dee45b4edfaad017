package io.rigmesh.node.chain;

import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.channel.ChannelClient;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.escrow.RegistryClient;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.intent.TransactionSender;

/// A connected chain.
///
/// @param rpc asks it
/// @param sender sends this account's transactions
/// @param token the payment token
/// @param escrow the escrow of jobs
/// @param channels the channels between requesters and providers
/// @param registry the stakes of providers
public record ChainAccess(
    ChainRpc rpc,
    TransactionSender sender,
    TokenClient token,
    EscrowClient escrow,
    ChannelClient channels,
    RegistryClient registry) {}
