package io.rigmesh.ledger.intent;

import io.rigmesh.protocol.Hash;
import java.math.BigInteger;
import java.time.Instant;
import java.util.Optional;

/// One signed version of a transaction. All versions of an intent carry the same nonce, so that at
/// most one of them can ever be in the chain.
///
/// @param hash the transaction's hash
/// @param raw the signed bytes as they are sent, in hexadecimal with `0x`
/// @param gasLimit the most gas it may use
/// @param maxFeeWei the most it pays for a unit of gas, in wei
/// @param priorityFeeWei the tip in it, in wei for a unit of gas
/// @param signedAt when it was signed
/// @param sentAt when an endpoint last took it; empty if none is known to have done so
public record Attempt(
    Hash hash,
    String raw,
    long gasLimit,
    BigInteger maxFeeWei,
    BigInteger priorityFeeWei,
    Instant signedAt,
    Optional<Instant> sentAt) {
  /// The most that this version can cost in gas, in wei.
  public BigInteger costMaxWei() {
    return maxFeeWei.multiply(BigInteger.valueOf(gasLimit));
  }
}
