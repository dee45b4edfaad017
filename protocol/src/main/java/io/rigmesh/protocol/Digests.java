package io.rigmesh.protocol;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.bouncycastle.crypto.digests.KeccakDigest;

/// The two hash functions of the protocol: SHA-256 for everything that RigMesh names or commits to,
/// and Ethereum's Keccak-256 where EIP-712 and addresses ask for it.
public final class Digests {
  private Digests() {}

  /// The SHA-256 of the parts, one after the other (FIPS 180-4).
  public static Hash sha256(byte[]... parts) {
    MessageDigest digest = newSha256();
    for (byte[] part : parts) {
      digest.update(part);
    }
    return Hash.of(digest.digest());
  }

  /// A fresh SHA-256, for input that arrives in pieces.
  public static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java runtime has SHA-256; this one does not", e);
    }
  }

  /// Ethereum's Keccak-256 (the padding from before FIPS 202) of the parts, one after the other.
  public static Hash keccak256(byte[]... parts) {
    KeccakDigest digest = new KeccakDigest(256);
    for (byte[] part : parts) {
      digest.update(part, 0, part.length);
    }
    byte[] out = new byte[Hash.BYTES];
    digest.doFinal(out, 0);
    return Hash.of(out);
  }
}
