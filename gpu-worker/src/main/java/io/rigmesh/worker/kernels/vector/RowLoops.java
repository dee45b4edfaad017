package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.ElementLoops.load;
import static io.rigmesh.worker.kernels.vector.Lanes.FLOATS;
import static io.rigmesh.worker.kernels.vector.Lanes.WIDTH;

import io.rigmesh.worker.kernels.Elementary;
import io.rigmesh.worker.kernels.NonFiniteException;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// The operations that work on one row of `cols` elements at a time. `lanes` is scratch of 256
/// floats.
final class RowLoops {
  private RowLoops() {}

  /// 1 / sqrt(mean of squares + epsilon) of row `row`, which lies at `at`.
  static float inverseRootMeanSquare(
      float[] x, int at, int cols, float epsilon, int row, float[] lanes) {
    float squares = LaneSums.dot(x, at, x, at, cols, lanes);
    NonFiniteException.check("rmsNorm sum of squares", row, squares);
    return 1f / (float) Math.sqrt(squares / cols + epsilon);
  }

  static void rmsNorm(
      float[] x, int xAt, float r, float[] gain, int gAt, float[] y, int yAt, int cols) {
    for (int i = 0; i < cols; i += WIDTH) {
      VectorMask<Float> mask = Lanes.tail(i, cols);
      load(x, xAt + i, mask).mul(r).mul(load(gain, gAt + i, mask)).intoArray(y, yAt + i, mask);
    }
  }

  /// The gradient for one row of x; `normed` and `weighted` are scratch of `cols`.
  static void rmsNormBackward(
      float[] x,
      int xAt,
      float r,
      float[] gain,
      int gAt,
      float[] dy,
      int dyAt,
      float[] dx,
      int dxAt,
      int cols,
      float[] normed,
      float[] weighted,
      float[] lanes) {
    for (int i = 0; i < cols; i += WIDTH) {
      VectorMask<Float> mask = Lanes.tail(i, cols);
      load(x, xAt + i, mask).mul(r).intoArray(normed, i, mask);
      load(dy, dyAt + i, mask).mul(load(gain, gAt + i, mask)).intoArray(weighted, i, mask);
    }
    float mean = LaneSums.dot(weighted, 0, normed, 0, cols, lanes) / cols;
    for (int i = 0; i < cols; i += WIDTH) {
      VectorMask<Float> mask = Lanes.tail(i, cols);
      FloatVector u = load(weighted, i, mask);
      load(normed, i, mask).neg().fma(broadcast(mean), u).mul(r).intoArray(dx, dxAt + i, mask);
    }
  }

  /// sum += dy * (x * r) for some columns of one row, an fma each.
  static void addGainGradient(
      float[] dy, int dyAt, float[] x, int xAt, float r, float[] sum, int cols) {
    for (int i = 0; i < cols; i += WIDTH) {
      VectorMask<Float> mask = Lanes.tail(i, cols);
      FloatVector normed = load(x, xAt + i, mask).mul(r);
      load(dy, dyAt + i, mask).fma(normed, load(sum, i, mask)).intoArray(sum, i, mask);
    }
  }

  /// One row; `centered` is scratch of `cols`.
  static void layerNorm(
      float[] x,
      int xAt,
      float[] gain,
      int gAt,
      float[] bias,
      int bAt,
      float epsilon,
      float[] y,
      int yAt,
      int cols,
      int row,
      float[] centered,
      float[] lanes) {
    float mean = LaneSums.sum(x, xAt, cols, lanes) / cols;
    for (int i = 0; i < cols; i += WIDTH) {
      VectorMask<Float> mask = Lanes.tail(i, cols);
      load(x, xAt + i, mask).sub(mean).intoArray(centered, i, mask);
    }
    float squares = LaneSums.dot(centered, 0, centered, 0, cols, lanes);
    NonFiniteException.check("layerNorm sum of squares", row, squares);
    float r = 1f / (float) Math.sqrt(squares / cols + epsilon);
    for (int i = 0; i < cols; i += WIDTH) {
      VectorMask<Float> mask = Lanes.tail(i, cols);
      FloatVector normed = load(centered, i, mask).mul(r);
      normed.fma(load(gain, gAt + i, mask), load(bias, bAt + i, mask)).intoArray(y, yAt + i, mask);
    }
  }

  /// y = exp(x - max); y may be x.
  static void exponentials(float[] x, int xAt, float max, float[] y, int yAt, int cols) {
    int i = 0;
    for (; i + WIDTH <= cols; i += WIDTH) {
      VectorElementary.expNonPositive(load(x, xAt + i).sub(max)).intoArray(y, yAt + i);
    }
    if (i < cols) {
      VectorMask<Float> mask = Lanes.tail(i, cols);
      FloatVector e = VectorElementary.expNonPositive(load(x, xAt + i, mask).sub(max));
      e.intoArray(y, yAt + i, mask);
    }
  }

  static void softmax(float[] x, int xAt, float[] y, int yAt, int cols, float[] lanes) {
    exponentials(x, xAt, max(x, xAt, cols), y, yAt, cols);
    ElementLoops.divide(y, yAt, LaneSums.sum(y, yAt, cols, lanes), y, yAt, cols);
  }

  /// The loss of one row.
  static float loss(float[] x, int at, int target, int cols, float[] scratch, float[] lanes) {
    float max = max(x, at, cols);
    exponentials(x, at, max, scratch, 0, cols);
    float z = LaneSums.sum(scratch, 0, cols, lanes);
    return Elementary.log(z) - (x[at + target] - max);
  }

  /// The loss of one row, and its share of the gradient of the mean in dx, which may be x.
  static float lossBackward(
      float[] x, int at, int target, float share, float[] dx, int dxAt, int cols, float[] lanes) {
    float max = max(x, at, cols);
    float ofTarget = x[at + target] - max;
    exponentials(x, at, max, dx, dxAt, cols);
    float z = LaneSums.sum(dx, dxAt, cols, lanes);
    float targetShare = (dx[dxAt + target] / z - 1f) * share;
    for (int i = 0; i < cols; i += WIDTH) {
      VectorMask<Float> mask = Lanes.tail(i, cols);
      load(dx, dxAt + i, mask).div(z).mul(share).intoArray(dx, dxAt + i, mask);
    }
    dx[dxAt + target] = targetShare;
    return Elementary.log(z) - ofTarget;
  }

  /// The largest element; which of two equal ones does not matter.
  static float max(float[] x, int at, int cols) {
    int i = 0;
    float max = x[at];
    if (cols >= WIDTH) {
      FloatVector m = load(x, at);
      for (i = WIDTH; i + WIDTH <= cols; i += WIDTH) {
        FloatVector v = load(x, at + i);
        m = m.blend(v, v.compare(VectorOperators.GT, m));
      }
      max = m.reduceLanes(VectorOperators.MAX);
    }
    for (; i < cols; i++) {
      max = x[at + i] > max ? x[at + i] : max;
    }
    return max;
  }

  private static FloatVector broadcast(float value) {
    return FloatVector.broadcast(FLOATS, value);
  }
}
