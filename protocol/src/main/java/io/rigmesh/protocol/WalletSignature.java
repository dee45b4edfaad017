package io.rigmesh.protocol;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/// What an account gives as its signature: that of its key, or, where the account is a contract,
/// whatever that contract takes (EIP-1271). Whether a contract takes it, only the chain can say.
/// Immutable.
public final class WalletSignature {
  /// The longest that is looked at: room for the owners of a contract that many own.
  public static final int BYTES_MAX = 2048;

  private final byte[] bytes;

  private WalletSignature(byte[] bytes) {
    this.bytes = bytes;
  }

  /// Copies bytes.
  ///
  /// @throws MalformedException if there are none, or too many
  public static WalletSignature of(byte[] bytes) {
    if (bytes.length == 0 || bytes.length > BYTES_MAX) {
      throw new MalformedException(
          "a wallet's signature has 1 to " + BYTES_MAX + " bytes, not " + bytes.length);
    }
    return new WalletSignature(bytes.clone());
  }

  /// The signature of a key.
  public static WalletSignature of(Signature signature) {
    return new WalletSignature(signature.bytes());
  }

  /// Reads hexadecimal digits, with or without `0x`.
  ///
  /// @throws MalformedException if the text is anything else
  public static WalletSignature fromHex(String text) {
    String digits = text.startsWith("0x") ? text.substring(2) : text;
    try {
      return of(HexFormat.of().parseHex(digits));
    } catch (IllegalArgumentException e) {
      throw new MalformedException("a wallet's signature is hexadecimal digits, two a byte", e);
    }
  }

  /// The same as the signature of a key, if it has the form of one.
  public Optional<Signature> ofKey() {
    try {
      return Optional.of(Signature.of(bytes));
    } catch (MalformedException e) {
      return Optional.empty();
    }
  }

  /// True if this is the signature of the account's own key over `digest`. What a contract takes is
  /// not.
  public boolean isOfKey(Address account, Hash digest) {
    try {
      return ofKey().map(signature -> signature.signer(digest).equals(account)).orElse(false);
    } catch (MalformedException e) {
      return false;
    }
  }

  /// A copy of the bytes.
  public byte[] bytes() {
    return bytes.clone();
  }

  /// `0x` and two hexadecimal digits a byte.
  public String hex() {
    return "0x" + HexFormat.of().formatHex(bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof WalletSignature that && Arrays.equals(bytes, that.bytes);
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
