package io.rigmesh.ledger.chain;

import java.math.BigInteger;

/// What gas costs now (EIP-1559).
///
/// @param baseFeeWei the base fee of the newest block, in wei per unit of gas
/// @param priorityFeeWei the tip that the endpoint suggests, in wei per unit of gas
public record FeeQuote(BigInteger baseFeeWei, BigInteger priorityFeeWei) {}
