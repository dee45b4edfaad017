package io.rigmesh.worker.ptx;

import java.util.Map;

/// Comparisons, selections, and logic on predicates.
final class PredicateOps {
  /// Whether a comparison of two lanes holds.
  @FunctionalInterface
  private interface Comparison {
    boolean holds(Warp warp, int a, int b);
  }

  private PredicateOps() {}

  static void addTo(Map<String, Compiler.Builder> builders) {
    builders.put("setp", PredicateOps::compare);
    builders.put("selp", PredicateOps::select);
  }

  /// Sets lane `lane` of a predicate.
  static void set(Warp warp, int predicate, int lane, boolean value) {
    if (value) {
      warp.predicates[predicate] |= 1 << lane;
    } else {
      warp.predicates[predicate] &= ~(1 << lane);
    }
  }

  private static Op compare(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    if (words.take("ftz")) {
      throw i.refused("subnormals are kept, not flushed");
    }
    String relation =
        words.oneOf(
            "eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi", "hs", "equ", "neu", "ltu", "leu",
            "gtu", "geu", "num", "nan");
    String combine = words.oneOfOr("", "and", "or", "xor");
    ScalarType type = words.type();
    words.end();
    int p;
    int q = -1;
    if (i.operand(0) instanceof Operand.Pair(Operand first, Operand second)) {
      p = rows.predicate(i, first);
      q = rows.predicate(i, second);
    } else {
      p = rows.predicate(i, i.operand(0));
    }
    int a = rows.row(i, i.operand(1), type);
    int b = rows.row(i, i.operand(2), type);
    int third = -1;
    int flip = 0;
    if (!combine.isEmpty()) {
      if (i.operand(3) instanceof Operand.Not(Operand inner)) {
        third = rows.predicate(i, inner);
        flip = -1;
      } else {
        third = rows.predicate(i, i.operand(3));
      }
    }
    return new Compare(i, comparison(i, relation, type), a, b, p, q, combine, third, flip);
  }

  /// Compares, combines with a third predicate, and gives the result and its opposite.
  private static final class Compare extends Op {
    private final Comparison comparison;
    private final int a;
    private final int b;
    private final int p;
    private final int q;
    private final String combine;
    private final int third;
    private final int flip;

    Compare(
        Instruction source,
        Comparison comparison,
        int a,
        int b,
        int p,
        int q,
        String combine,
        int third,
        int flip) {
      super(source);
      this.comparison = comparison;
      this.a = a;
      this.b = b;
      this.p = p;
      this.q = q;
      this.combine = combine;
      this.third = third;
      this.flip = flip;
    }

    @Override
    void run(Warp warp, int mask) {
      int bits = 0;
      for (int left = mask; left != 0; left &= left - 1) {
        int lane = Integer.numberOfTrailingZeros(left);
        if (comparison.holds(warp, a + lane, b + lane)) {
          bits |= 1 << lane;
        }
      }
      int opposite = ~bits;
      if (third >= 0) {
        int other = warp.predicates[third] ^ flip;
        switch (combine) {
          case "and" -> {
            bits &= other;
            opposite &= other;
          }
          case "or" -> {
            bits |= other;
            opposite |= other;
          }
          default -> {
            bits ^= other;
            opposite ^= other;
          }
        }
      }
      warp.predicates[p] = (warp.predicates[p] & ~mask) | (bits & mask);
      if (q >= 0) {
        warp.predicates[q] = (warp.predicates[q] & ~mask) | (opposite & mask);
      }
    }
  }

