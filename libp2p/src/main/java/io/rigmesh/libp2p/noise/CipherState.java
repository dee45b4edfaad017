package io.rigmesh.libp2p.noise;

import io.netty.util.concurrent.FastThreadLocal;
import io.rigmesh.libp2p.Libp2pException;
import java.security.GeneralSecurityException;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/// A ChaCha20-Poly1305 key and its message counter (Noise specification, section 5.1). Works in
/// place on arrays: that is the form in which the JDK's vectorized cipher runs without copies. Not
/// thread-safe.
final class CipherState {
  static final int KEY_BYTES = 32;
  static final int TAG_BYTES = 16;

  /// The counter's last value is reserved by the Noise specification.
  private static final long NONCE_END = -1;

  /// One cipher a thread and direction, not one a connection: each frame sets key and nonce anyway,
  /// and an idle connection then holds none of the cipher's tables.
  private static final FastThreadLocal<Cipher> ENCRYPTION = new Ciphers();

  private static final FastThreadLocal<Cipher> DECRYPTION = new Ciphers();

  private final SecretKeySpec key;
  private final byte[] iv = new byte[12];
  private long nonce;

  CipherState(byte[] key) {
    this(key, 0);
  }

  /// @param nonce counter of the first message, as unsigned
  CipherState(byte[] key, long nonce) {
    this.key = new SecretKeySpec(key, 0, KEY_BYTES, "ChaCha20");
    this.nonce = nonce;
  }

  /// Encrypts a part of an array in place and writes the tag behind it.
  ///
  /// @param associated data that is authenticated and not sent
  void encrypt(byte[] bytes, int offset, int length, byte @Nullable [] associated) {
    try {
      Cipher cipher = start(ENCRYPTION.get(), Cipher.ENCRYPT_MODE, associated);
      cipher.doFinal(bytes, offset, length, bytes, offset);
    } catch (GeneralSecurityException e) {
      throw new Libp2pException("ChaCha20-Poly1305 could not encrypt a message", e);
    }
  }

  /// Decrypts a part of an array, with the tag at its end, in place.
  ///
  /// @return the number of plain bytes
  /// @throws AEADBadTagException when it is not what the remote encrypted next
  int decrypt(byte[] bytes, int offset, int length, byte @Nullable [] associated)
      throws AEADBadTagException {
    try {
      Cipher cipher = start(DECRYPTION.get(), Cipher.DECRYPT_MODE, associated);
      return cipher.doFinal(bytes, offset, length, bytes, offset);
    } catch (AEADBadTagException e) {
      throw e;
    } catch (GeneralSecurityException e) {
      throw new Libp2pException("ChaCha20-Poly1305 could not decrypt a message", e);
    }
  }

  private Cipher start(Cipher cipher, int mode, byte @Nullable [] associated)
      throws GeneralSecurityException {
    if (nonce == NONCE_END) {
      throw new Libp2pException(
          "The Noise connection's 2^64 - 1 messages are used up: open a new connection");
    }
    for (int i = 0; i < 8; i++) {
      iv[4 + i] = (byte) (nonce >>> (8 * i));
    }
    nonce++;
    cipher.init(mode, key, new IvParameterSpec(iv));
    if (associated != null) {
      cipher.updateAAD(associated);
    }
    return cipher;
  }

  private static final class Ciphers extends FastThreadLocal<Cipher> {
    @Override
    protected Cipher initialValue() throws GeneralSecurityException {
      return Cipher.getInstance("ChaCha20-Poly1305");
    }
  }
}
