package io.rigmesh.worker.format;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// Walks the fields of one protobuf message inside a mapped file and copies nothing that is not
/// asked for. Every length is checked against the message that holds it. Not safe for use by
/// several threads.
///
/// Source: protobuf.dev/programming-guides/encoding.
final class ProtobufReader {

  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private final String file;
  private final String message;
  private final MemorySegment data;
  private final long limit;
  private long position;
  private int field;
  private int wireType;

  /// @param message the message's name in errors
  ProtobufReader(String file, String message, MemorySegment data, long position, long limit) {
    this.file = file;
    this.message = message;
    this.data = data;
    this.position = position;
    this.limit = limit;
  }

  /// Goes to the next field; false at the end of the message. The field's value must then be read
  /// or skipped.
  boolean next() {
    if (position == limit) {
      return false;
    }
    long start = position;
    long tag = readVarint();
    field = (int) (tag >>> 3);
    wireType = (int) (tag & 7);
    if (tag < 0 || tag > 0xFFFF_FFFFL || field == 0) {
      throw refused(start, "is not a protobuf tag; the file is no ONNX model, or damaged");
    }
    return true;
  }

  /// The number of the current field.
  int field() {
    return field;
  }

  /// Where the next unread byte stands in the file.
  long position() {
    return position;
  }

  void skip() {
    switch (wireType) {
      case VARINT -> readVarint();
      case FIXED64 -> take(8);
      case BYTES -> take(readLength());
      case FIXED32 -> take(4);
      default -> throw refused(position, "has the unknown wire type " + wireType);
    }
  }

  long varint() {
    expect(VARINT);
    return readVarint();
  }

  float fixed32() {
    expect(FIXED32);
    return Float.intBitsToFloat(data.get(INT, take(4)));
  }

  /// The length of a bytes field, whose start is then [#position()]; the caller reads it through
  /// [#skipBytes].
  long bytes() {
    expect(BYTES);
    return readLength();
  }

  void skipBytes(long length) {
    take(length);
  }

  ProtobufReader message(String name) {
    long length = bytes();
    long start = take(length);
    return new ProtobufReader(file, name, data, start, start + length);
  }

  String text(int bytesMax) {
    long length = bytes();
    if (length > bytesMax) {
      throw refused(
          position, "is a text of " + length + " bytes, at most " + bytesMax + " are read");
    }
    return new String(data.asSlice(take(length), length).toArray(ValueLayout.JAVA_BYTE), UTF_8);
  }

  interface LongVisitor {
    void visit(long value);
  }

  /// The values of a repeated integer field, which may be packed or stand alone.
  void varints(LongVisitor visitor) {
    if (wireType == BYTES) {
      ProtobufReader packed = message(message);
      packed.field = field;
      while (packed.position < packed.limit) {
        visitor.visit(packed.readVarint());
      }
    } else {
      visitor.visit(varint());
    }
  }

  private void expect(int wanted) {
    if (wireType != wanted) {
      throw refused(position, "has wire type " + wireType + ", must have " + wanted);
    }
  }

  private long readLength() {
    long start = position;
    long length = readVarint();
    if (length < 0 || length > limit - position) {
      throw refused(
          start,
          "says it is "
              + Long.toUnsignedString(length)
              + " bytes long, but only "
              + (limit - position)
              + " are left; the file is damaged or cut off: fetch it again");
    }
    return length;
  }

  private long readVarint() {
    long start = position;
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (position == limit) {
        throw refused(start, "ends in the middle of a number");
      }
      byte next = data.get(ValueLayout.JAVA_BYTE, position++);
      value |= (long) (next & 0x7F) << shift;
      if (next >= 0) {
        return value;
      }
    }
    throw refused(start, "has a number of more than ten bytes");
  }

  private long take(long length) {
    if (length > limit - position) {
      throw refused(position, "ends " + (length - (limit - position)) + " bytes too early");
    }
    long start = position;
    position += length;
    return start;
  }

  ModelFormatException refused(long offset, String problem) {
    return new ModelFormatException(file, message + "#" + field, offset, problem);
  }
}
