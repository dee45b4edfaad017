package io.rigmesh.worker.ptx;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Map;

/// Conversions between all scalar types.
///
/// A value passes through one of two common forms: a long (with the sign of its type) or a double,
/// which holds every binary32, binary16 and bfloat16 value exactly.
final class ConvertOps {
  private ConvertOps() {}

  static void addTo(Map<String, Compiler.Builder> builders) {
    builders.put("cvt", ConvertOps::convert);
    builders.put("cvta", ConvertOps::address);
  }

  private static Op convert(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    if (words.take("pack")) {
      return pack(i, words, rows);
    }
    if (words.take("ftz") || words.take("approx")) {
      throw i.refused("subnormals are kept, and approximations differ from chip to chip");
    }
    String rounding = words.oneOfOr("", "rni", "rzi", "rmi", "rpi", "rn", "rz", "rm", "rp", "rna");
    boolean saturate = words.take("sat");
    ScalarType to = words.type();
    ScalarType from = words.type();
    words.end();
    if (to == ScalarType.BF16X2 || to == ScalarType.F16X2) {
      return pair(i, rows, to, from, rounding);
    }
    int d = rows.result(i, i.operand(0), to);
    boolean chopped =
        !to.floating()
            && !from.floating()
            && !from.wide()
            && i.operand(1) instanceof Operand.Register register
            && register.type().wide();
    if (chopped) {
      // A source wider than its type gives its low bits (PTX ISA, "Operand Size Exceeding").
      int wide = rows.wide(i, i.operand(1), ScalarType.B64);
      return LaneOps.each(
          i,
          (w, l) -> {
            long x = IntegerOps.extendLong((int) w.wides[wide + l], from);
            store(w, d + l, saturate ? saturate(x, from, to) : x, to, i);
          });
    }
    int a = rows.row(i, i.operand(1), from);
    if (!to.floating() && !from.floating()) {
      return integers(i, d, a, to, from, saturate);
    }
    if (saturate && to.floating()) {
      throw i.refused("saturating to [0, 1] is not known to the interpreter");
    }
    if (from == ScalarType.S32 && to == ScalarType.F32 && rounding.equals("rn")) {
      return LaneOps.one(i, d, a, x -> Float.floatToRawIntBits((float) x));
    }
    return LaneOps.each(
        i,
        (w, l) -> {
          long bits = from.wide() ? w.wides[a + l] : w.words[a + l];
          long result;
          if (!from.floating()) {
            result = fromInteger(i, bits, from, to, rounding);
          } else if (!to.floating()) {
            result = toInteger(i, value(bits, from), from, to, rounding);
          } else {
            result = between(i, value(bits, from), from, to, rounding);
          }
          store(w, d + l, result, to, i);
        });
  }

  private static Op integers(
      Instruction i, int d, int a, ScalarType to, ScalarType from, boolean saturate) {
    return LaneOps.each(
        i,
        (w, l) -> {
          long x = from.wide() ? w.wides[a + l] : IntegerOps.extendLong(w.words[a + l], from);
          store(w, d + l, saturate ? saturate(x, from, to) : x, to, i);
        });
  }

  private static long saturate(long x, ScalarType from, ScalarType to) {
    BigInteger value = BigInteger.valueOf(x);
    if (from == ScalarType.U64 && x < 0) {
      value = value.add(BigInteger.TWO.pow(64));
    }
    return clamp(value, to);
  }

  private static long clamp(BigInteger value, ScalarType to) {
    int bits = to.signed() ? to.bits() - 1 : to.bits();
    BigInteger top = BigInteger.TWO.pow(bits).subtract(BigInteger.ONE);
    BigInteger bottom = to.signed() ? BigInteger.TWO.pow(bits).negate() : BigInteger.ZERO;
    return value.min(top).max(bottom).longValue();
  }

  /// Stores an integer or the bits of a float; an integer narrower than its register is extended as
  /// its type says.
  private static void store(Warp w, int at, long value, ScalarType to, Instruction i) {
    if (to.wide()) {
      w.wides[at] = value;
      return;
    }
    if (to.bytes() == 4) {
      w.words[at] = (int) value;
      return;
    }
    boolean half =
        !(i.operand(0) instanceof Operand.Register register) || register.type().bytes() == 2;
    int extended = IntegerOps.extend((int) value, to);
    w.words[at] = half ? extended & 0xffff : extended;
  }

  private static double value(long bits, ScalarType from) {
    return switch (from) {
      case F32 -> Float.intBitsToFloat((int) bits);
      case F64 -> Double.longBitsToDouble(bits);
      case F16 -> Float.float16ToFloat((short) bits);
      case BF16 -> Float.intBitsToFloat((int) bits << 16);
      default -> throw new IllegalStateException(from + " is no floating-point type");
    };
  }

  private static long fromInteger(
      Instruction i, long bits, ScalarType from, ScalarType to, String rounding) {
    nearestOnly(i, rounding);
    long x = from.wide() ? bits : IntegerOps.extendLong((int) bits, from);
    BigDecimal exact =
        from == ScalarType.U64 && x < 0
            ? new BigDecimal(BigInteger.valueOf(x).add(BigInteger.TWO.pow(64)))
            : BigDecimal.valueOf(x);
    return switch (to) {
      case F32 -> Float.floatToRawIntBits(exact.floatValue());
      case F64 -> Double.doubleToRawLongBits(exact.doubleValue());
      default -> throw i.refused("this pair of types is not known to the interpreter");
    };
  }

