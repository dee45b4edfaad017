package io.rigmesh.protocol;

import fr.acinq.secp256k1.Secp256k1;
import fr.acinq.secp256k1.Secp256k1Exception;
import java.math.BigInteger;
import java.util.Arrays;
import java.util.HexFormat;

/// A recoverable secp256k1 signature in Ethereum's form: r (32 bytes), s (32 bytes, low half only,
/// so that a signature has one form: EIP-2), v (27 or 28). Immutable.
public final class Signature {
  /// The length of a signature, in bytes.
  public static final int BYTES = 65;

  private static final BigInteger HALF_ORDER =
      new BigInteger("7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0", 16);

  private final byte[] bytes;

  private Signature(byte[] bytes) {
    this.bytes = bytes;
  }

  /// Copies 65 bytes and checks their form.
  ///
  /// @throws MalformedException if the length, v, or the half of s is wrong
  public static Signature of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new MalformedException("a signature has 65 bytes, not " + bytes.length);
    }
    if (bytes[64] != 27 && bytes[64] != 28) {
      throw new MalformedException("a signature's v is 27 or 28, not " + (bytes[64] & 0xff));
    }
    if (new BigInteger(1, Arrays.copyOfRange(bytes, 32, 64)).compareTo(HALF_ORDER) > 0) {
      throw new MalformedException("a signature's s lies in the lower half of the order (EIP-2)");
    }
    return new Signature(bytes.clone());
  }

  /// Reads 130 hexadecimal digits, with or without `0x`.
  ///
  /// @throws MalformedException if the text is anything else
  public static Signature fromHex(String text) {
    return of(Hex.parse(text, BYTES, "a signature"));
  }

  /// The account that signed `digest`.
  ///
  /// @throws MalformedException if no public key fits this signature
  public Address signer(Hash digest) {
    try {
      byte[] key =
          Secp256k1.get()
              .ecdsaRecover(Arrays.copyOfRange(bytes, 0, 64), digest.bytes(), bytes[64] - 27);
      return Address.ofPublicKey(key);
    } catch (Secp256k1Exception e) {
      throw new MalformedException("the signature fits no public key", e);
    }
  }

  /// r, as 32 bytes.
  public byte[] r() {
    return Arrays.copyOfRange(bytes, 0, 32);
  }

  /// s, as 32 bytes.
  public byte[] s() {
    return Arrays.copyOfRange(bytes, 32, 64);
  }

  /// v: 27 or 28.
  public int v() {
    return bytes[64];
  }

  /// A copy of the 65 bytes.
  public byte[] bytes() {
    return bytes.clone();
  }

  /// `0x` and 130 hexadecimal digits.
  public String hex() {
    return "0x" + HexFormat.of().formatHex(bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Signature that && Arrays.equals(bytes, that.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  @Override
  public String toString() {
    return hex();
  }
}
