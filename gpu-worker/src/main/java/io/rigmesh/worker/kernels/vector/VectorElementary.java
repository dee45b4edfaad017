package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Lanes.FLOATS;
import static io.rigmesh.worker.kernels.vector.Lanes.WIDTH;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;

import io.rigmesh.worker.kernels.Elementary;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// The elementary functions of [Elementary], the same roundings in every lane, over `count`
/// elements of arrays.
///
/// What needs exp does so in passes: one prepares exp's argument in scratch, one takes exp, one
/// makes the result. No method of this package takes or returns a vector: a method that the
/// compiler chooses not to inline would then put every vector on the heap. The last elements, fewer
/// than a vector, take the scalar function.
final class VectorElementary {
  private static final int ROUNDER_BITS = Float.floatToRawIntBits(Elementary.ROUNDER);
  private static final int SIGN = 0x80000000;

  private VectorElementary() {}

  /// y = exp(x - shift), [Elementary#exp] of differences of at most 88, which need no upper clamp;
  /// y may be x.
  static void exp(float[] x, int xAt, float shift, float[] y, int yAt, int count) {
    int full = FLOATS.loopBound(count);
    FloatVector rounder = broadcast(FLOATS, Elementary.ROUNDER);
    FloatVector low = broadcast(FLOATS, Elementary.EXP_MIN);
    for (int i = 0; i < full; i += WIDTH) {
      FloatVector c = fromArray(FLOATS, x, xAt + i).sub(shift);
      c = c.blend(low, c.compare(VectorOperators.LT, low));
      FloatVector t = c.fma(broadcast(FLOATS, Elementary.LOG2_E), rounder);
      FloatVector n = t.sub(rounder);
      FloatVector r = n.fma(broadcast(FLOATS, -Elementary.LN2_HIGH), c);
      r = n.fma(broadcast(FLOATS, -Elementary.LN2_LOW), r);
      FloatVector q =
          broadcast(FLOATS, Elementary.EXP_4).fma(r, broadcast(FLOATS, Elementary.EXP_3));
      q = q.fma(r, broadcast(FLOATS, Elementary.EXP_2));
      q = q.fma(r, broadcast(FLOATS, Elementary.EXP_1));
      q = q.fma(r, broadcast(FLOATS, Elementary.EXP_0));
      FloatVector e = q.fma(r.mul(r), r).add(1f);
      IntVector exponent = t.reinterpretAsInts().sub(ROUNDER_BITS);
      IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
      IntVector rest = exponent.sub(half);
      FloatVector power = half.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
      FloatVector other = rest.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
      e.mul(power).mul(other).intoArray(y, yAt + i);
    }
    for (int i = full; i < count; i++) {
      y[yAt + i] = Elementary.exp(x[xAt + i] - shift);
    }
  }

  /// [Elementary#tanh]; `scratch` holds `count` floats, y may be x.
  static void tanh(float[] x, int xAt, float[] y, int yAt, int count, float[] scratch) {
    int full = FLOATS.loopBound(count);
    FloatVector limit = broadcast(FLOATS, 16f);
    for (int i = 0; i < full; i += WIDTH) {
      FloatVector a = fromArray(FLOATS, x, xAt + i).abs();
      FloatVector c = a.blend(limit, a.compare(VectorOperators.GT, limit));
      c.add(c).intoArray(scratch, i);
    }
    exp(scratch, 0, 0f, scratch, 0, full);
    for (int i = 0; i < full; i += WIDTH) {
      FloatVector v = fromArray(FLOATS, x, xAt + i);
      FloatVector s = v.mul(v);
      FloatVector q =
          broadcast(FLOATS, Elementary.TANH_5).fma(s, broadcast(FLOATS, Elementary.TANH_4));
      q = q.fma(s, broadcast(FLOATS, Elementary.TANH_3));
      q = q.fma(s, broadcast(FLOATS, Elementary.TANH_2));
      q = q.fma(s, broadcast(FLOATS, Elementary.TANH_1));
      q = q.fma(s, broadcast(FLOATS, Elementary.TANH_0));
      FloatVector small = q.mul(s).fma(v, v);
      FloatVector one = broadcast(FLOATS, 1f);
      FloatVector large =
          one.sub(broadcast(FLOATS, 2f).div(fromArray(FLOATS, scratch, i).add(one)));
      FloatVector signed =
          large.reinterpretAsInts().or(v.reinterpretAsInts().and(SIGN)).reinterpretAsFloats();
      signed
          .blend(small, v.abs().compare(VectorOperators.LT, Elementary.TANH_SMALL))
          .intoArray(y, yAt + i);
    }
    for (int i = full; i < count; i++) {
      y[yAt + i] = Elementary.tanh(x[xAt + i]);
    }
  }

