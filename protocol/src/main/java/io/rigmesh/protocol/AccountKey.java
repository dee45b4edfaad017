package io.rigmesh.protocol;

import fr.acinq.secp256k1.Secp256k1;
import fr.acinq.secp256k1.Secp256k1Exception;
import java.security.SecureRandom;
import java.util.Arrays;

/// An Ethereum account's secret key. It signs with libsecp256k1 (RFC 6979, so the same digest gives
/// the same signature) and never prints itself.
public final class AccountKey {
  private final byte[] secret;
  private final byte[] publicKey;
  private final Address address;

  private AccountKey(byte[] secret) {
    this.secret = secret;
    this.publicKey = Secp256k1.get().pubkeyCreate(secret);
    this.address = Address.ofPublicKey(publicKey);
  }

  /// Copies a 32-byte secret.
  ///
  /// @throws MalformedException if it is not a scalar between 1 and the order of the curve
  public static AccountKey of(byte[] secret) {
    if (secret.length != 32 || !Secp256k1.get().secKeyVerify(secret)) {
      throw new MalformedException("not a secp256k1 secret key");
    }
    return new AccountKey(secret.clone());
  }

  /// Reads 64 hexadecimal digits, with or without `0x`.
  ///
  /// @throws MalformedException if the text is anything else
  public static AccountKey fromHex(String text) {
    return of(Hex.parse(text, 32, "a secret key"));
  }

  /// Makes a new key from the system's secure randomness.
  public static AccountKey generate() {
    SecureRandom random = new SecureRandom();
    byte[] secret = new byte[32];
    do {
      random.nextBytes(secret);
    } while (!Secp256k1.get().secKeyVerify(secret));
    return new AccountKey(secret);
  }

  /// The account of this key.
  public Address address() {
    return address;
  }

  /// A copy of the secret, for a keystore and nothing else.
  public byte[] secret() {
    return secret.clone();
  }

  /// Signs a 32-byte digest.
  public Signature sign(Hash digest) {
    byte[] message = digest.bytes();
    byte[] compact = Secp256k1.get().sign(message, secret);
    byte[] full = Arrays.copyOf(compact, Signature.BYTES);
    // The recovery id is the parity of a point that the library keeps to itself. Of the two that
    // are
    // left (r above the order would need 2^127 tries), one gives back this key, so one try is
    // enough.
    boolean even = Arrays.equals(recovered(compact, message), publicKey);
    full[64] = (byte) (even ? 27 : 28);
    return Signature.of(full);
  }

  private static byte[] recovered(byte[] compact, byte[] message) {
    try {
      return Secp256k1.get().ecdsaRecover(compact, message, 0);
    } catch (Secp256k1Exception e) {
      return new byte[0];
    }
  }

  @Override
  public String toString() {
    return "AccountKey[" + address + "]";
  }
}
