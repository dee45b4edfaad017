package io.rigmesh.worker.ptx;

import java.util.Map;

/// Binary32 and binary64 arithmetic. Only forms whose result IEEE-754 fixes are known: an addition
/// or multiplication without `.rn` may be contracted by the driver's compiler, and approximations
/// differ from chip to chip, so both are refused.
final class ArithmeticOps {
  /// What the hardware gives for every NaN.
  static final int NAN = 0x7fffffff;

  private ArithmeticOps() {}

  static void addTo(Map<String, Compiler.Builder> builders) {
    builders.put("add", (i, a) -> binary(i, a));
    builders.put("sub", (i, a) -> binary(i, a));
    builders.put("mul", (i, a) -> binary(i, a));
    builders.put("div", (i, a) -> binary(i, a));
    builders.put("min", (i, a) -> binary(i, a));
    builders.put("max", (i, a) -> binary(i, a));
    builders.put("fma", ArithmeticOps::fma);
    builders.put("mad", ArithmeticOps::mad);
    builders.put("neg", ArithmeticOps::sign);
    builders.put("abs", ArithmeticOps::sign);
    builders.put("sqrt", ArithmeticOps::root);
    builders.put("rcp", ArithmeticOps::root);
    builders.put("copysign", ArithmeticOps::copySign);
    builders.put("testp", ArithmeticOps::test);
  }

  /// Whether the instruction's type is a floating-point one.
  private static boolean floating(Instruction i) {
    return ScalarType.named(i.opcode().getLast()).map(ScalarType::floating).orElse(false);
  }

  private static Op binary(Instruction i, Assembler rows) {
    if (!floating(i)) {
      return IntegerOps.binary(i, rows);
    }
    Modifiers words = new Modifiers(i);
    boolean select = i.name().equals("min") || i.name().equals("max");
    boolean nan = select && words.take("NaN");
    if (!select) {
      nearest(i, words);
    }
    ScalarType type = words.type();
    words.end();
    int d = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    int b = rows.row(i, i.operand(2), type);
    if (type == ScalarType.F64 && !select) {
      return LaneOps.twoWide(i, d, a, b, (x, y) -> apply(i.name(), x, y));
    }
    if (type != ScalarType.F32) {
      throw i.refused("arithmetic of this type is not known to the interpreter");
    }
    return switch (i.name()) {
      case "add" ->
          LaneOps.each(
              i,
              (w, l) ->
                  w.words[d + l] =
                      bits(
                          Float.intBitsToFloat(w.words[a + l])
                              + Float.intBitsToFloat(w.words[b + l])));
      case "sub" ->
          LaneOps.each(
              i,
              (w, l) ->
                  w.words[d + l] =
                      bits(
                          Float.intBitsToFloat(w.words[a + l])
                              - Float.intBitsToFloat(w.words[b + l])));
      case "mul" ->
          LaneOps.each(
              i,
              (w, l) ->
                  w.words[d + l] =
                      bits(
                          Float.intBitsToFloat(w.words[a + l])
                              * Float.intBitsToFloat(w.words[b + l])));
      case "div" ->
          LaneOps.each(
              i,
              (w, l) ->
                  w.words[d + l] =
                      bits(
                          Float.intBitsToFloat(w.words[a + l])
                              / Float.intBitsToFloat(w.words[b + l])));
      case "min" -> LaneOps.two(i, d, a, b, (x, y) -> select(x, y, nan, false));
      default -> LaneOps.two(i, d, a, b, (x, y) -> select(x, y, nan, true));
    };
  }

  private static long apply(String name, long x, long y) {
    double a = Double.longBitsToDouble(x);
    double b = Double.longBitsToDouble(y);
    return bits(
        switch (name) {
          case "add" -> a + b;
          case "sub" -> a - b;
          case "mul" -> a * b;
          default -> a / b;
        });
  }

  /// PTX's minimum and maximum: of a NaN and a number the number (unless `.NaN` is asked for), and
  /// -0 below +0.
  private static int select(int x, int y, boolean nan, boolean larger) {
    float a = Float.intBitsToFloat(x);
    float b = Float.intBitsToFloat(y);
    if (Float.isNaN(a) || Float.isNaN(b)) {
      return nan || (Float.isNaN(a) && Float.isNaN(b)) ? NAN : Float.isNaN(a) ? y : x;
    }
    return Float.floatToRawIntBits(larger ? Math.max(a, b) : Math.min(a, b));
  }

