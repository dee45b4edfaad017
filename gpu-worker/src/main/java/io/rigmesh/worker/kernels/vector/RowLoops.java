package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Lanes.FLOATS;
import static io.rigmesh.worker.kernels.vector.Lanes.WIDTH;
import static jdk.incubator.vector.FloatVector.fromArray;

import io.rigmesh.worker.kernels.Elementary;
import io.rigmesh.worker.kernels.NonFiniteException;
import jdk.incubator.vector.FloatVector;
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
    int i = 0;
    for (; i + WIDTH <= cols; i += WIDTH) {
      fromArray(FLOATS, x, xAt + i)
          .mul(r)
          .mul(fromArray(FLOATS, gain, gAt + i))
          .intoArray(y, yAt + i);
    }
    for (; i < cols; i++) {
      y[yAt + i] = (x[xAt + i] * r) * gain[gAt + i];
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
    int i = 0;
    for (; i + WIDTH <= cols; i += WIDTH) {
      fromArray(FLOATS, x, xAt + i).mul(r).intoArray(normed, i);
      fromArray(FLOATS, dy, dyAt + i).mul(fromArray(FLOATS, gain, gAt + i)).intoArray(weighted, i);
    }
    for (; i < cols; i++) {
      normed[i] = x[xAt + i] * r;
      weighted[i] = dy[dyAt + i] * gain[gAt + i];
    }
    float mean = LaneSums.dot(weighted, 0, normed, 0, cols, lanes) / cols;
    i = 0;
    for (; i + WIDTH <= cols; i += WIDTH) {
      FloatVector u = fromArray(FLOATS, weighted, i);
      fromArray(FLOATS, normed, i)
          .neg()
          .fma(FloatVector.broadcast(FLOATS, mean), u)
          .mul(r)
          .intoArray(dx, dxAt + i);
    }
    for (; i < cols; i++) {
      dx[dxAt + i] = Math.fma(-normed[i], mean, weighted[i]) * r;
    }
  }

  /// sum += dy * (x * r) for some columns of one row, an fma each.
  static void addGainGradient(
      float[] dy, int dyAt, float[] x, int xAt, float r, float[] sum, int cols) {
    int i = 0;
    for (; i + WIDTH <= cols; i += WIDTH) {
      FloatVector normed = fromArray(FLOATS, x, xAt + i).mul(r);
      fromArray(FLOATS, dy, dyAt + i).fma(normed, fromArray(FLOATS, sum, i)).intoArray(sum, i);
    }
    for (; i < cols; i++) {
      sum[i] = Math.fma(dy[dyAt + i], x[xAt + i] * r, sum[i]);
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
    int i = 0;
    for (; i + WIDTH <= cols; i += WIDTH) {
      fromArray(FLOATS, x, xAt + i).sub(mean).intoArray(centered, i);
    }
    for (; i < cols; i++) {
      centered[i] = x[xAt + i] - mean;
    }
    float squares = LaneSums.dot(centered, 0, centered, 0, cols, lanes);
    NonFiniteException.check("layerNorm sum of squares", row, squares);
    float r = 1f / (float) Math.sqrt(squares / cols + epsilon);
    i = 0;
    for (; i + WIDTH <= cols; i += WIDTH) {
      FloatVector normed = fromArray(FLOATS, centered, i).mul(r);
      normed
          .fma(fromArray(FLOATS, gain, gAt + i), fromArray(FLOATS, bias, bAt + i))
          .intoArray(y, yAt + i);
    }
    for (; i < cols; i++) {
      y[yAt + i] = Math.fma(centered[i] * r, gain[gAt + i], bias[bAt + i]);
    }
  }

  static void softmax(float[] x, int xAt, float[] y, int yAt, int cols, float[] lanes) {
    VectorElementary.exp(x, xAt, max(x, xAt, cols), y, yAt, cols);
    ElementLoops.divide(y, yAt, LaneSums.sum(y, yAt, cols, lanes), y, yAt, cols);
  }

  /// The loss of one row.
  static float loss(float[] x, int at, int target, int cols, float[] scratch, float[] lanes) {
    float max = max(x, at, cols);
    VectorElementary.exp(x, at, max, scratch, 0, cols);
    float z = LaneSums.sum(scratch, 0, cols, lanes);
    return Elementary.log(z) - (x[at + target] - max);
  }

  /// The loss of one row, and its share of the gradient of the mean in dx, which may be x.
  static float lossBackward(
      float[] x, int at, int target, float share, float[] dx, int dxAt, int cols, float[] lanes) {
    float max = max(x, at, cols);
    float ofTarget = x[at + target] - max;
    VectorElementary.exp(x, at, max, dx, dxAt, cols);
    float z = LaneSums.sum(dx, dxAt, cols, lanes);
    float targetShare = (dx[dxAt + target] / z - 1f) * share;
    int i = 0;
    for (; i + WIDTH <= cols; i += WIDTH) {
      fromArray(FLOATS, dx, dxAt + i).div(z).mul(share).intoArray(dx, dxAt + i);
    }
    for (; i < cols; i++) {
      dx[dxAt + i] = (dx[dxAt + i] / z) * share;
    }
    dx[dxAt + target] = targetShare;
    return Elementary.log(z) - ofTarget;
  }

  /// The largest element; which of two equal ones does not matter.
  static float max(float[] x, int at, int cols) {
    int i = 0;
    float max = x[at];
    if (cols >= WIDTH) {
      FloatVector m = fromArray(FLOATS, x, at);
      for (i = WIDTH; i + WIDTH <= cols; i += WIDTH) {
        FloatVector v = fromArray(FLOATS, x, at + i);
        m = m.blend(v, v.compare(VectorOperators.GT, m));
      }
      max = m.reduceLanes(VectorOperators.MAX);
    }
    for (; i < cols; i++) {
      max = x[at + i] > max ? x[at + i] : max;
    }
    return max;
  }
}
