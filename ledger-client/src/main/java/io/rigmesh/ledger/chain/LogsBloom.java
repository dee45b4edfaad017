package io.rigmesh.ledger.chain;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import org.web3j.utils.Numeric;

/// A block header's filter of 2,048 bits over the contracts that wrote logs in it (Ethereum yellow
/// paper, section 4.3.1). It may say yes for a contract that wrote nothing, and never no for one
/// that did.
final class LogsBloom {
  private static final int BYTES = 256;

  private final byte[] bits;

  private LogsBloom(byte[] bits) {
    this.bits = bits;
  }

  /// The filter in hexadecimal, as a header has it.
  static LogsBloom of(String hex) {
    byte[] bits = Numeric.hexStringToByteArray(hex);
    if (bits.length != BYTES) {
      throw new IllegalArgumentException("a logs bloom has 256 bytes, not " + bits.length);
    }
    return new LogsBloom(bits);
  }

  /// False only if the contract wrote no log.
  boolean mayHold(Address contract) {
    byte[] digest = Digests.keccak256(contract.bytes()).bytes();
    for (int i = 0; i < 6; i += 2) {
      int bit = ((digest[i] & 7) << 8) | (digest[i + 1] & 0xff);
      if ((bits[BYTES - 1 - bit / 8] & (1 << (bit % 8))) == 0) {
        return false;
      }
    }
    return true;
  }
}
