package io.rigmesh.libp2p.multiformats;

import io.rigmesh.libp2p.PeerMisbehaviourException;
import java.util.Map;
import java.util.TreeMap;

/// How many elements a protobuf message from outside may hold, checked on its wire form before it
/// is parsed: a field of no bytes costs two bytes to send and an object to parse, so that a bound
/// on the message's length alone does not bound the memory. Immutable.
///
/// ```
/// ProtobufBounds peer = ProtobufBounds.fields(40).atMost(2, 32);
/// ProtobufBounds message = ProtobufBounds.fields(64).nested(8, 20, peer);
/// Wire.Message.parseFrom(message.check("/ipfs/kad/1.0.0", bytes));
/// ```
public final class ProtobufBounds {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH = 2;
  private static final int FIXED32 = 5;

  private final int fieldsMax;
  private final Map<Integer, Integer> counts;
  private final Map<Integer, ProtobufBounds> nested;

  private ProtobufBounds(
      int fieldsMax, Map<Integer, Integer> counts, Map<Integer, ProtobufBounds> nested) {
    this.fieldsMax = fieldsMax;
    this.counts = Map.copyOf(counts);
    this.nested = Map.copyOf(nested);
  }

  /// A message of at most so many fields in all, known and unknown, each repetition counted.
  public static ProtobufBounds fields(int fieldsMax) {
    return new ProtobufBounds(fieldsMax, Map.of(), Map.of());
  }

  /// Limits how often one field may come.
  public ProtobufBounds atMost(int field, int count) {
    Map<Integer, Integer> more = new TreeMap<>(counts);
    more.put(field, count);
    return new ProtobufBounds(fieldsMax, more, nested);
  }

  /// Limits how often one field may come, and what each message in it may hold.
  public ProtobufBounds nested(int field, int count, ProtobufBounds bounds) {
    Map<Integer, ProtobufBounds> more = new TreeMap<>(nested);
    more.put(field, bounds);
    return new ProtobufBounds(fieldsMax, counts, more).atMost(field, count);
  }

  /// Hands the bytes back when they keep the bounds.
  ///
  /// @param protocol whom the message of a failure names
  /// @throws PeerMisbehaviourException when a bound is passed, or the wire form is broken or holds
  ///   groups
  public byte[] check(String protocol, byte[] bytes) {
    return check(protocol, bytes, Integer.MAX_VALUE);
  }

  /// As [#check(String, byte[])], with a bound on the fields of the message and of all nested ones
  /// together: counts for each parent multiply with the number of parents.
  public byte[] check(String protocol, byte[] bytes, int fieldsTotalMax) {
    try {
      check(bytes, 0, bytes.length, fieldsTotalMax);
    } catch (IllegalArgumentException e) {
      throw new PeerMisbehaviourException(protocol + ": " + e.getMessage(), e);
    }
    return bytes;
  }

  /// Returns how many more fields may follow in the whole message.
  private int check(byte[] bytes, int from, int to, int fieldsTotalMax) {
    int fields = 0;
    int totalLeft = fieldsTotalMax;
    Map<Integer, Integer> seen = new TreeMap<>();
    int at = from;
    while (at < to) {
      if (++fields > fieldsMax) {
        throw new IllegalArgumentException("a message holds over " + fieldsMax + " fields");
      }
      if (--totalLeft < 0) {
        throw new IllegalArgumentException("a message holds too many fields in nested messages");
      }
      long tag = varint(bytes, at, to);
      at = afterVarint(bytes, at);
      int field = (int) (tag >>> 3);
      if (tag < 8 || tag > 0xffff_ffffL) {
        throw new IllegalArgumentException("a message holds a field number that does not exist");
      }
      Integer limit = counts.get(field);
      if (limit != null && seen.merge(field, 1, Integer::sum) > limit) {
        throw new IllegalArgumentException(
            "a message holds field " + field + " over " + limit + " times");
      }
      switch ((int) tag & 7) {
        case VARINT -> {
          varint(bytes, at, to);
          at = afterVarint(bytes, at);
        }
        case FIXED64 -> at = skip(at, 8, to);
        case FIXED32 -> at = skip(at, 4, to);
        case LENGTH -> {
          long length = varint(bytes, at, to);
          int start = afterVarint(bytes, at);
          at = skip(start, length, to);
          ProtobufBounds inner = nested.get(field);
          if (inner != null) {
            totalLeft = inner.check(bytes, start, at, totalLeft);
          }
        }
        default ->
            throw new IllegalArgumentException(
                "a message holds wire type " + (tag & 7) + ", which is not used here");
      }
    }
    return totalLeft;
  }

  private static int skip(int at, long length, int to) {
    if (length < 0 || length > to - at) {
      throw new IllegalArgumentException("a message's field is cut short");
    }
    return at + (int) length;
  }

  /// Protobuf's varints may have ten bytes (negative numbers) and longer forms than they need.
  private static long varint(byte[] bytes, int at, int to) {
    long value = 0;
    for (int i = 0; i < 10; i++) {
      if (at + i >= to) {
        throw new IllegalArgumentException("a message's number is cut short");
      }
      int b = bytes[at + i];
      value |= (long) (b & 0x7f) << (7 * i);
      if (b >= 0) {
        return value;
      }
    }
    throw new IllegalArgumentException("a message's number is over ten bytes");
  }

  private static int afterVarint(byte[] bytes, int at) {
    int end = at;
    while (bytes[end] < 0) {
      end++;
    }
    return end + 1;
  }
}
