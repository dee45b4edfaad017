package io.rigmesh.node.config;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.util.Optional;

/// Payment channels: what pays for generations and embeddings.
///
/// @param payer the account that a requester's channels are paid from, where that is not the node's
///   own: it has authorised the node's key to spend for it
/// @param contractSigners whether a provider takes vouchers that a contract signs (EIP-1271)
/// @param depositMinimum what a requester puts into a channel at least when it opens or tops one up
/// @param creditLimit what the jobs of one channel may owe a provider before their work pauses
/// @param patienceSeconds how long a provider's paused work waits for a voucher before it ends
/// @param redeemGasMultiple how many times their gas vouchers are worth before they are redeemed
/// @param unitsPerEther what an ether is worth, in the token's smallest unit, to compare the two
/// @param redeemEverySeconds how often it is looked whether they are
public record ChannelsConfig(
    @Setting(
            value = "",
            help =
                "Account whose balance pays a requester's channels, by the node's key as a session key; empty: the node's own.")
        Optional<Address> payer,
    @Setting(
            value = "false",
            help =
                "Whether vouchers are taken that a contract signs; it may take them back before they are redeemed.")
        boolean contractSigners,
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
