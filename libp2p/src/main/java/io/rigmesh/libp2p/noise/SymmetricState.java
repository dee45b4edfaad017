package io.rigmesh.libp2p.noise;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import javax.crypto.AEADBadTagException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// The hash of all that was exchanged and the chaining key (Noise specification, section 5.2).
final class SymmetricState {
  private static final byte[] PROTOCOL =
      "Noise_XX_25519_ChaChaPoly_SHA256".getBytes(StandardCharsets.US_ASCII);

  private final MessageDigest sha256;
  private final Mac hmac;
  private byte[] hash = PROTOCOL;
  private byte[] chainingKey = PROTOCOL;
  private @Nullable CipherState cipher;

  /// The protocol's name has exactly the hash's 32 bytes, so it is the first hash itself.
  SymmetricState(byte[] prologue) {
    try {
      sha256 = MessageDigest.getInstance("SHA-256");
      hmac = Mac.getInstance("HmacSHA256");
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This Java runtime lacks SHA-256 or its HMAC", e);
    }
    mixHash(prologue);
  }

  void mixHash(byte[] data) {
    sha256.update(hash);
    hash = sha256.digest(data);
  }

  void mixKey(byte[] secret) {
    byte[][] keys = derive(secret);
    chainingKey = keys[0];
    cipher = new CipherState(keys[1]);
  }

  /// Encrypts once there is a key, and mixes what goes out.
  byte[] encryptAndHash(byte[] plain) {
    byte[] out = plain;
    if (cipher != null) {
      out = Arrays.copyOf(plain, plain.length + CipherState.TAG_BYTES);
      cipher.encrypt(out, 0, plain.length, hash);
    }
    mixHash(out);
    return out;
  }

  byte[] decryptAndHash(byte[] received) throws AEADBadTagException {
    byte[] plain = received;
    if (cipher != null) {
      plain = received.clone();
      int length = cipher.decrypt(plain, 0, plain.length, hash);
      plain = Arrays.copyOf(plain, length);
    }
    mixHash(received);
    return plain;
  }

  /// The keys from initiator to responder and back.
  CipherState[] split() {
    byte[][] keys = derive(new byte[0]);
    return new CipherState[] {new CipherState(keys[0]), new CipherState(keys[1])};
  }

  /// HKDF with two outputs (section 4.3).
  private byte[][] derive(byte[] secret) {
    byte[] temporary = hmac(chainingKey, secret);
    byte[] first = hmac(temporary, new byte[] {1});
    byte[] counted = Arrays.copyOf(first, first.length + 1);
    counted[first.length] = 2;
    byte[] second = hmac(temporary, counted);
    return new byte[][] {first, second};
  }

  private byte[] hmac(byte[] key, byte[] data) {
    try {
      hmac.init(new SecretKeySpec(key, "HmacSHA256"));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("HMAC-SHA-256 refused a key of 32 bytes", e);
    }
    return hmac.doFinal(data);
  }
}
