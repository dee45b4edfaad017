package io.rigmesh.libp2p.identity;

import io.rigmesh.libp2p.multiformats.Base32;
import io.rigmesh.libp2p.multiformats.Base58;
import io.rigmesh.libp2p.multiformats.Varint;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Optional;

/// The name of a peer: a multihash of its public key message (the peer-ids specification). Keys
/// whose message has at most 42 bytes stand in it whole, by the identity hash; others by SHA-256.
/// Immutable; ordered by its bytes.
public final class PeerId implements Comparable<PeerId> {
  private static final int IDENTITY = 0x00;
  private static final int SHA_256 = 0x12;
  private static final int INLINE_BYTES_MAX = 42;
  private static final int CIDV1 = 0x01;
  private static final int LIBP2P_KEY = 0x72;

  private final byte[] multihash;
  private final int hash;

  private PeerId(byte[] multihash) {
    this.multihash = multihash;
    this.hash = Arrays.hashCode(multihash);
  }

  /// The peer id of a public key.
  public static PeerId of(PublicKey key) {
    byte[] message = key.bytes();
    if (message.length <= INLINE_BYTES_MAX) {
      return new PeerId(multihash(IDENTITY, message));
    }
    try {
      return new PeerId(multihash(SHA_256, MessageDigest.getInstance("SHA-256").digest(message)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("This Java runtime lacks SHA-256", e);
    }
  }

  /// Reads the binary form.
  ///
  /// @throws IllegalArgumentException when it is not a multihash that names a peer
  public static PeerId of(byte[] bytes) {
    Varint.Read code = Varint.read(bytes, 0);
    Varint.Read length = Varint.read(bytes, code.end());
    if (length.value() != bytes.length - length.end()) {
      throw new IllegalArgumentException(
          "A peer id's length says "
              + length.value()
              + " bytes, but "
              + (bytes.length - length.end())
              + " follow");
    }
    boolean inline = code.value() == IDENTITY && length.value() <= INLINE_BYTES_MAX;
    boolean hashed = code.value() == SHA_256 && length.value() == 32;
    if (!inline && !hashed) {
      throw new IllegalArgumentException(
          "A peer id is an identity multihash of at most 42 bytes or a SHA-256: code "
              + code.value()
              + " with "
              + length.value()
              + " bytes");
    }
    return new PeerId(bytes.clone());
  }

  /// Reads base58 text (`12D3...`, `Qm...`, `16Uiu2...`) or a CIDv1 of a libp2p key in base32 or
  /// base58.
  ///
  /// @throws IllegalArgumentException when it is neither
  public static PeerId of(String text) {
    if (text.length() > Base58.CHARACTERS_MAX) {
      throw new IllegalArgumentException(
          "A peer id of " + text.length() + " characters is too long");
    }
    if (text.startsWith("1") || text.startsWith("Qm")) {
      return of(Base58.decode(text));
    }
    byte[] cid;
    if (text.startsWith("b")) {
      cid = Base32.decode(text.substring(1));
    } else if (text.startsWith("z")) {
      cid = Base58.decode(text.substring(1));
    } else {
      throw new IllegalArgumentException("Neither a base58 peer id nor a CID: '" + text + "'");
    }
    Varint.Read version = Varint.read(cid, 0);
    Varint.Read codec = Varint.read(cid, version.end());
    if (version.value() != CIDV1 || codec.value() != LIBP2P_KEY) {
      throw new IllegalArgumentException("The CID does not name a libp2p key: '" + text + "'");
    }
    return of(Arrays.copyOfRange(cid, codec.end(), cid.length));
  }

  private static byte[] multihash(int code, byte[] digest) {
    byte[] out = new byte[2 + digest.length];
    out[0] = (byte) code;
    out[1] = (byte) digest.length;
    System.arraycopy(digest, 0, out, 2, digest.length);
    return out;
  }

  /// The multihash.
  public byte[] bytes() {
    return multihash.clone();
  }

  /// The public key, when the id holds it whole; empty, too, when what it holds is no key.
  public Optional<PublicKey> publicKey() {
    if (multihash[0] != IDENTITY) {
      return Optional.empty();
    }
    try {
      return Optional.of(PublicKey.of(Arrays.copyOfRange(multihash, 2, multihash.length)));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /// Whether this is the id of that key.
  public boolean matches(PublicKey key) {
    return equals(of(key));
  }

  /// The text form as a CIDv1 in base32.
  public String toCid() {
    byte[] cid = new byte[2 + multihash.length];
    cid[0] = CIDV1;
    cid[1] = LIBP2P_KEY;
    System.arraycopy(multihash, 0, cid, 2, multihash.length);
    return "b" + Base32.encode(cid);
  }

  @Override
  public int compareTo(PeerId other) {
    return Arrays.compareUnsigned(multihash, other.multihash);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof PeerId that && Arrays.equals(multihash, that.multihash);
  }

  @Override
  public int hashCode() {
    return hash;
  }

  /// The base58 form.
  @Override
  public String toString() {
    return Base58.encode(multihash);
  }
}
