package io.rigmesh.libp2p.kad;

import io.rigmesh.libp2p.identity.PeerId;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/// A point of the key space: the SHA-256 of a peer id or of a record's key, as four big-endian
/// words. The distance of two points is their XOR, read as an unsigned number (the specification's
/// "Distance").
record KadKey(long a, long b, long c, long d) {
  static final int BITS = 256;

  // Only ever cloned: that is several times faster than to ask for a new one.
  private static final MessageDigest SHA_256;

  static {
    try {
      SHA_256 = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("This Java runtime lacks SHA-256", e);
    }
  }

  /// The point of what stands on the wire.
  static KadKey of(byte[] preimage) {
    try {
      ByteBuffer hash = ByteBuffer.wrap(((MessageDigest) SHA_256.clone()).digest(preimage));
      return new KadKey(hash.getLong(), hash.getLong(), hash.getLong(), hash.getLong());
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("This Java runtime's SHA-256 cannot be cloned", e);
    }
  }

  static KadKey of(PeerId peer) {
    return of(peer.bytes());
  }

  /// How many leading bits two points share, from 0 to 256; 256 when they are equal.
  int commonPrefix(KadKey other) {
    if (a != other.a) {
      return Long.numberOfLeadingZeros(a ^ other.a);
    }
    if (b != other.b) {
      return 64 + Long.numberOfLeadingZeros(b ^ other.b);
    }
    if (c != other.c) {
      return 128 + Long.numberOfLeadingZeros(c ^ other.c);
    }
    return 192 + Long.numberOfLeadingZeros(d ^ other.d);
  }

  /// Negative when `left` is nearer to this point than `right` is, zero when they are the same
  /// point.
  int compareDistance(KadKey left, KadKey right) {
    int order = Long.compareUnsigned(a ^ left.a, a ^ right.a);
    if (order == 0) {
      order = Long.compareUnsigned(b ^ left.b, b ^ right.b);
    }
    if (order == 0) {
      order = Long.compareUnsigned(c ^ left.c, c ^ right.c);
    }
    return order == 0 ? Long.compareUnsigned(d ^ left.d, d ^ right.d) : order;
  }
}
