package io.rigmesh.protocol;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/// Reads what [CanonicalWriter] wrote, strictly: every length is checked before memory is taken,
/// and nothing may be left over.
final class CanonicalReader {
  private final ByteBuffer in;
  private final String what;

  CanonicalReader(byte[] bytes, String tag, int bytesMax) {
    this.what = tag;
    if (bytes.length > bytesMax) {
      throw new MalformedException(
          tag + " has " + bytes.length + " bytes; at most " + bytesMax + " are allowed");
    }
    this.in = ByteBuffer.wrap(bytes);
    String found = text(64, "tag");
    if (!found.equals(tag)) {
      throw new MalformedException("expected " + tag + ", found the tag '" + found + "'");
    }
  }

  int u32(String field) {
    need(4, field);
    return in.getInt();
  }

  long u64(String field) {
    need(8, field);
    return in.getLong();
  }

  BigInteger u256(String field) {
    return new BigInteger(1, raw(32, field));
  }

  byte[] raw(int length, String field) {
    need(length, field);
    byte[] value = new byte[length];
    in.get(value);
    return value;
  }

  byte[] bytes(int bytesMax, String field) {
    int length = count(bytesMax, field);
    return raw(length, field);
  }

  int count(int max, String field) {
    int count = u32(field);
    if (count < 0 || count > max) {
      throw new MalformedException(
          what
              + "."
              + field
              + " has length "
              + Integer.toUnsignedString(count)
              + "; at most "
              + max);
    }
    return count;
  }

  String text(int bytesMax, String field) {
    byte[] value = bytes(bytesMax, field);
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT)
          .decode(ByteBuffer.wrap(value))
          .toString();
    } catch (CharacterCodingException e) {
      throw new MalformedException(what + "." + field + " is not UTF-8", e);
    }
  }

  Hash hash(String field) {
    return Hash.of(raw(Hash.BYTES, field));
  }

  Address address(String field) {
    return Address.of(raw(Address.BYTES, field));
  }

  void end() {
    if (in.hasRemaining()) {
      throw new MalformedException(what + " has " + in.remaining() + " bytes too many");
    }
  }

  private void need(int length, String field) {
    if (length > in.remaining()) {
      throw new MalformedException(
          what
              + "."
              + field
              + " needs "
              + length
              + " bytes at offset "
              + in.position()
              + ", where only "
              + in.remaining()
              + " are left");
    }
  }
}
