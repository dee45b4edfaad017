package io.rigmesh.protocol;

import fr.acinq.secp256k1.Secp256k1;
import fr.acinq.secp256k1.Secp256k1Exception;
import java.math.BigInteger;
import java.security.SecureRandom;
import java.util.Arrays;

/// An Ethereum account's secret key. It signs with libsecp256k1 (RFC 6979, so the same digest gives
/// the same signature) and never prints itself.
public final class AccountKey {
  private static final BigInteger ORDER =
      new BigInteger("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16);

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
    full[64] = (byte) (27 + parity(message, compact));
    return Signature.of(full);
  }

  /// The parity of the point R, which the library computes with a signature and keeps to itself.
  ///
  /// Since s k = z + r d for the nonce k that belongs to this form of s, k times the generator is
  /// R. What is secret is multiplied by the library, in constant time; only the inverse of s, which
  /// is public, is taken here. This takes half the time of recovering a public key.
  private int parity(byte[] message, byte[] compact) {
    byte[] r = Arrays.copyOfRange(compact, 0, 32);
    byte[] s = Arrays.copyOfRange(compact, 32, 64);
    try {
      Secp256k1 curve = Secp256k1.get();
      byte[] sum = curve.privKeyTweakAdd(curve.privKeyTweakMul(secret.clone(), r), message);
      byte[] inverse = Words.uint256(new BigInteger(1, s).modInverse(ORDER));
      byte[] point = curve.pubkeyCreate(curve.privKeyTweakMul(sum, inverse));
      if (Arrays.equals(point, 1, 33, r, 0, 32)) {
        return point[64] & 1;
      }
    } catch (Secp256k1Exception e) {
      // A digest above the order is no tweak; once in 2^128.
    }
    boolean even = Arrays.equals(Secp256k1.get().ecdsaRecover(compact, message, 0), publicKey);
    return even ? 0 : 1;
  }

  @Override
  public String toString() {
    return "AccountKey[" + address + "]";
  }
}
