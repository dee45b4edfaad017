package io.rigmesh.worker.ptx;

import java.util.Map;
import java.util.function.IntBinaryOperator;
import java.util.function.LongBinaryOperator;

/// Integer arithmetic of 16, 32 and 64 bits.
final class IntegerOps {
  private IntegerOps() {}

  static void addTo(Map<String, Compiler.Builder> builders) {
    builders.put("rem", IntegerOps::binary);
    builders.put("sad", IntegerOps::sad);
    builders.put("dp4a", IntegerOps::dp4a);
    builders.put("dp2a", IntegerOps::dp2a);
  }

  static Op binary(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    boolean mul = i.name().equals("mul");
    String half = mul ? words.oneOf("lo", "hi", "wide") : "lo";
    ScalarType type = words.type();
    words.end();
    if (half.equals("wide")) {
      return wideProduct(i, rows, type, false);
    }
    int d = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    int b = rows.row(i, i.operand(2), type);
    boolean divides = i.name().equals("div") || i.name().equals("rem");
    if (divides) {
      return divide(i, type, d, a, b);
    }
    if (type.wide()) {
      return LaneOps.twoWide(i, d, a, b, wide(i, type, half));
    }
    IntBinaryOperator f = word(i, type, half);
    if (type.bytes() == 2) {
      return LaneOps.two(
          i, d, a, b, (x, y) -> f.applyAsInt(extend(x, type), extend(y, type)) & 0xffff);
    }
    return LaneOps.two(i, d, a, b, f);
  }

  private static IntBinaryOperator word(Instruction i, ScalarType type, String half) {
    boolean signed = type.signed();
    return switch (i.name()) {
      case "add" -> (x, y) -> x + y;
      case "sub" -> (x, y) -> x - y;
      case "mul" -> half.equals("lo") ? (x, y) -> x * y : (x, y) -> (int) high(x, y, type);
      case "min" -> signed ? Math::min : (x, y) -> Integer.compareUnsigned(x, y) < 0 ? x : y;
      case "max" -> signed ? Math::max : (x, y) -> Integer.compareUnsigned(x, y) > 0 ? x : y;
      default -> throw i.refused("the interpreter does not know it for integers");
    };
  }

  private static LongBinaryOperator wide(Instruction i, ScalarType type, String half) {
    boolean signed = type.signed();
    return switch (i.name()) {
      case "add" -> (x, y) -> x + y;
      case "sub" -> (x, y) -> x - y;
      case "mul" ->
          half.equals("lo")
              ? (x, y) -> x * y
              : signed ? Math::multiplyHigh : Math::unsignedMultiplyHigh;
      case "min" -> signed ? Math::min : (x, y) -> Long.compareUnsigned(x, y) < 0 ? x : y;
      case "max" -> signed ? Math::max : (x, y) -> Long.compareUnsigned(x, y) > 0 ? x : y;
      default -> throw i.refused("the interpreter does not know it for integers");
    };
  }

  private static Op divide(Instruction i, ScalarType type, int d, int a, int b) {
    boolean quotient = i.name().equals("div");
    Op[] self = new Op[1];
    Op op =
        LaneOps.each(
            i,
            (w, l) -> {
              long x = type.wide() ? w.wides[a + l] : extendLong(w.words[a + l], type);
              long y = type.wide() ? w.wides[b + l] : extendLong(w.words[b + l], type);
              if (y == 0) {
                throw w.fault(self[0], l, "a division by zero, whose result PTX does not define");
              }
              long result;
              if (type.signed()) {
                result = quotient ? x / y : x % y;
              } else {
                result = quotient ? Long.divideUnsigned(x, y) : Long.remainderUnsigned(x, y);
              }
              if (type.wide()) {
                w.wides[d + l] = result;
              } else {
                w.words[d + l] = type.bytes() == 2 ? (int) result & 0xffff : (int) result;
              }
            });
    self[0] = op;
    return op;
  }

  static Op unary(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    ScalarType type = words.type();
    words.end();
    int d = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    boolean negate = i.name().equals("neg");
    if (type.wide()) {
      return LaneOps.oneWide(i, d, a, negate ? x -> -x : Math::abs);
    }
    if (type.bytes() == 2) {
      return LaneOps.one(
          i, d, a, x -> (negate ? -extend(x, type) : Math.abs(extend(x, type))) & 0xffff);
    }
    return LaneOps.one(i, d, a, negate ? x -> -x : Math::abs);
  }

  static Op mad(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    String half = words.oneOf("lo", "hi", "wide");
    ScalarType type = words.type();
    words.end();
    if (half.equals("wide")) {
      return wideProduct(i, rows, type, true);
    }
    int d = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    int b = rows.row(i, i.operand(2), type);
    int c = rows.row(i, i.operand(3), type);
    boolean low = half.equals("lo");
    if (type.wide()) {
      return LaneOps.threeWide(
          i,
          d,
          a,
          b,
          c,
          low
              ? (x, y, z) -> x * y + z
              : type.signed()
                  ? (x, y, z) -> Math.multiplyHigh(x, y) + z
                  : (x, y, z) -> Math.unsignedMultiplyHigh(x, y) + z);
    }
    int mask = type.bytes() == 2 ? 0xffff : -1;
    return LaneOps.three(
        i,
        d,
        a,
        b,
        c,
        low
            ? (x, y, z) -> (x * y + z) & mask
            : (x, y, z) -> ((int) high(extend(x, type), extend(y, type), type) + z) & mask);
  }

