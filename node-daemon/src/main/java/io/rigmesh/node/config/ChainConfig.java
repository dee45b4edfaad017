package io.rigmesh.node.config;

import io.rigmesh.protocol.Address;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The chain and its contracts: named one by one, or by a deployment file.
///
/// @param rpcUrls JSON-RPC endpoints, which stand in for each other
/// @param wsUrls WebSocket endpoints that tell of new blocks, which are polled for all the same
/// @param chainId the chain's EIP-155 id
/// @param deploymentFile the file that a deployment wrote; says chain id and contracts
/// @param escrow the address of JobEscrow
/// @param channels the address of PaymentChannels
/// @param registry the address of ProviderRegistry
/// @param token the address of the payment token
/// @param receipts the address of ReceiptLog; may be missing, as nothing but anchoring needs it
/// @param fromBlock the block before which the contracts have no events
/// @param confirmations blocks that must hold a transaction, its own among them, before it counts
/// @param headAgeSecondsMax the age of the newest block above which the chain counts as away
/// @param requestTimeoutSeconds how long one request to an endpoint may take
/// @param pollMillis how often the chain is asked for its newest block
public record ChainConfig(
    @Setting(
            value = "http://127.0.0.1:8545",
            help = "JSON-RPC endpoints, separated by commas; may hold an API key.",
            secret = true)
        List<String> rpcUrls,
    @Setting(
            value = "",
            help =
                "WebSocket endpoints, separated by commas, that tell of new blocks at once; may"
                    + " hold an API key.",
            secret = true)
        List<String> wsUrls,
    @Setting(value = "", help = "The chain's EIP-155 id; from the deployment file where empty.")
        Optional<Long> chainId,
    @Setting(value = "", help = "File of a deployment, which names chain id and contracts.")
        Optional<Path> deploymentFile,
    @Setting(value = "", help = "Address of JobEscrow; from the deployment file where empty.")
        Optional<Address> escrow,
    @Setting(value = "", help = "Address of PaymentChannels; from the deployment file where empty.")
        Optional<Address> channels,
    @Setting(
            value = "",
            help = "Address of ProviderRegistry; from the deployment file where empty.")
        Optional<Address> registry,
    @Setting(
            value = "",
            help = "Address of the payment token; from the deployment file where empty.")
        Optional<Address> token,
    @Setting(
            value = "",
            help =
                "Address of ReceiptLog, in which receipts are anchored; from the deployment file"
                    + " where empty, and not needed otherwise.")
        Optional<Address> receipts,
    @Setting(
            value = "",
            help =
                "Block from which the contracts' events are read; from the deployment file where"
                    + " empty, else 0.")
        Optional<Long> fromBlock,
    @Setting(value = "1", help = "Blocks, its own included, before a transaction counts.")
        int confirmations,
    @Setting(value = "15", help = "Age of the newest block above which the chain counts as away.")
        int headAgeSecondsMax,
    @Setting(value = "10", help = "How long one request to an endpoint may take.")
        int requestTimeoutSeconds,
    @Setting(value = "1000", help = "How often the chain is asked for its newest block.")
        int pollMillis) {}
