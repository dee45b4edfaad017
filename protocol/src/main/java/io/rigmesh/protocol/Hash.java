package io.rigmesh.protocol;

import java.util.Arrays;
import java.util.HexFormat;

/// A 32-byte digest. Which function made it (SHA-256 for anything RigMesh names or commits to,
/// Keccak-256 for EIP-712) is said where it is made. Immutable.
public final class Hash implements Comparable<Hash> {
  /// The length of every digest, in bytes.
  public static final int BYTES = 32;

  /// Thirty-two zero bytes: "none", where a field allows it.
  public static final Hash ZERO = new Hash(new byte[BYTES]);

  private final byte[] bytes;

  private Hash(byte[] bytes) {
    this.bytes = bytes;
  }

  /// Copies exactly 32 bytes.
  ///
  /// @throws MalformedException if there are not exactly 32
  public static Hash of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new MalformedException("a hash has 32 bytes, not " + bytes.length);
    }
    return new Hash(bytes.clone());
  }

  /// Reads 64 hexadecimal digits, with or without `0x` in front.
  ///
  /// @throws MalformedException if the text is anything else
  public static Hash fromHex(String text) {
    return new Hash(Hex.parse(text, BYTES, "a hash"));
  }

  /// A copy of the 32 bytes.
  public byte[] bytes() {
    return bytes.clone();
  }

  /// True for thirty-two zero bytes.
  public boolean isZero() {
    return equals(ZERO);
  }

  /// `0x` and 64 lower-case hexadecimal digits.
  public String hex() {
    return "0x" + HexFormat.of().formatHex(bytes);
  }

  @Override
  public int compareTo(Hash other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Hash that && Arrays.equals(bytes, that.bytes);
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
