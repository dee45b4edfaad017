package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Lanes.FLOATS;
import static io.rigmesh.worker.kernels.vector.Lanes.WIDTH;

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
      load(a, aAt + i).add(load(b, bAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      VectorMask<Float> mask = Lanes.tail(i, count);
      load(a, aAt + i, mask).add(load(b, bAt + i, mask)).intoArray(y, yAt + i, mask);
    }
  }

  static void scale(float[] x, int xAt, float factor, float[] y, int yAt, int count) {
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      load(x, xAt + i).mul(factor).intoArray(y, yAt + i);
    }
    if (i < count) {
      VectorMask<Float> mask = Lanes.tail(i, count);
      load(x, xAt + i, mask).mul(factor).intoArray(y, yAt + i, mask);
    }
  }

  /// y = (x + 0) / divisor: the sum gives -0 and +0 one result.
  static void divide(float[] x, int xAt, float divisor, float[] y, int yAt, int count) {
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      load(x, xAt + i).add(0f).div(divisor).intoArray(y, yAt + i);
    }
    if (i < count) {
      VectorMask<Float> mask = Lanes.tail(i, count);
      load(x, xAt + i, mask).add(0f).div(divisor).intoArray(y, yAt + i, mask);
    }
  }

  static void gelu(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      VectorElementary.gelu(load(x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      VectorMask<Float> mask = Lanes.tail(i, count);
      VectorElementary.gelu(load(x, xAt + i, mask)).intoArray(y, yAt + i, mask);
    }
  }

  static void tanh(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      VectorElementary.tanh(load(x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      VectorMask<Float> mask = Lanes.tail(i, count);
      VectorElementary.tanh(load(x, xAt + i, mask)).intoArray(y, yAt + i, mask);
    }
  }

  static void swiglu(float[] gate, int gAt, float[] up, int uAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      swiglu(load(gate, gAt + i), load(up, uAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      VectorMask<Float> mask = Lanes.tail(i, count);
      swiglu(load(gate, gAt + i, mask), load(up, uAt + i, mask)).intoArray(y, yAt + i, mask);
    }
  }

  private static FloatVector swiglu(FloatVector gate, FloatVector up) {
    return gate.mul(VectorElementary.sigmoid(gate)).mul(up);
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
      int count) {
    for (int i = 0; i < count; i += WIDTH) {
      VectorMask<Float> mask = Lanes.tail(i, count);
      FloatVector g = load(gate, gAt + i, mask);
      FloatVector u = load(up, uAt + i, mask);
      FloatVector d = load(dy, dAt + i, mask);
      FloatVector s = VectorElementary.sigmoid(g);
      FloatVector one = FloatVector.broadcast(FLOATS, 1f);
      FloatVector slope = s.mul(g.fma(one.sub(s), one));
      d.mul(g.mul(s)).intoArray(dUp, duAt + i, mask);
      d.mul(u).mul(slope).intoArray(dGate, dgAt + i, mask);
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
    for (int i = 0; i < count; i += WIDTH) {
      VectorMask<Float> mask = Lanes.tail(i, count);
      FloatVector g = load(gradient, gAt + i, mask).mul(scale);
      FloatVector m = beta1.fma(load(moment1, mAt + i, mask), rest1.mul(g));
      FloatVector v = beta2.fma(load(moment2, vAt + i, mask), rest2.mul(g.mul(g)));
      FloatVector denominator = v.lanewise(VectorOperators.SQRT).fma(root, epsilon);
      FloatVector decayed = load(parameter, pAt + i, mask).mul(step.decay());
      m.intoArray(moment1, mAt + i, mask);
      v.intoArray(moment2, vAt + i, mask);
      size.fma(m.div(denominator), decayed).intoArray(parameter, pAt + i, mask);
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
    for (int i = 0; i < half; i += WIDTH) {
      VectorMask<Float> mask = Lanes.tail(i, half);
      FloatVector c = load(cos, tableAt + i, mask);
      FloatVector s = load(sin, tableAt + i, mask);
      if (back) {
        s = s.neg();
      }
      FloatVector a = load(x, xAt + i, mask);
      FloatVector b = load(x, xAt + half + i, mask);
      b.neg().fma(s, a.mul(c)).intoArray(y, yAt + i, mask);
      a.fma(s, b.mul(c)).intoArray(y, yAt + half + i, mask);
    }
  }

  static FloatVector load(float[] x, int at) {
    return FloatVector.fromArray(FLOATS, x, at);
  }

  static FloatVector load(float[] x, int at, VectorMask<Float> mask) {
    return FloatVector.fromArray(FLOATS, x, at, mask);
  }
}