  private static Op wideProduct(Instruction i, Assembler rows, ScalarType type, boolean adds) {
    int a = rows.word(i, i.operand(1), type);
    int b = rows.word(i, i.operand(2), type);
    if (type.bytes() == 2) {
      int d = rows.result(i, i.operand(0), ScalarType.B32);
      int c = adds ? rows.word(i, i.operand(3), ScalarType.B32) : rows.wordConstant(0);
      return LaneOps.three(i, d, a, b, c, (x, y, z) -> extend(x, type) * extend(y, type) + z);
    }
    if (type.bytes() != 4) {
      throw i.refused("a wide product of this type is not known to the interpreter");
    }
    int d = rows.result(i, i.operand(0), ScalarType.B64);
    int c = adds ? rows.wide(i, i.operand(3), ScalarType.B64) : rows.wideConstant(0);
    if (type.signed()) {
      return LaneOps.each(
          i, (w, l) -> w.wides[d + l] = (long) w.words[a + l] * w.words[b + l] + w.wides[c + l]);
    }
    return LaneOps.each(
        i,
        (w, l) ->
            w.wides[d + l] =
                (w.words[a + l] & 0xffffffffL) * (w.words[b + l] & 0xffffffffL) + w.wides[c + l]);
  }

  private static Op sad(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    ScalarType type = words.type();
    words.end();
    if (type.bytes() != 4) {
      throw i.refused("this type is not known to the interpreter");
    }
    int d = rows.result(i, i.operand(0), type);
    int a = rows.word(i, i.operand(1), type);
    int b = rows.word(i, i.operand(2), type);
    int c = rows.word(i, i.operand(3), type);
    return LaneOps.three(
        i, d, a, b, c, (x, y, z) -> z + (int) Math.abs(extendLong(x, type) - extendLong(y, type)));
  }

  private static Op dp4a(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    boolean first = words.type().signed();
    boolean second = words.type().signed();
    words.end();
    int d = rows.result(i, i.operand(0), ScalarType.B32);
    int a = rows.word(i, i.operand(1), ScalarType.B32);
    int b = rows.word(i, i.operand(2), ScalarType.B32);
    int c = rows.word(i, i.operand(3), ScalarType.B32);
    if (first && second) {
      return LaneOps.each(
          i,
          (w, l) -> {
            int x = w.words[a + l];
            int y = w.words[b + l];
            w.words[d + l] =
                w.words[c + l]
                    + (byte) x * (byte) y
                    + (byte) (x >> 8) * (byte) (y >> 8)
                    + (byte) (x >> 16) * (byte) (y >> 16)
                    + (x >> 24) * (y >> 24);
          });
    }
    return LaneOps.three(
        i,
        d,
        a,
        b,
        c,
        (x, y, z) -> {
          int sum = z;
          for (int shift = 0; shift < 32; shift += 8) {
            sum += byteOf(x, shift, first) * byteOf(y, shift, second);
          }
          return sum;
        });
  }

  private static Op dp2a(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    int shift = words.oneOf("lo", "hi").equals("lo") ? 0 : 16;
    boolean first = words.type().signed();
    boolean second = words.type().signed();
    words.end();
    int d = rows.result(i, i.operand(0), ScalarType.B32);
    int a = rows.word(i, i.operand(1), ScalarType.B32);
    int b = rows.word(i, i.operand(2), ScalarType.B32);
    int c = rows.word(i, i.operand(3), ScalarType.B32);
    ScalarType half = first ? ScalarType.S16 : ScalarType.U16;
    return LaneOps.three(
        i,
        d,
        a,
        b,
        c,
        (x, y, z) ->
            z
                + extend(x & 0xffff, half) * byteOf(y, shift, second)
                + extend(x >>> 16, half) * byteOf(y, shift + 8, second));
  }

  private static int byteOf(int word, int shift, boolean signed) {
    return signed ? (byte) (word >> shift) : (word >> shift) & 0xff;
  }

  private static long high(int x, int y, ScalarType type) {
    return (extendLong(x, type) * extendLong(y, type)) >> type.bits();
  }

  /// The value of a register's low bits as an int of `type`.
  static int extend(int value, ScalarType type) {
    return switch (type) {
      case S8 -> (byte) value;
      case U8, B8 -> value & 0xff;
      case S16 -> (short) value;
      case U16, B16 -> value & 0xffff;
      default -> value;
    };
  }

  /// The value of a register's low bits as a long of `type`.
  static long extendLong(int value, ScalarType type) {
    return type == ScalarType.U32 || type == ScalarType.B32
        ? value & 0xffffffffL
        : extend(value, type);
  }
}
