package io.rigmesh.worker.ptx;

import java.util.function.IntBinaryOperator;
import java.util.function.IntUnaryOperator;
import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;

/// Operations that do the same in every lane, on rows of 32-bit or 64-bit registers.
final class LaneOps {
  /// A function of three words.
  @FunctionalInterface
  interface IntTernaryOperator {
    int applyAsInt(int a, int b, int c);
  }

  /// A function of three 64-bit words.
  @FunctionalInterface
  interface LongTernaryOperator {
    long applyAsLong(long a, long b, long c);
  }

  /// What one lane does.
  @FunctionalInterface
  interface Lane {
    void run(Warp warp, int lane);
  }

  private LaneOps() {}

  static Op one(Instruction i, int d, int a, IntUnaryOperator f) {
    return each(i, (w, l) -> w.words[d + l] = f.applyAsInt(w.words[a + l]));
  }

  static Op two(Instruction i, int d, int a, int b, IntBinaryOperator f) {
    return each(i, (w, l) -> w.words[d + l] = f.applyAsInt(w.words[a + l], w.words[b + l]));
  }

  static Op three(Instruction i, int d, int a, int b, int c, IntTernaryOperator f) {
    return each(
        i, (w, l) -> w.words[d + l] = f.applyAsInt(w.words[a + l], w.words[b + l], w.words[c + l]));
  }

  static Op oneWide(Instruction i, int d, int a, LongUnaryOperator f) {
    return each(i, (w, l) -> w.wides[d + l] = f.applyAsLong(w.wides[a + l]));
  }

  static Op twoWide(Instruction i, int d, int a, int b, LongBinaryOperator f) {
    return each(i, (w, l) -> w.wides[d + l] = f.applyAsLong(w.wides[a + l], w.wides[b + l]));
  }

  static Op threeWide(Instruction i, int d, int a, int b, int c, LongTernaryOperator f) {
    return each(
        i,
        (w, l) -> w.wides[d + l] = f.applyAsLong(w.wides[a + l], w.wides[b + l], w.wides[c + l]));
  }

  /// An operation that runs `lane` for every thread in turn.
  static Op each(Instruction i, Lane lane) {
    return new Op(i) {
      @Override
      void run(Warp warp, int mask) {
        if (mask == -1) {
          for (int l = 0; l < Warp.LANES; l++) {
            lane.run(warp, l);
          }
        } else {
          for (int left = mask; left != 0; left &= left - 1) {
            lane.run(warp, Integer.numberOfTrailingZeros(left));
          }
        }
      }
    };
  }
}
