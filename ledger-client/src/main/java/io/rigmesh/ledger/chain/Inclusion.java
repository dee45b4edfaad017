package io.rigmesh.ledger.chain;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.math.BigInteger;
import java.util.Optional;

/// What became of a transaction that is in a block.
///
/// @param transaction the transaction's hash
/// @param blockNumber the number of the block that holds it
/// @param blockHash the hash of that block
/// @param succeeded false if it reverted
/// @param gasUsed gas that it used
/// @param gasPriceWei what was paid for each unit of gas, in wei
/// @param contractCreated the contract that it created, if it is of that kind
public record Inclusion(
    Hash transaction,
    long blockNumber,
    Hash blockHash,
    boolean succeeded,
    long gasUsed,
    BigInteger gasPriceWei,
    Optional<Address> contractCreated) {
  /// What it cost in gas, in wei.
  public BigInteger feeWei() {
    return gasPriceWei.multiply(BigInteger.valueOf(gasUsed));
  }
}