  private static Op fma(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    nearest(i, words);
    ScalarType type = words.type();
    words.end();
    int d = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    int b = rows.row(i, i.operand(2), type);
    int c = rows.row(i, i.operand(3), type);
    return switch (type) {
      case F32 ->
          LaneOps.each(
              i,
              (w, l) ->
                  w.words[d + l] =
                      bits(
                          Math.fma(
                              Float.intBitsToFloat(w.words[a + l]),
                              Float.intBitsToFloat(w.words[b + l]),
                              Float.intBitsToFloat(w.words[c + l]))));
      case F64 ->
          LaneOps.threeWide(
              i,
              d,
              a,
              b,
              c,
              (x, y, z) ->
                  bits(
                      Math.fma(
                          Double.longBitsToDouble(x),
                          Double.longBitsToDouble(y),
                          Double.longBitsToDouble(z))));
      default -> throw i.refused("fma of this type is not known to the interpreter");
    };
  }

  private static Op mad(Instruction i, Assembler rows) {
    return floating(i) ? fma(i, rows) : IntegerOps.mad(i, rows);
  }

  private static Op sign(Instruction i, Assembler rows) {
    if (!floating(i)) {
      return IntegerOps.unary(i, rows);
    }
    Modifiers words = new Modifiers(i);
    ScalarType type = words.type();
    words.end();
    int d = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    boolean negate = i.name().equals("neg");
    return switch (type) {
      case F32 ->
          LaneOps.one(i, d, a, negate ? x -> x ^ Integer.MIN_VALUE : x -> x & Integer.MAX_VALUE);
      case F64 ->
          LaneOps.oneWide(i, d, a, negate ? x -> x ^ Long.MIN_VALUE : x -> x & Long.MAX_VALUE);
      default -> throw i.refused("the sign of this type is not known to the interpreter");
    };
  }

  private static Op root(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    nearest(i, words);
    ScalarType type = words.type();
    words.end();
    int d = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    boolean root = i.name().equals("sqrt");
    return switch (type) {
      case F32 ->
          LaneOps.one(
              i,
              d,
              a,
              x -> {
                float value = Float.intBitsToFloat(x);
                return bits(root ? (float) Math.sqrt(value) : 1f / value);
              });
      case F64 ->
          LaneOps.oneWide(
              i,
              d,
              a,
              x -> {
                double value = Double.longBitsToDouble(x);
                return bits(root ? Math.sqrt(value) : 1 / value);
              });
      default -> throw i.refused("this type is not known to the interpreter");
    };
  }

  private static Op copySign(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    ScalarType type = words.type();
    words.end();
    if (type != ScalarType.F32) {
      throw i.refused("this type is not known to the interpreter");
    }
    int d = rows.result(i, i.operand(0), type);
    int a = rows.word(i, i.operand(1), type);
    int b = rows.word(i, i.operand(2), type);
    return LaneOps.two(i, d, a, b, (x, y) -> (x & Integer.MIN_VALUE) | (y & Integer.MAX_VALUE));
  }

  private static Op test(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    String property = words.oneOf("finite", "infinite", "number", "notanumber");
    ScalarType type = words.type();
    words.end();
    if (type != ScalarType.F32) {
      throw i.refused("this type is not known to the interpreter");
    }
    int d = rows.predicate(i, i.operand(0));
    int a = rows.word(i, i.operand(1), type);
    return LaneOps.each(
        i,
        (w, l) -> {
          float x = Float.intBitsToFloat(w.words[a + l]);
          boolean holds =
              switch (property) {
                case "finite" -> Float.isFinite(x);
                case "infinite" -> Float.isInfinite(x);
                case "number" -> !Float.isNaN(x);
                default -> Float.isNaN(x);
              };
          PredicateOps.set(w, d, l, holds);
        });
  }

  /// Only rounding to the nearest, written out, is exact everywhere.
  private static void nearest(Instruction i, Modifiers words) {
    if (words.take("approx") || words.take("full")) {
      throw i.refused("an approximation differs from chip to chip");
    }
    if (words.take("ftz")) {
      throw i.refused("subnormals are kept, not flushed");
    }
    if (!words.take("rn")) {
      throw i.refused("without .rn the driver may contract or round it otherwise");
    }
  }

  static int bits(float value) {
    return Float.isNaN(value) ? NAN : Float.floatToRawIntBits(value);
  }

  static long bits(double value) {
    return Double.isNaN(value) ? 0x7fffffffffffffffL : Double.doubleToRawLongBits(value);
  }
}
