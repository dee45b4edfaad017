package io.rigmesh.node.config;

import io.rigmesh.protocol.TokenAmount;

/// Payment channels: what pays for generations and embeddings.
///
/// @param depositMinimum what a requester puts into a channel at least when it opens or tops one up
/// @param creditLimit what the jobs of one channel may owe a provider before their work pauses
/// @param patienceSeconds how long a provider's paused work waits for a voucher before it ends
/// @param redeemGasMultiple how many times their gas vouchers are worth before they are redeemed
/// @param unitsPerEther what an ether is worth, in the token's smallest unit, to compare the two
/// @param redeemEverySeconds how often it is looked whether they are
public record ChannelsConfig(
    @Setting(
            value = "1000000",
            help = "What a requester puts into a channel at least, in smallest units.")
        TokenAmount depositMinimum,
    @Setting(
            value = "20000",
            help = "What the jobs of one channel may owe this provider before their work pauses.")
        TokenAmount creditLimit,
    @Setting(value = "30", help = "How long paused work waits for a voucher before it ends.")
        int patienceSeconds,
    @Setting(
            value = "20",
            help = "How many times their gas vouchers are worth before they are redeemed.")
        int redeemGasMultiple,
    @Setting(
            value = "3000000000",
            help = "What an ether is worth in smallest units, to compare vouchers with gas.")
        TokenAmount unitsPerEther,
    @Setting(value = "15", help = "How often it is looked whether vouchers are worth redeeming.")
        int redeemEverySeconds) {}
