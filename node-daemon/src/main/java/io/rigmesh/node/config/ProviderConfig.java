package io.rigmesh.node.config;

import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.scheduler.matching.OfferBook;

/// Computing for others.
///
/// @param enabled whether this node takes jobs
/// @param priceMinimum the least that any job costs
/// @param trainPricePerMillionTokens for a million tokens trained on
/// @param generatePricePerMillionTokensIn for a million tokens of prompt
/// @param generatePricePerMillionTokensOut for a million tokens made
/// @param embedPricePerMillionTokens for a million tokens embedded
/// @param modelsOffered whether models that were uploaded here are offered to all, and handed to
///   whoever names their root
/// @param region where the offer says that this node is
/// @param offerSeconds how long an offer holds, at most as long as other nodes take it for; it is
///   made anew at a third of that
/// @param queueLengthMax the most jobs that wait
/// @param placeSeconds how long an admitted job keeps its place before it is funded
/// @param approvalPatienceSeconds how long a milestone waits for its requester's approval before
///   its proof goes on the chain without
/// @param settleMarginSeconds how long before its deadline a job must be done, so that the proof is
///   on the chain in time; 0 for two replacements of a transaction's fee and some blocks
public record ProviderConfig(
    @Setting(value = "true", help = "Whether this node takes jobs.") boolean enabled,
    @Setting(
            value = "1000",
            help =
                "Least price of a job, in the token's smallest unit (1000 = 0.001 of 6 decimals).")
        TokenAmount priceMinimum,
    @Setting(value = "40000", help = "Price of a million tokens trained on, in smallest units.")
        TokenAmount trainPricePerMillionTokens,
    @Setting(value = "20000", help = "Price of a million tokens of prompt, in smallest units.")
        TokenAmount generatePricePerMillionTokensIn,
    @Setting(value = "60000", help = "Price of a million tokens made, in smallest units.")
        TokenAmount generatePricePerMillionTokensOut,
    @Setting(value = "10000", help = "Price of a million tokens embedded, in smallest units.")
        TokenAmount embedPricePerMillionTokens,
    @Setting(
            value = "true",
            help =
                "Whether uploaded models are offered to all, and handed to whoever names their"
                    + " root.")
        boolean modelsOffered,
    @Setting(value = "", help = "Where the offer says that this node is; free text.") String region,
    @Setting(
            value = "600",
            help = "How long an offer holds; it is made anew at a third of that.",
            min = 10,
            max = OfferBook.VALID_SECONDS_MAX)
        int offerSeconds,
    @Setting(value = "64", help = "Most jobs that wait for a device.") int queueLengthMax,
    @Setting(value = "120", help = "How long an admitted job keeps its place before it is funded.")
        int placeSeconds,
    @Setting(
            value = "120",
            help =
                "How long a milestone waits for its approval before its proof goes on the chain"
                    + " without.")
        int approvalPatienceSeconds,
    @Setting(
            value = "0",
            help =
                "How long before its deadline a job must be done, to prove it in time; 0 for two"
                    + " fee replacements and some blocks: 240 with confirmations, else 35.")
        int settleMarginSeconds) {}