  private static long toInteger(
      Instruction i, double x, ScalarType from, ScalarType to, String rounding) {
    if (Double.isNaN(x)) {
      return from != ScalarType.F64 && !to.wide() ? 0 : 1L << (to.bits() - 1);
    }
    double whole =
        switch (rounding) {
          case "rni" -> Math.rint(x);
          case "rzi" -> x < 0 ? Math.ceil(x) : Math.floor(x);
          case "rmi" -> Math.floor(x);
          case "rpi" -> Math.ceil(x);
          default -> throw i.refused("a rounding to an integer is expected");
        };
    if (Double.isInfinite(whole)) {
      whole = Math.copySign(0x1p100, whole);
    }
    return clamp(new BigDecimal(whole).toBigInteger(), to);
  }

  private static long between(
      Instruction i, double x, ScalarType from, ScalarType to, String rounding) {
    if (to == from) {
      double whole =
          switch (rounding) {
            case "rni" -> Math.rint(x);
            case "rzi" -> Math.copySign(Math.floor(Math.abs(x)), x);
            case "rmi" -> Math.floor(x);
            case "rpi" -> Math.ceil(x);
            default -> throw i.refused("a rounding to an integer is expected");
          };
      return bits(i, whole, to);
    }
    if (to.bytes() < from.bytes() || to == ScalarType.BF16 || to == ScalarType.F16) {
      nearestOnly(i, rounding);
    }
    return bits(i, x, to);
  }

  /// The bits of x rounded to the nearest value of a type.
  private static long bits(Instruction i, double x, ScalarType to) {
    return switch (to) {
      case F32 -> ArithmeticOps.bits((float) x);
      case F64 -> ArithmeticOps.bits(x);
      case F16 -> Double.isNaN(x) ? 0x7fff : Float.floatToFloat16(exact(i, x)) & 0xffff;
      case BF16 -> Double.isNaN(x) ? 0x7fff : bfloat(exact(i, x));
      default -> throw i.refused("this pair of types is not known to the interpreter");
    };
  }

  /// Only what is a binary32 value is rounded to 16 bits, so that it is rounded once.
  private static float exact(Instruction i, double x) {
    if ((float) x != x) {
      throw i.refused("binary64 is not converted to 16 bits by the interpreter");
    }
    return (float) x;
  }

  static int bfloat(float x) {
    int bits = Float.floatToRawIntBits(x);
    return (bits + 0x7fff + (bits >>> 16 & 1)) >>> 16;
  }

  private static Op pair(
      Instruction i, Assembler rows, ScalarType to, ScalarType from, String rounding) {
    nearestOnly(i, rounding);
    if (from != ScalarType.F32) {
      throw i.refused("this pair of types is not known to the interpreter");
    }
    ScalarType half = to == ScalarType.BF16X2 ? ScalarType.BF16 : ScalarType.F16;
    int d = rows.result(i, i.operand(0), ScalarType.B32);
    int a = rows.word(i, i.operand(1), from);
    int b = rows.word(i, i.operand(2), from);
    return LaneOps.two(
        i,
        d,
        a,
        b,
        (x, y) ->
            (int) bits(i, Float.intBitsToFloat(x), half) << 16
                | (int) bits(i, Float.intBitsToFloat(y), half));
  }

  /// `cvt.pack.sat.s8.s32.b32 d, a, b, c`: the saturated a and b below the low half of c moved up.
  private static Op pack(Instruction i, Modifiers words, Assembler rows) {
    words.oneOf("sat");
    ScalarType to = words.type();
    ScalarType from = words.type();
    boolean carries = words.take("b32");
    words.end();
    if (from != ScalarType.S32 || to.bytes() > 2 || (to.bytes() == 1) != carries) {
      throw i.refused("this pair of types is not known to the interpreter");
    }
    int d = rows.result(i, i.operand(0), ScalarType.B32);
    int a = rows.word(i, i.operand(1), from);
    int b = rows.word(i, i.operand(2), from);
    int c = carries ? rows.word(i, i.operand(3), ScalarType.B32) : rows.wordConstant(0);
    int bits = to.bits();
    int mask = (1 << bits) - 1;
    return LaneOps.three(
        i,
        d,
        a,
        b,
        c,
        (x, y, z) -> {
          int high = (int) saturate(x, from, to) & mask;
          int low = (int) saturate(y, from, to) & mask;
          return high << bits | low | (carries ? z << 16 : 0);
        });
  }

  private static Op address(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    boolean to = words.take("to");
    String space = words.oneOf("global", "shared", "local", "const", "param");
    ScalarType type = words.type();
    words.end();
    if (!type.wide()) {
      throw i.refused("addresses have 64 bits");
    }
    int d = rows.result(i, i.operand(0), type);
    int a = rows.wide(i, i.operand(1), type);
    long window =
        switch (space) {
          case "shared" -> Spaces.SHARED_WINDOW;
          case "local" -> Spaces.LOCAL_WINDOW;
          case "param" -> Spaces.PARAM_WINDOW;
          default -> 0;
        };
    return LaneOps.oneWide(i, d, a, to ? x -> x - window : x -> x + window);
  }

  private static void nearestOnly(Instruction i, String rounding) {
    if (!rounding.equals("rn")) {
      throw i.refused("only rounding to the nearest, .rn, is used where a value may be inexact");
    }
  }
}
