package io.rigmesh.libp2p.interop;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/// The bytes that both sides can make, as in peer.mjs: neither order nor loss goes unseen.
final class Pattern {
  private Pattern() {}

  static byte[] bytes(int from, int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      int at = from + i;
      bytes[i] = (byte) (at * 31 + (at >>> 8));
    }
    return bytes;
  }

  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
