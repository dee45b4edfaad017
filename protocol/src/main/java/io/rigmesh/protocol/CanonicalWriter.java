package io.rigmesh.protocol;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/// Writes the one canonical byte form of a record: fields in their declared order, integers
/// big-endian, byte strings and texts behind a 4-byte length, lists behind a 4-byte count.
/// docs/protocol.md is the normative text.
final class CanonicalWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  CanonicalWriter(String tag) {
    text(tag);
  }

  CanonicalWriter u32(int value) {
    out.writeBytes(ByteBuffer.allocate(4).putInt(value).array());
    return this;
  }

  CanonicalWriter u64(long value) {
    out.writeBytes(ByteBuffer.allocate(8).putLong(value).array());
    return this;
  }

  CanonicalWriter u256(BigInteger value) {
    out.writeBytes(Words.uint256(value));
    return this;
  }

  CanonicalWriter raw(byte[] value) {
    out.writeBytes(value);
    return this;
  }

  CanonicalWriter bytes(byte[] value) {
    u32(value.length);
    return raw(value);
  }

  CanonicalWriter text(String value) {
    return bytes(value.getBytes(StandardCharsets.UTF_8));
  }

  CanonicalWriter hash(Hash value) {
    return raw(value.bytes());
  }

  CanonicalWriter address(Address value) {
    return raw(value.bytes());
  }

  byte[] toBytes() {
    return out.toByteArray();
  }
}
