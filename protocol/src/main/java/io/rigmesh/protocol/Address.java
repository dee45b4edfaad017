package io.rigmesh.protocol;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;

/// A 20-byte Ethereum account address. Immutable; printed with the EIP-55 checksum.
public final class Address implements Comparable<Address> {
  /// The length of an address, in bytes.
  public static final int BYTES = 20;

  /// The zero address, which nobody can sign for.
  public static final Address ZERO = new Address(new byte[BYTES]);

  private final byte[] bytes;

  private Address(byte[] bytes) {
    this.bytes = bytes;
  }

  /// Copies exactly 20 bytes.
  ///
  /// @throws MalformedException if there are not exactly 20
  public static Address of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new MalformedException("an address has 20 bytes, not " + bytes.length);
    }
    return new Address(bytes.clone());
  }

  /// Reads 40 hexadecimal digits, with or without `0x`. Text in mixed case must carry a right
  /// EIP-55 checksum.
  ///
  /// @throws MalformedException if the text is anything else
  public static Address fromHex(String text) {
    Address address = new Address(Hex.parse(text, BYTES, "an address"));
    String digits = text.startsWith("0x") ? text.substring(2) : text;
    boolean mixed =
        !digits.equals(digits.toLowerCase(Locale.ROOT))
            && !digits.equals(digits.toUpperCase(Locale.ROOT));
    if (mixed && !address.hex().substring(2).equals(digits)) {
      throw new MalformedException(
          "the address " + text + " has a wrong checksum; a digit may be mistyped");
    }
    return address;
  }

  /// The address of an uncompressed public key (65 bytes, leading 4): the last 20 bytes of its
  /// Keccak-256.
  static Address ofPublicKey(byte[] uncompressed) {
    byte[] digest =
        Digests.keccak256(Arrays.copyOfRange(uncompressed, 1, uncompressed.length)).bytes();
    return new Address(Arrays.copyOfRange(digest, 12, 32));
  }

  /// A copy of the 20 bytes.
  public byte[] bytes() {
    return bytes.clone();
  }

  /// `0x` and 40 hexadecimal digits in EIP-55 mixed case.
  public String hex() {
    String lower = HexFormat.of().formatHex(bytes);
    byte[] digest = Digests.keccak256(lower.getBytes(StandardCharsets.US_ASCII)).bytes();
    StringBuilder out = new StringBuilder("0x");
    for (int i = 0; i < lower.length(); i++) {
      int nibble = (digest[i / 2] >> (i % 2 == 0 ? 4 : 0)) & 0xf;
      char c = lower.charAt(i);
      out.append(nibble >= 8 ? Character.toUpperCase(c) : c);
    }
    return out.toString();
  }

  @Override
  public int compareTo(Address other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Address that && Arrays.equals(bytes, that.bytes);
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
