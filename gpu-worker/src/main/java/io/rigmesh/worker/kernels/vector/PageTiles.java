package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Lanes.FLOATS;
import static io.rigmesh.worker.kernels.vector.Lanes.WIDTH;
import static jdk.incubator.vector.FloatVector.fromArray;

import io.rigmesh.worker.kernels.KeyValuePages;
import jdk.incubator.vector.FloatVector;

/// The innermost loops of attention over one page: every lane of every accumulator is one chain of
/// its own.
final class PageTiles {
  private static final int PAGE = KeyValuePages.PAGE;

  private PageTiles() {}

  /// Scores, not yet scaled, of four query rows `stride` apart and the keys of a page `(d, PAGE)`;
  /// rows of p are `leading` apart.
  static void scores4(
      float[] q, int qp, int stride, float[] keys, int kp, int d, float[] p, int pp, int leading) {
    int q1 = qp + stride;
    int q2 = q1 + stride;
    int q3 = q2 + stride;
    for (int slot = 0; slot < PAGE; slot += 2 * WIDTH) {
      FloatVector s00 = FloatVector.zero(FLOATS);
      FloatVector s01 = FloatVector.zero(FLOATS);
      FloatVector s10 = FloatVector.zero(FLOATS);
      FloatVector s11 = FloatVector.zero(FLOATS);
      FloatVector s20 = FloatVector.zero(FLOATS);
      FloatVector s21 = FloatVector.zero(FLOATS);
      FloatVector s30 = FloatVector.zero(FLOATS);
      FloatVector s31 = FloatVector.zero(FLOATS);
      for (int c = 0; c < d; c++) {
        FloatVector k0 = fromArray(FLOATS, keys, kp + c * PAGE + slot);
        FloatVector k1 = fromArray(FLOATS, keys, kp + c * PAGE + slot + WIDTH);
        FloatVector x0 = FloatVector.broadcast(FLOATS, q[qp + c]);
        s00 = x0.fma(k0, s00);
        s01 = x0.fma(k1, s01);
        FloatVector x1 = FloatVector.broadcast(FLOATS, q[q1 + c]);
        s10 = x1.fma(k0, s10);
        s11 = x1.fma(k1, s11);
        FloatVector x2 = FloatVector.broadcast(FLOATS, q[q2 + c]);
        s20 = x2.fma(k0, s20);
        s21 = x2.fma(k1, s21);
        FloatVector x3 = FloatVector.broadcast(FLOATS, q[q3 + c]);
        s30 = x3.fma(k0, s30);
        s31 = x3.fma(k1, s31);
      }
      int to = pp + slot;
      s00.intoArray(p, to);
      s01.intoArray(p, to + WIDTH);
      s10.intoArray(p, to + leading);
      s11.intoArray(p, to + leading + WIDTH);
      s20.intoArray(p, to + 2 * leading);
      s21.intoArray(p, to + 2 * leading + WIDTH);
      s30.intoArray(p, to + 3 * leading);
      s31.intoArray(p, to + 3 * leading + WIDTH);
    }
  }

  /// As [#scores4] for one row.
  static void scores1(float[] q, int qp, float[] keys, int kp, int d, float[] p, int pp) {
    for (int slot = 0; slot < PAGE; slot += 2 * WIDTH) {
      FloatVector s0 = FloatVector.zero(FLOATS);
      FloatVector s1 = FloatVector.zero(FLOATS);
      for (int c = 0; c < d; c++) {
        FloatVector x = FloatVector.broadcast(FLOATS, q[qp + c]);
        s0 = x.fma(fromArray(FLOATS, keys, kp + c * PAGE + slot), s0);
        s1 = x.fma(fromArray(FLOATS, keys, kp + c * PAGE + slot + WIDTH), s1);
      }
      s0.intoArray(p, pp + slot);
      s1.intoArray(p, pp + slot + WIDTH);
    }
  }

  /// Continues the chains of four rows, `stride` apart in `sum`, by the weights and values of a
  /// page `(PAGE, d)`; rows of p are `leading` apart.
  static void weighted4(
      float[] p,
      int pp,
      int leading,
      float[] values,
      int vp,
      int d,
      float[] sum,
      int sp,
      int stride) {
    int p1 = pp + leading;
    int p2 = p1 + leading;
    int p3 = p2 + leading;
    int c = 0;
    for (; c + WIDTH <= d; c += WIDTH) {
      FloatVector s0 = fromArray(FLOATS, sum, sp + c);
      FloatVector s1 = fromArray(FLOATS, sum, sp + stride + c);
      FloatVector s2 = fromArray(FLOATS, sum, sp + 2 * stride + c);
      FloatVector s3 = fromArray(FLOATS, sum, sp + 3 * stride + c);
      for (int j = 0; j < PAGE; j++) {
        FloatVector v = fromArray(FLOATS, values, vp + j * d + c);
        s0 = v.fma(FloatVector.broadcast(FLOATS, p[pp + j]), s0);
        s1 = v.fma(FloatVector.broadcast(FLOATS, p[p1 + j]), s1);
        s2 = v.fma(FloatVector.broadcast(FLOATS, p[p2 + j]), s2);
        s3 = v.fma(FloatVector.broadcast(FLOATS, p[p3 + j]), s3);
      }
      s0.intoArray(sum, sp + c);
      s1.intoArray(sum, sp + stride + c);
      s2.intoArray(sum, sp + 2 * stride + c);
      s3.intoArray(sum, sp + 3 * stride + c);
    }
    for (int row = 0; row < 4; row++) {
      weightedTail(p, pp + row * leading, values, vp, c, d, sum, sp + row * stride);
    }
  }

  /// As [#weighted4] for one row.
  static void weighted1(float[] p, int pp, float[] values, int vp, int d, float[] sum, int sp) {
    int c = 0;
    for (; c + 2 * WIDTH <= d; c += 2 * WIDTH) {
      FloatVector s0 = fromArray(FLOATS, sum, sp + c);
      FloatVector s1 = fromArray(FLOATS, sum, sp + c + WIDTH);
      for (int j = 0; j < PAGE; j++) {
        FloatVector w = FloatVector.broadcast(FLOATS, p[pp + j]);
        s0 = w.fma(fromArray(FLOATS, values, vp + j * d + c), s0);
        s1 = w.fma(fromArray(FLOATS, values, vp + j * d + c + WIDTH), s1);
      }
      s0.intoArray(sum, sp + c);
      s1.intoArray(sum, sp + c + WIDTH);
    }
    weightedTail(p, pp, values, vp, c, d, sum, sp);
  }

  private static void weightedTail(
      float[] p, int pp, float[] values, int vp, int from, int d, float[] sum, int sp) {
    for (int c = from; c < d; c++) {
      float s = sum[sp + c];
      for (int j = 0; j < PAGE; j++) {
        s = Math.fma(p[pp + j], values[vp + j * d + c], s);
      }
      sum[sp + c] = s;
    }
  }
}