  /// [Elementary#gelu], with [Elementary#erf] inside; `scratch` holds `count` floats, y may be x.
  static void gelu(float[] x, int xAt, float[] y, int yAt, int count, float[] scratch) {
    int full = FLOATS.loopBound(count);
    FloatVector rootHalf = broadcast(FLOATS, Elementary.ROOT_HALF);
    FloatVector limit = broadcast(FLOATS, Elementary.ERF_MAX);
    for (int i = 0; i < full; i += WIDTH) {
      FloatVector a = fromArray(FLOATS, x, xAt + i).mul(rootHalf).abs();
      FloatVector t = a.blend(limit, a.compare(VectorOperators.GT, limit));
      FloatVector p =
          broadcast(FLOATS, Elementary.ERFC_6).fma(t, broadcast(FLOATS, Elementary.ERFC_5));
      p = p.fma(t, broadcast(FLOATS, Elementary.ERFC_4));
      p = p.fma(t, broadcast(FLOATS, Elementary.ERFC_3));
      p = p.fma(t, broadcast(FLOATS, Elementary.ERFC_2));
      p = p.fma(t, broadcast(FLOATS, Elementary.ERFC_1));
      p = p.fma(t, broadcast(FLOATS, Elementary.ERFC_0));
      p.neg().fma(t, t.neg()).intoArray(scratch, i);
    }
    exp(scratch, 0, 0f, scratch, 0, full);
    for (int i = 0; i < full; i += WIDTH) {
      FloatVector v = fromArray(FLOATS, x, xAt + i);
      FloatVector z = v.mul(rootHalf);
      FloatVector s = z.mul(z);
      FloatVector q =
          broadcast(FLOATS, Elementary.ERF_6).fma(s, broadcast(FLOATS, Elementary.ERF_5));
      q = q.fma(s, broadcast(FLOATS, Elementary.ERF_4));
      q = q.fma(s, broadcast(FLOATS, Elementary.ERF_3));
      q = q.fma(s, broadcast(FLOATS, Elementary.ERF_2));
      q = q.fma(s, broadcast(FLOATS, Elementary.ERF_1));
      q = q.fma(s, broadcast(FLOATS, Elementary.ERF_0));
      FloatVector small = q.fma(z, z);
      FloatVector one = broadcast(FLOATS, 1f);
      FloatVector large = one.sub(fromArray(FLOATS, scratch, i));
      FloatVector signed =
          large.reinterpretAsInts().or(z.reinterpretAsInts().and(SIGN)).reinterpretAsFloats();
      FloatVector erf =
          signed.blend(small, z.abs().compare(VectorOperators.LT, Elementary.ERF_SMALL));
      v.mul(0.5f).mul(erf.add(one)).intoArray(y, yAt + i);
    }
    for (int i = full; i < count; i++) {
      y[yAt + i] = Elementary.gelu(x[xAt + i]);
    }
  }

  /// [Elementary#sigmoid]; y must not be x.
  static void sigmoid(float[] x, int xAt, float[] y, int yAt, int count) {
    int full = FLOATS.loopBound(count);
    for (int i = 0; i < full; i += WIDTH) {
      fromArray(FLOATS, x, xAt + i).abs().neg().intoArray(y, yAt + i);
    }
    exp(y, yAt, 0f, y, yAt, full);
    for (int i = 0; i < full; i += WIDTH) {
      VectorMask<Float> negative = fromArray(FLOATS, x, xAt + i).compare(VectorOperators.LT, 0f);
      FloatVector e = fromArray(FLOATS, y, yAt + i);
      FloatVector one = broadcast(FLOATS, 1f);
      one.blend(e, negative).div(one.add(e)).intoArray(y, yAt + i);
    }
    for (int i = full; i < count; i++) {
      y[yAt + i] = Elementary.sigmoid(x[xAt + i]);
    }
  }
}
