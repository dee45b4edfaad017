package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.time.Instant;

/// An allowance that is signed instead of sent (ERC-2612): whoever holds it can hand it to the
/// token.
///
/// @param deadline until when the token takes it
/// @param signature the owner's signature
public record Permit(Instant deadline, Signature signature) {
  private static final Hash TYPE =
      Digests.keccak256(
          "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
              .getBytes(StandardCharsets.US_ASCII));

  /// Signs a permit.
  ///
  /// @param domain the token's domain separator
  /// @param nonce the owner's next permit nonce in the token
  static Permit sign(
      AccountSigner owner,
      Hash domain,
      Address spender,
      BigInteger value,
      BigInteger nonce,
      Instant deadline) {
    Hash struct =
        Digests.keccak256(
            TYPE.bytes(),
            word(new BigInteger(1, owner.address().bytes())),
            word(new BigInteger(1, spender.bytes())),
            word(value),
            word(nonce),
            word(BigInteger.valueOf(deadline.getEpochSecond())));
    Hash digest = Digests.keccak256(new byte[] {0x19, 0x01}, domain.bytes(), struct.bytes());
    return new Permit(deadline, owner.sign(digest));
  }

  /// The deadline as the token counts it.
  public BigInteger deadlineSeconds() {
    return BigInteger.valueOf(deadline.getEpochSecond());
  }

  /// The signature's v.
  public BigInteger v() {
    return BigInteger.valueOf(signature.v());
  }

  private static byte[] word(BigInteger value) {
    byte[] raw = value.toByteArray();
    int from = raw[0] == 0 ? 1 : 0;
    byte[] word = new byte[32];
    System.arraycopy(raw, from, word, 32 - (raw.length - from), raw.length - from);
    return word;
  }
}
