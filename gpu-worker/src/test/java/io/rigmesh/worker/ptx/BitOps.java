package io.rigmesh.worker.ptx;

import java.util.Map;
import java.util.function.IntBinaryOperator;
import java.util.function.LongBinaryOperator;

/// Operations on bits: logic, shifts, fields, bytes.
final class BitOps {
  private BitOps() {}

  static void addTo(Map<String, Compiler.Builder> builders) {
    builders.put("and", BitOps::logic);
    builders.put("or", BitOps::logic);
    builders.put("xor", BitOps::logic);
    builders.put("not", BitOps::not);
    builders.put("cnot", BitOps::not);
    builders.put("shl", BitOps::shift);
    builders.put("shr", BitOps::shift);
    builders.put("shf", BitOps::funnel);
    builders.put("popc", BitOps::count);
    builders.put("clz", BitOps::count);
    builders.put("brev", BitOps::reverse);
    builders.put("bfind", BitOps::find);
    builders.put("bfe", BitOps::extract);
    builders.put("bfi", BitOps::insert);
    builders.put("lop3", BitOps::lop3);
    builders.put("prmt", BitOps::permute);
  }

  private static Op logic(Instruction i, Assembler rows) {
    ScalarType type = onlyType(i);
    if (type == ScalarType.PRED) {
      return PredicateOps.logic(i, rows);
    }
    int d = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    int b = rows.row(i, i.operand(2), type);
    IntBinaryOperator word =
        switch (i.name()) {
          case "and" -> (x, y) -> x & y;
          case "or" -> (x, y) -> x | y;
          default -> (x, y) -> x ^ y;
        };
    LongBinaryOperator wide =
        switch (i.name()) {
          case "and" -> (x, y) -> x & y;
          case "or" -> (x, y) -> x | y;
          default -> (x, y) -> x ^ y;
        };
    return type.wide() ? LaneOps.twoWide(i, d, a, b, wide) : LaneOps.two(i, d, a, b, word);
  }

  private static Op not(Instruction i, Assembler rows) {
    ScalarType type = onlyType(i);
    boolean logical = i.name().equals("cnot");
    if (type == ScalarType.PRED) {
      return PredicateOps.not(i, rows);
    }
    int d = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    if (type.wide()) {
      return LaneOps.oneWide(i, d, a, logical ? x -> x == 0 ? 1 : 0 : x -> ~x);
    }
    int mask = type.bytes() == 2 ? 0xffff : -1;
    return LaneOps.one(i, d, a, logical ? x -> x == 0 ? 1 : 0 : x -> ~x & mask);
  }

  /// Shifts by more than the width give what shifting one by one would.
  private static Op shift(Instruction i, Assembler rows) {
    ScalarType type = onlyType(i);
    int d = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    int n = rows.word(i, i.operand(2), ScalarType.U32);
    boolean left = i.name().equals("shl");
    int bits = type.bits();
    if (type.wide()) {
      return LaneOps.each(
          i,
          (w, l) -> {
            long x = w.wides[a + l];
            int by = w.words[n + l];
            boolean over = Integer.compareUnsigned(by, 63) > 0;
            w.wides[d + l] =
                left
                    ? over ? 0 : x << by
                    : type.signed() ? x >> (over ? 63 : by) : over ? 0 : x >>> by;
          });
    }
    return LaneOps.each(
        i,
        (w, l) -> {
          int x = w.words[a + l];
          int by = w.words[n + l];
          boolean over = Integer.compareUnsigned(by, bits - 1) > 0;
          int result;
          if (left) {
            result = over ? 0 : x << by;
          } else if (type.signed()) {
            result = IntegerOps.extend(x, type) >> (over ? 31 : by);
          } else {
            result = over ? 0 : x >>> by;
          }
          w.words[d + l] = bits == 16 ? result & 0xffff : result;
        });
  }

  private static Op funnel(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    boolean left = words.oneOf("l", "r").equals("l");
    boolean wrap = words.oneOf("wrap", "clamp").equals("wrap");
    words.oneOf("b32");
    words.end();
    int d = rows.result(i, i.operand(0), ScalarType.B32);
    int a = rows.word(i, i.operand(1), ScalarType.B32);
    int b = rows.word(i, i.operand(2), ScalarType.B32);
    int c = rows.word(i, i.operand(3), ScalarType.B32);
    return LaneOps.three(
        i,
        d,
        a,
        b,
        c,
        (low, high, by) -> {
          int n = wrap ? by & 31 : Integer.compareUnsigned(by, 32) > 0 ? 32 : by;
          long both = (long) high << 32 | (low & 0xffffffffL);
          return left ? (int) (both << n >>> 32) : (int) (both >>> n);
        });
  }

  private static Op count(Instruction i, Assembler rows) {
    ScalarType type = onlyType(i);
    int d = rows.result(i, i.operand(0), ScalarType.U32);
    int a = rows.row(i, i.operand(1), type);
    boolean ones = i.name().equals("popc");
    if (type.wide()) {
      return LaneOps.each(
          i,
          (w, l) ->
              w.words[d + l] =
                  ones ? Long.bitCount(w.wides[a + l]) : Long.numberOfLeadingZeros(w.wides[a + l]));
    }
    return LaneOps.one(i, d, a, ones ? Integer::bitCount : Integer::numberOfLeadingZeros);
  }

