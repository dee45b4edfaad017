package io.rigmesh.libp2p.mdns;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A DNS message as multicast DNS uses it (RFC 1035, section 4; RFC 6762, section 18). Names are
/// held without their final dot. Reading is bounded: in bytes, in records, and in the jumps that a
/// compressed name may make.
///
/// @param records of all three sections, answers first
/// @param answers how many of the records are answers; the rest are additional
record DnsMessage(boolean response, List<Question> questions, List<Answer> records, int answers) {
  static final int BYTES_MAX = 9000;
  static final int RECORDS_MAX = 128;

  static final int A = 1;
  static final int PTR = 12;
  static final int TXT = 16;
  static final int AAAA = 28;
  static final int SRV = 33;
  static final int ANY = 255;
  static final int INTERNET = 1;

  /// On a record: it replaces older ones of its name and type. On a question: answer directly.
  private static final int TOP_BIT = 0x8000;

  private static final int RESPONSE_AND_AUTHORITATIVE = 0x8400;

  record Question(String name, int type) {}

  /// A record. Its data is as on the wire, but for names within it, which are not compressed.
  ///
  /// @param flush whether it replaces older ones
  record Answer(String name, int type, boolean flush, long ttlSeconds, ByteString data) {
    /// The target of a PTR record.
    String target() {
      return new Cursor(data.toByteArray(), 0).name();
    }

    /// The strings of a TXT record.
    List<String> strings() {
      List<String> all = new ArrayList<>();
      Cursor cursor = new Cursor(data.toByteArray(), 0);
      while (cursor.at < data.size()) {
        all.add(new String(cursor.take(cursor.number(1)), StandardCharsets.UTF_8));
      }
      return all;
    }
  }

  static boolean sameName(String a, String b) {
    return a.toLowerCase(Locale.ROOT).equals(b.toLowerCase(Locale.ROOT));
  }

  static DnsMessage query(List<Question> questions) {
    return new DnsMessage(false, List.copyOf(questions), List.of(), 0);
  }

  static DnsMessage response(List<Answer> answers, List<Answer> additional) {
    List<Answer> all = new ArrayList<>(answers);
    all.addAll(additional);
    return new DnsMessage(true, List.of(), List.copyOf(all), answers.size());
  }

  static Answer ptr(String name, String target, long ttlSeconds) {
    return new Answer(name, PTR, false, ttlSeconds, ByteString.copyFrom(encodedName(target)));
  }

  /// @throws IllegalArgumentException when a string has over 255 bytes
  static Answer txt(String name, List<String> strings, long ttlSeconds) {
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    for (String string : strings) {
      byte[] bytes = string.getBytes(StandardCharsets.UTF_8);
      if (bytes.length > 255) {
        throw new IllegalArgumentException("A string of a TXT record has at most 255 bytes");
      }
      data.write(bytes.length);
      data.writeBytes(bytes);
    }
    return new Answer(name, TXT, true, ttlSeconds, ByteString.copyFrom(data.toByteArray()));
  }

  static Answer srv(String name, int port, String target, long ttlSeconds) {
    byte[] host = encodedName(target);
    byte[] data =
        ByteBuffer.allocate(6 + host.length).putInt(0).putShort((short) port).put(host).array();
    return new Answer(name, SRV, true, ttlSeconds, ByteString.copyFrom(data));
  }

