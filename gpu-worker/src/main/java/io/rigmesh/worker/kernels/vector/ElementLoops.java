package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Lanes.FLOATS;
import static io.rigmesh.worker.kernels.vector.Lanes.WIDTH;
import static jdk.incubator.vector.FloatVector.fromArray;

import io.rigmesh.worker.kernels.AdamW;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// The operations that work element by element, over `count` elements from the given offsets. The
/// last elements, fewer than a vector, go through the same lines under a mask.
final class ElementLoops {
  private ElementLoops() {}

  static void add(float[] a, int aAt, float[] b, int bAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      fromArray(FLOATS, a, aAt + i).add(fromArray(FLOATS, b, bAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      VectorMask<Float> mask = FLOATS.indexInRange(i, count);
      fromArray(FLOATS, a, aAt + i, mask)
          .add(fromArray(FLOATS, b, bAt + i, mask))
          .intoArray(y, yAt + i, mask);
    }
  }

  static void scale(float[] x, int xAt, float factor, float[] y, int yAt, int count) {
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      fromArray(FLOATS, x, xAt + i).mul(factor).intoArray(y, yAt + i);
    }
    if (i < count) {
      VectorMask<Float> mask = FLOATS.indexInRange(i, count);
      fromArray(FLOATS, x, xAt + i, mask).mul(factor).intoArray(y, yAt + i, mask);
    }
  }

  /// y = (x + 0) / divisor: the sum gives -0 and +0 one result.
  static void divide(float[] x, int xAt, float divisor, float[] y, int yAt, int count) {
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      fromArray(FLOATS, x, xAt + i).add(0f).div(divisor).intoArray(y, yAt + i);
    }
    if (i < count) {
      VectorMask<Float> mask = FLOATS.indexInRange(i, count);
      fromArray(FLOATS, x, xAt + i, mask).add(0f).div(divisor).intoArray(y, yAt + i, mask);
    }
  }

  /// y = (gate * sigmoid(gate)) * up; `scratch` holds `count` floats, y may be gate or up.
  static void swiglu(
      float[] gate, int gAt, float[] up, int uAt, float[] y, int yAt, int count, float[] scratch) {
    VectorElementary.sigmoid(gate, gAt, scratch, 0, count);
    int full = FLOATS.loopBound(count);
    for (int i = 0; i < full; i += WIDTH) {
      FloatVector s = fromArray(FLOATS, scratch, i);
      fromArray(FLOATS, gate, gAt + i)
          .mul(s)
          .mul(fromArray(FLOATS, up, uAt + i))
          .intoArray(y, yAt + i);
    }
    for (int i = full; i < count; i++) {
      y[yAt + i] = (gate[gAt + i] * scratch[i]) * up[uAt + i];
    }
  }

  static void swigluBackward(
      float[] gate,
      int gAt,
      float[] up,
      int uAt,
      float[] dy,
      int dAt,
      float[] dGate,
      int dgAt,
      float[] dUp,
      int duAt,
      int count,
      float[] scratch) {
    VectorElementary.sigmoid(gate, gAt, scratch, 0, count);
    int full = FLOATS.loopBound(count);
    for (int i = 0; i < full; i += WIDTH) {
      FloatVector g = fromArray(FLOATS, gate, gAt + i);
      FloatVector u = fromArray(FLOATS, up, uAt + i);
      FloatVector d = fromArray(FLOATS, dy, dAt + i);
      FloatVector s = fromArray(FLOATS, scratch, i);
      FloatVector one = FloatVector.broadcast(FLOATS, 1f);
      FloatVector slope = s.mul(g.fma(one.sub(s), one));
      d.mul(g.mul(s)).intoArray(dUp, duAt + i);
      d.mul(u).mul(slope).intoArray(dGate, dgAt + i);
    }
    for (int i = full; i < count; i++) {
      float g = gate[gAt + i];
      float u = up[uAt + i];
      float d = dy[dAt + i];
      float s = scratch[i];
      dUp[duAt + i] = d * (g * s);
      dGate[dgAt + i] = (d * u) * (s * Math.fma(g, 1f - s, 1f));
    }
  }

  static void adamW(
      AdamW step,
      float[] gradient,
      int gAt,
      float[] parameter,
      int pAt,
      float[] moment1,
      int mAt,
      float[] moment2,
      int vAt,
      int count) {
    FloatVector scale = FloatVector.broadcast(FLOATS, step.gradientScale());
    FloatVector beta1 = FloatVector.broadcast(FLOATS, step.beta1());
    FloatVector rest1 = FloatVector.broadcast(FLOATS, step.oneMinusBeta1());
    FloatVector beta2 = FloatVector.broadcast(FLOATS, step.beta2());
    FloatVector rest2 = FloatVector.broadcast(FLOATS, step.oneMinusBeta2());
    FloatVector root = FloatVector.broadcast(FLOATS, step.rootCorrection());
    FloatVector epsilon = FloatVector.broadcast(FLOATS, step.epsilon());
    FloatVector size = FloatVector.broadcast(FLOATS, -step.stepSize());
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      FloatVector g = fromArray(FLOATS, gradient, gAt + i).mul(scale);
      FloatVector m = beta1.fma(fromArray(FLOATS, moment1, mAt + i), rest1.mul(g));
      FloatVector v = beta2.fma(fromArray(FLOATS, moment2, vAt + i), rest2.mul(g.mul(g)));
      FloatVector denominator = v.lanewise(VectorOperators.SQRT).fma(root, epsilon);
      FloatVector decayed = fromArray(FLOATS, parameter, pAt + i).mul(step.decay());
      m.intoArray(moment1, mAt + i);
      v.intoArray(moment2, vAt + i);
      size.fma(m.div(denominator), decayed).intoArray(parameter, pAt + i);
    }
    for (; i < count; i++) {
      float g = gradient[gAt + i] * step.gradientScale();
      float m = Math.fma(step.beta1(), moment1[mAt + i], step.oneMinusBeta1() * g);
      float v = Math.fma(step.beta2(), moment2[vAt + i], step.oneMinusBeta2() * (g * g));
      float denominator = Math.fma((float) Math.sqrt(v), step.rootCorrection(), step.epsilon());
      float decayed = parameter[pAt + i] * step.decay();
      moment1[mAt + i] = m;
      moment2[vAt + i] = v;
      parameter[pAt + i] = Math.fma(-step.stepSize(), m / denominator, decayed);
    }
  }

  /// Turns the pairs (i, i + half) of one head by the angles of one row of the table.
  static void turn(
      float[] x,
      int xAt,
      float[] cos,
      float[] sin,
      int tableAt,
      int half,
      boolean back,
      float[] y,
      int yAt) {
    int i = 0;
    for (; i + WIDTH <= half; i += WIDTH) {
      FloatVector c = fromArray(FLOATS, cos, tableAt + i);
      FloatVector s = fromArray(FLOATS, sin, tableAt + i);
      if (back) {
        s = s.neg();
      }
      FloatVector a = fromArray(FLOATS, x, xAt + i);
      FloatVector b = fromArray(FLOATS, x, xAt + half + i);
      b.neg().fma(s, a.mul(c)).intoArray(y, yAt + i);
      a.fma(s, b.mul(c)).intoArray(y, yAt + half + i);
    }
    for (; i < half; i++) {
      float c = cos[tableAt + i];
      float s = back ? -sin[tableAt + i] : sin[tableAt + i];
      float a = x[xAt + i];
      float b = x[xAt + half + i];
      y[yAt + i] = Math.fma(-b, s, a * c);
      y[yAt + half + i] = Math.fma(a, s, b * c);
    }
  }
}