  private static Op reverse(Instruction i, Assembler rows) {
    ScalarType type = onlyType(i);
    int d = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    return type.wide()
        ? LaneOps.oneWide(i, d, a, Long::reverse)
        : LaneOps.one(i, d, a, Integer::reverse);
  }

  private static Op find(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    boolean amount = words.take("shiftamt");
    ScalarType type = words.type();
    words.end();
    int d = rows.result(i, i.operand(0), ScalarType.U32);
    int a = rows.row(i, i.operand(1), type);
    int top = type.bits() - 1;
    return LaneOps.each(
        i,
        (w, l) -> {
          long x = type.wide() ? w.wides[a + l] : IntegerOps.extendLong(w.words[a + l], type);
          long found = type.signed() && x < 0 ? ~x : x;
          int at = found == 0 ? -1 : 63 - Long.numberOfLeadingZeros(found);
          w.words[d + l] = amount && at >= 0 ? top - at : at;
        });
  }

  private static Op extract(Instruction i, Assembler rows) {
    ScalarType type = onlyType(i);
    int d = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    int b = rows.word(i, i.operand(2), ScalarType.U32);
    int c = rows.word(i, i.operand(3), ScalarType.U32);
    int bits = type.bits();
    return LaneOps.each(
        i,
        (w, l) -> {
          long x = type.wide() ? w.wides[a + l] : IntegerOps.extendLong(w.words[a + l], type);
          int at = w.words[b + l] & 0xff;
          int length = w.words[c + l] & 0xff;
          long result = 0;
          if (length > 0) {
            long sign = type.signed() ? x >>> Math.min(at + length - 1, bits - 1) & 1 : 0;
            for (int bit = 0; bit < bits; bit++) {
              boolean inside = bit < length && at + bit < bits;
              result |= (inside ? x >>> (at + bit) & 1 : sign) << bit;
            }
          }
          if (type.wide()) {
            w.wides[d + l] = result;
          } else {
            w.words[d + l] = (int) result;
          }
        });
  }

  private static Op insert(Instruction i, Assembler rows) {
    ScalarType type = onlyType(i);
    int f = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    int b = rows.row(i, i.operand(2), type);
    int c = rows.word(i, i.operand(3), ScalarType.U32);
    int d = rows.word(i, i.operand(4), ScalarType.U32);
    int bits = type.bits();
    return LaneOps.each(
        i,
        (w, l) -> {
          int at = w.words[c + l] & 0xff;
          int length = Math.min(w.words[d + l] & 0xff, bits - at);
          long field = length <= 0 ? 0 : (length == 64 ? -1L : (1L << length) - 1) << at;
          if (type.wide()) {
            w.wides[f + l] = (w.wides[b + l] & ~field) | (w.wides[a + l] << at & field);
          } else {
            long merged =
                (w.words[b + l] & ~field) | ((w.words[a + l] & 0xffffffffL) << (at & 63) & field);
            w.words[f + l] = (int) merged;
          }
        });
  }

  private static Op lop3(Instruction i, Assembler rows) {
    onlyType(i);
    int d = rows.result(i, i.operand(0), ScalarType.B32);
    int a = rows.word(i, i.operand(1), ScalarType.B32);
    int b = rows.word(i, i.operand(2), ScalarType.B32);
    int c = rows.word(i, i.operand(3), ScalarType.B32);
    if (!(i.operand(4) instanceof Operand.Immediate(long table, ScalarType ignored))) {
      throw i.refused("the table is no number");
    }
    return LaneOps.three(
        i,
        d,
        a,
        b,
        c,
        (x, y, z) -> {
          int result = 0;
          for (int term = 0; term < 8; term++) {
            if ((table >> term & 1) != 0) {
              result |=
                  ((term & 4) != 0 ? x : ~x)
                      & ((term & 2) != 0 ? y : ~y)
                      & ((term & 1) != 0 ? z : ~z);
            }
          }
          return result;
        });
  }

  private static Op permute(Instruction i, Assembler rows) {
    onlyType(i);
    int d = rows.result(i, i.operand(0), ScalarType.B32);
    int a = rows.word(i, i.operand(1), ScalarType.B32);
    int b = rows.word(i, i.operand(2), ScalarType.B32);
    int c = rows.word(i, i.operand(3), ScalarType.B32);
    return LaneOps.three(
        i,
        d,
        a,
        b,
        c,
        (x, y, selector) -> {
          long bytes = (long) y << 32 | (x & 0xffffffffL);
          int result = 0;
          for (int place = 0; place < 4; place++) {
            int choice = selector >> (4 * place) & 15;
            int value = (int) (bytes >>> (8 * (choice & 7))) & 0xff;
            if ((choice & 8) != 0) {
              value = (value & 0x80) != 0 ? 0xff : 0;
            }
            result |= value << (8 * place);
          }
          return result;
        });
  }

  private static ScalarType onlyType(Instruction i) {
    Modifiers words = new Modifiers(i);
    ScalarType type = words.type();
    words.end();
    return type;
  }
}