  private static byte[] encodedName(String name) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (String label : name.split("\\.")) {
      byte[] bytes = label.getBytes(StandardCharsets.UTF_8);
      if (bytes.length == 0 || bytes.length > 63) {
        throw new IllegalArgumentException("A label of a name has 1 to 63 bytes: " + name);
      }
      out.write(bytes.length);
      out.writeBytes(bytes);
    }
    out.write(0);
    return out.toByteArray();
  }

  byte[] bytes() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(
        ByteBuffer.allocate(12)
            .putShort((short) 0)
            .putShort((short) (response ? RESPONSE_AND_AUTHORITATIVE : 0))
            .putShort((short) questions.size())
            .putShort((short) answers)
            .putShort((short) 0)
            .putShort((short) (records.size() - answers))
            .array());
    for (Question question : questions) {
      out.writeBytes(encodedName(question.name()));
      out.writeBytes(
          ByteBuffer.allocate(4).putShort((short) question.type()).putShort((short) 1).array());
    }
    for (Answer record : records) {
      out.writeBytes(encodedName(record.name()));
      out.writeBytes(
          ByteBuffer.allocate(10)
              .putShort((short) record.type())
              .putShort((short) (record.flush() ? TOP_BIT | INTERNET : INTERNET))
              .putInt((int) record.ttlSeconds())
              .putShort((short) record.data().size())
              .array());
      out.writeBytes(record.data().toByteArray());
    }
    return out.toByteArray();
  }

  /// Reads a message. Records of other classes than the internet's are left out.
  ///
  /// @throws IllegalArgumentException when it is malformed or over a bound
  static DnsMessage of(byte[] bytes) {
    if (bytes.length > BYTES_MAX) {
      throw new IllegalArgumentException("A DNS message of " + bytes.length + " bytes");
    }
    Cursor cursor = new Cursor(bytes, 2);
    boolean response = (cursor.number(2) & TOP_BIT) != 0;
    int questionCount = cursor.number(2);
    int answerCount = cursor.number(2);
    int recordCount = answerCount + cursor.number(2) + cursor.number(2);
    if (questionCount + recordCount > RECORDS_MAX) {
      throw new IllegalArgumentException(
          "A DNS message of " + (questionCount + recordCount) + " records");
    }
    List<Question> questions = new ArrayList<>();
    for (int i = 0; i < questionCount; i++) {
      String name = cursor.name();
      int type = cursor.number(2);
      cursor.number(2);
      questions.add(new Question(name, type));
    }
    List<Answer> records = new ArrayList<>();
    int answers = 0;
    for (int i = 0; i < recordCount; i++) {
      String name = cursor.name();
      int type = cursor.number(2);
      int group = cursor.number(2);
      long ttl = Integer.toUnsignedLong(cursor.number(4));
      int length = cursor.number(2);
      int end = cursor.at + length;
      if (end > bytes.length) {
        throw new IllegalArgumentException("A DNS record is cut short");
      }
      byte[] data =
          type == PTR
              ? encodedName(new Cursor(bytes, cursor.at).name())
              : new Cursor(bytes, cursor.at).take(length);
      cursor.at = end;
      if ((group & ~TOP_BIT) == INTERNET) {
        records.add(new Answer(name, type, (group & TOP_BIT) != 0, ttl, ByteString.copyFrom(data)));
        if (i < answerCount) {
          answers++;
        }
      }
    }
    return new DnsMessage(response, List.copyOf(questions), List.copyOf(records), answers);
  }

  /// Reads numbers, bytes and names, never beyond the end.
  private static final class Cursor {
    private static final int NAME_BYTES_MAX = 255;

    private final byte[] bytes;
    int at;

    Cursor(byte[] bytes, int at) {
      this.bytes = bytes;
      this.at = at;
    }

    int number(int length) {
      int value = 0;
      for (byte b : take(length)) {
        value = (value << 8) | (b & 0xff);
      }
      return value;
    }

    byte[] take(int length) {
      if (length > bytes.length - at) {
        throw new IllegalArgumentException("A DNS message is cut short at byte " + at);
      }
      byte[] taken = java.util.Arrays.copyOfRange(bytes, at, at + length);
      at += length;
      return taken;
    }

    /// A name: labels, and at its end perhaps a pointer to where the rest stands. Pointers lead
    /// only backwards, so that no name is endless.
    String name() {
      StringBuilder name = new StringBuilder();
      Cursor reader = this;
      int start = at;
      int total = 0;
      while (true) {
        int length = reader.number(1);
        if (length == 0) {
          return name.toString();
        }
        if (length >= 0xc0) {
          int target = ((length & 0x3f) << 8) | reader.number(1);
          if (target >= start) {
            throw new IllegalArgumentException("A name in a DNS message points forward");
          }
          start = target;
          reader = new Cursor(bytes, target);
          continue;
        }
        if (length > 63) {
          throw new IllegalArgumentException("A label in a DNS message has " + length + " bytes");
        }
        total += length + 1;
        if (total > NAME_BYTES_MAX) {
          throw new IllegalArgumentException("A name in a DNS message is too long");
        }
        if (!name.isEmpty()) {
          name.append('.');
        }
        name.append(new String(reader.take(length), StandardCharsets.UTF_8));
      }
    }
  }
}
