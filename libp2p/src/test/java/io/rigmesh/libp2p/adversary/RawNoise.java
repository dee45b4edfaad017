package io.rigmesh.libp2p.adversary;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.math.ec.rfc7748.X25519;

/// The initiator's side of Noise XX, written from the Noise specification with nothing of the
/// product: an adversary shares no mistakes with whom it attacks.
final class RawNoise {
  private final byte[] ephemeral = new byte[32];
  private final byte[] staticKey = new byte[32];
  private byte[] hash = "Noise_XX_25519_ChaChaPoly_SHA256".getBytes(StandardCharsets.US_ASCII);
  private byte[] chaining = hash.clone();
  private byte[] key = new byte[0];
  private long nonce;
  private byte[] remoteEphemeral = new byte[32];
  private byte[] sendKey = new byte[0];
  private byte[] receiveKey = new byte[0];
  private long sent;
  private long received;

  RawNoise() {
    SecureRandom random = new SecureRandom();
    X25519.generatePrivateKey(random, ephemeral);
    X25519.generatePrivateKey(random, staticKey);
    mixHash(new byte[0]);
  }

  byte[] staticPublicKey() {
    return publicKey(staticKey);
  }

  /// Message 1: the ephemeral key.
  byte[] first() {
    byte[] out = publicKey(ephemeral);
    mixHash(out);
    mixHash(new byte[0]);
    return out;
  }

  /// Reads message 2 and returns its payload.
  byte[] second(byte[] message) throws GeneralSecurityException {
    remoteEphemeral = Arrays.copyOfRange(message, 0, 32);
    mixHash(remoteEphemeral);
    mixKey(agreement(ephemeral, remoteEphemeral));
    byte[] remoteStatic = decryptAndHash(Arrays.copyOfRange(message, 32, 80));
    mixKey(agreement(ephemeral, remoteStatic));
    return decryptAndHash(Arrays.copyOfRange(message, 80, message.length));
  }

  /// Message 3: the static key and a payload.
  byte[] third(byte[] payload) throws GeneralSecurityException {
    byte[] encryptedStatic = encryptAndHash(staticPublicKey());
    mixKey(agreement(staticKey, remoteEphemeral));
    byte[] encryptedPayload = encryptAndHash(payload);
    byte[][] keys = hkdf(new byte[0]);
    sendKey = keys[0];
    receiveKey = keys[1];
    return ByteBuffer.allocate(encryptedStatic.length + encryptedPayload.length)
        .put(encryptedStatic)
        .put(encryptedPayload)
        .array();
  }

  byte[] encrypt(byte[] plain) throws GeneralSecurityException {
    return crypt(Cipher.ENCRYPT_MODE, sendKey, sent++, new byte[0], plain);
  }

  byte[] decrypt(byte[] sealed) throws GeneralSecurityException {
    return crypt(Cipher.DECRYPT_MODE, receiveKey, received++, new byte[0], sealed);
  }

  private byte[] encryptAndHash(byte[] plain) throws GeneralSecurityException {
    byte[] sealed = crypt(Cipher.ENCRYPT_MODE, key, nonce++, hash, plain);
    mixHash(sealed);
    return sealed;
  }

  private byte[] decryptAndHash(byte[] sealed) throws GeneralSecurityException {
    byte[] plain = crypt(Cipher.DECRYPT_MODE, key, nonce++, hash, sealed);
    mixHash(sealed);
    return plain;
  }

  private void mixHash(byte[] data) {
    hash = sha256(hash, data);
  }

  private void mixKey(byte[] secret) throws GeneralSecurityException {
    byte[][] keys = hkdf(secret);
    chaining = keys[0];
    key = keys[1];
    nonce = 0;
  }

  private byte[][] hkdf(byte[] secret) throws GeneralSecurityException {
    byte[] temporary = hmac(chaining, secret);
    byte[] one = hmac(temporary, new byte[] {1});
    byte[] two = hmac(temporary, ByteBuffer.allocate(33).put(one).put((byte) 2).array());
    return new byte[][] {one, two};
  }

  private static byte[] publicKey(byte[] secret) {
    byte[] out = new byte[32];
    X25519.generatePublicKey(secret, 0, out, 0);
    return out;
  }

  private static byte[] agreement(byte[] secret, byte[] remote) {
    byte[] out = new byte[32];
    X25519.calculateAgreement(secret, 0, remote, 0, out, 0);
    return out;
  }

  private static byte[] sha256(byte[] first, byte[] second) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(first);
      return digest.digest(second);
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static byte[] hmac(byte[] key, byte[] data) throws GeneralSecurityException {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(data);
  }

  private static byte[] crypt(int mode, byte[] key, long nonce, byte[] associated, byte[] data)
      throws GeneralSecurityException {
    Cipher cipher = Cipher.getInstance("ChaCha20-Poly1305");
    byte[] iv =
        ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN).putInt(0).putLong(nonce).array();
    cipher.init(mode, new SecretKeySpec(key, "ChaCha20"), new IvParameterSpec(iv));
    cipher.updateAAD(associated);
    return cipher.doFinal(data);
  }
}
