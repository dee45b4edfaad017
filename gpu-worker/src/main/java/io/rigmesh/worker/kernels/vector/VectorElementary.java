package io.rigmesh.worker.kernels.vector;

import io.rigmesh.worker.kernels.Elementary;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// The elementary functions of [Elementary], the same roundings in every lane.
final class VectorElementary {
  private static final int ROUNDER_BITS = Float.floatToRawIntBits(Elementary.ROUNDER);
  private static final int SIGN = 0x80000000;

  private VectorElementary() {}

  /// [Elementary#exp].
  static FloatVector exp(FloatVector x) {
    FloatVector low = constant(Elementary.EXP_MIN);
    FloatVector c = x.blend(low, x.compare(VectorOperators.LT, low));
    FloatVector high = constant(Elementary.EXP_MAX);
    return expClamped(c.blend(high, c.compare(VectorOperators.GT, high)));
  }

  /// [Elementary#exp] for inputs of at most 0, which need no upper clamp.
  static FloatVector expNonPositive(FloatVector x) {
    FloatVector low = constant(Elementary.EXP_MIN);
    return expClamped(x.blend(low, x.compare(VectorOperators.LT, low)));
  }

  private static FloatVector expClamped(FloatVector c) {
    FloatVector rounder = constant(Elementary.ROUNDER);
    FloatVector t = c.fma(constant(Elementary.LOG2_E), rounder);
    FloatVector n = t.sub(rounder);
    FloatVector r = n.fma(constant(-Elementary.LN2_HIGH), c);
    r = n.fma(constant(-Elementary.LN2_LOW), r);
    FloatVector q = constant(Elementary.EXP_4).fma(r, constant(Elementary.EXP_3));
    q = q.fma(r, constant(Elementary.EXP_2));
    q = q.fma(r, constant(Elementary.EXP_1));
    q = q.fma(r, constant(Elementary.EXP_0));
    FloatVector y = q.fma(r.mul(r), r).add(constant(1f));
    IntVector exponent = t.reinterpretAsInts().sub(ROUNDER_BITS);
    IntVector half = exponent.lanewise(VectorOperators.ASHR, 1);
    return y.mul(powerOfTwo(half)).mul(powerOfTwo(exponent.sub(half)));
  }

  /// [Elementary#tanh].
  static FloatVector tanh(FloatVector x) {
    FloatVector a = x.abs();
    FloatVector s = x.mul(x);
    FloatVector q = constant(Elementary.TANH_5).fma(s, constant(Elementary.TANH_4));
    q = q.fma(s, constant(Elementary.TANH_3));
    q = q.fma(s, constant(Elementary.TANH_2));
    q = q.fma(s, constant(Elementary.TANH_1));
    q = q.fma(s, constant(Elementary.TANH_0));
    FloatVector small = q.mul(s).fma(x, x);
    FloatVector limit = constant(16f);
    FloatVector c = a.blend(limit, a.compare(VectorOperators.GT, limit));
    FloatVector one = constant(1f);
    FloatVector y = one.sub(constant(2f).div(exp(c.add(c)).add(one)));
    return withSign(y, x).blend(small, a.compare(VectorOperators.LT, Elementary.TANH_SMALL));
  }

  /// [Elementary#erf].
  static FloatVector erf(FloatVector x) {
    FloatVector a = x.abs();
    FloatVector s = x.mul(x);
    FloatVector q = constant(Elementary.ERF_6).fma(s, constant(Elementary.ERF_5));
    q = q.fma(s, constant(Elementary.ERF_4));
    q = q.fma(s, constant(Elementary.ERF_3));
    q = q.fma(s, constant(Elementary.ERF_2));
    q = q.fma(s, constant(Elementary.ERF_1));
    q = q.fma(s, constant(Elementary.ERF_0));
    FloatVector small = q.fma(x, x);
    FloatVector limit = constant(Elementary.ERF_MAX);
    FloatVector t = a.blend(limit, a.compare(VectorOperators.GT, limit));
    FloatVector p = constant(Elementary.ERFC_6).fma(t, constant(Elementary.ERFC_5));
    p = p.fma(t, constant(Elementary.ERFC_4));
    p = p.fma(t, constant(Elementary.ERFC_3));
    p = p.fma(t, constant(Elementary.ERFC_2));
    p = p.fma(t, constant(Elementary.ERFC_1));
    p = p.fma(t, constant(Elementary.ERFC_0));
    FloatVector y = constant(1f).sub(expNonPositive(p.neg().fma(t, t.neg())));
    return withSign(y, x).blend(small, a.compare(VectorOperators.LT, Elementary.ERF_SMALL));
  }

  /// [Elementary#sigmoid].
  static FloatVector sigmoid(FloatVector x) {
    FloatVector e = expNonPositive(x.abs().neg());
    FloatVector one = constant(1f);
    VectorMask<Float> negative = x.compare(VectorOperators.LT, 0f);
    return one.blend(e, negative).div(one.add(e));
  }

  /// [Elementary#gelu].
  static FloatVector gelu(FloatVector x) {
    FloatVector e = erf(x.mul(constant(Elementary.ROOT_HALF)));
    return x.mul(constant(0.5f)).mul(e.add(constant(1f)));
  }

  /// y, which is not negative, with the sign of x; only where x is not a zero does anyone look.
  private static FloatVector withSign(FloatVector y, FloatVector x) {
    IntVector sign = x.reinterpretAsInts().and(SIGN);
    return y.reinterpretAsInts().or(sign).reinterpretAsFloats();
  }

  private static FloatVector powerOfTwo(IntVector exponent) {
    return exponent.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
  }

  private static FloatVector constant(float value) {
    return FloatVector.broadcast(Lanes.FLOATS, value);
  }
}