  private static Comparison comparison(Instruction i, String relation, ScalarType type) {
    return switch (type) {
      case F32 -> {
        FloatRelation holds = floating(relation);
        yield (w, a, b) ->
            holds.holds(Float.intBitsToFloat(w.words[a]), Float.intBitsToFloat(w.words[b]));
      }
      case F64 -> {
        FloatRelation holds = floating(relation);
        yield (w, a, b) ->
            holds.holds(Double.longBitsToDouble(w.wides[a]), Double.longBitsToDouble(w.wides[b]));
      }
      case U64, S64, B64 -> {
        boolean signed = type.signed();
        yield (w, a, b) ->
            ordered(
                relation,
                signed
                    ? Long.compare(w.wides[a], w.wides[b])
                    : Long.compareUnsigned(w.wides[a], w.wides[b]));
      }
      case S32 ->
          switch (relation) {
            case "lt" -> (w, a, b) -> w.words[a] < w.words[b];
            case "le" -> (w, a, b) -> w.words[a] <= w.words[b];
            case "gt" -> (w, a, b) -> w.words[a] > w.words[b];
            case "ge" -> (w, a, b) -> w.words[a] >= w.words[b];
            case "eq" -> (w, a, b) -> w.words[a] == w.words[b];
            case "ne" -> (w, a, b) -> w.words[a] != w.words[b];
            default -> throw i.refused("a signed comparison is not " + relation);
          };
      case U32, B32, U16, S16, B16 -> {
        ordered(relation, 0);
        yield (w, a, b) ->
            ordered(
                relation,
                Long.compare(
                    IntegerOps.extendLong(w.words[a], type),
                    IntegerOps.extendLong(w.words[b], type)));
      }
      default -> throw i.refused("comparing this type is not known to the interpreter");
    };
  }

  private static boolean ordered(String relation, int order) {
    return switch (relation) {
      case "eq" -> order == 0;
      case "ne" -> order != 0;
      case "lt", "lo" -> order < 0;
      case "le", "ls" -> order <= 0;
      case "gt", "hi" -> order > 0;
      case "ge", "hs" -> order >= 0;
      default -> throw new PtxException("Integers are not compared by " + relation);
    };
  }

  /// Whether a comparison of two floats holds; binary32 values are exact as doubles.
  @FunctionalInterface
  private interface FloatRelation {
    boolean holds(double a, double b);
  }

  private static FloatRelation floating(String relation) {
    return switch (relation) {
      case "eq" -> (a, b) -> a == b;
      case "ne" -> (a, b) -> a < b || a > b;
      case "lt" -> (a, b) -> a < b;
      case "le" -> (a, b) -> a <= b;
      case "gt" -> (a, b) -> a > b;
      case "ge" -> (a, b) -> a >= b;
      case "equ" -> (a, b) -> !(a < b || a > b);
      case "neu" -> (a, b) -> a != b;
      case "ltu" -> (a, b) -> !(a >= b);
      case "leu" -> (a, b) -> !(a > b);
      case "gtu" -> (a, b) -> !(a <= b);
      case "geu" -> (a, b) -> !(a < b);
      case "num" -> (a, b) -> !Double.isNaN(a) && !Double.isNaN(b);
      case "nan" -> (a, b) -> Double.isNaN(a) || Double.isNaN(b);
      default -> throw new PtxException("Floats are not compared by " + relation);
    };
  }

  private static Op select(Instruction i, Assembler rows) {
    Modifiers words = new Modifiers(i);
    ScalarType type = words.type();
    words.end();
    int d = rows.result(i, i.operand(0), type);
    int a = rows.row(i, i.operand(1), type);
    int b = rows.row(i, i.operand(2), type);
    int p = rows.predicate(i, i.operand(3));
    if (type.wide()) {
      return LaneOps.each(
          i, (w, l) -> w.wides[d + l] = w.wides[((w.predicates[p] >> l & 1) != 0 ? a : b) + l]);
    }
    return LaneOps.each(
        i, (w, l) -> w.words[d + l] = w.words[((w.predicates[p] >> l & 1) != 0 ? a : b) + l]);
  }

  static Op logic(Instruction i, Assembler rows) {
    int d = rows.predicate(i, i.operand(0));
    int a = rows.predicate(i, i.operand(1));
    int b = rows.predicate(i, i.operand(2));
    return new Op(i) {
      @Override
      void run(Warp warp, int mask) {
        int x = warp.predicates[a];
        int y = warp.predicates[b];
        int result =
            switch (i.name()) {
              case "and" -> x & y;
              case "or" -> x | y;
              default -> x ^ y;
            };
        warp.predicates[d] = (warp.predicates[d] & ~mask) | (result & mask);
      }
    };
  }

  static Op not(Instruction i, Assembler rows) {
    int d = rows.predicate(i, i.operand(0));
    int a = rows.predicate(i, i.operand(1));
    return new Op(i) {
      @Override
      void run(Warp warp, int mask) {
        warp.predicates[d] = (warp.predicates[d] & ~mask) | (~warp.predicates[a] & mask);
      }
    };
  }
}
