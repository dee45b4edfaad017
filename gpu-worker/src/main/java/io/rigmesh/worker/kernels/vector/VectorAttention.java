package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Lanes.FLOATS;
import static io.rigmesh.worker.kernels.vector.Lanes.WIDTH;
import static io.rigmesh.worker.kernels.vector.Tiles.PANEL;
import static jdk.incubator.vector.FloatVector.fromArray;

import io.rigmesh.worker.kernels.AttentionSpan;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// Attention and its gradient for one span and one key-value head, as `ScalarAttention` defines
/// them.
///
/// Scores, weighted sums and gradients are matrix products over small tiles ([MatrixProduct]): the
/// scores of some query rows against all keys with the head dimension as depth, and the sums over
/// keys in blocks of 1024. Keys that a row does not see get the weight +0, which changes no chain
/// that starts from +0. Each worker has its own instance; the scratch arrays grow to the longest
/// sequence seen and stay.
final class VectorAttention {
  private static final int ROWS = 16;

  private final float[] tile = new float[Product.scratchLength()];
  private final float[] square = new float[Transpose.scratchLength()];
  private final SplitSums sums = new SplitSums(ROWS);
  private float[] keyColumns = {};
  private float[] valueColumns = {};
  private float[] keyRows = {};
  private float[] valueRows = {};
  private float[] queryRows = {};
  private float[] gradientRows = {};
  private float[] weights = {};
  private float[] slopes = {};
  private float[] part = {};

  /// The tensors of a call; what a forward call does not have is its own `out`.
  record Call(
      Tensor q,
      Tensor keys,
      Tensor values,
      HeadLayout layout,
      Tensor out,
      Tensor dOut,
      Tensor dQ,
      Tensor dKeys,
      Tensor dValues) {
    int queryAt(Tensor tensor, AttentionSpan span, int row, int head) {
      return tensor.offset() + (span.queryRow() + row) * tensor.cols() + head * layout.headDim();
    }

    int keyAt(Tensor tensor, AttentionSpan span, int kvHead) {
      return tensor.offset() + span.keyRow() * tensor.cols() + kvHead * layout.headDim();
    }
  }

  void forward(Call call, AttentionSpan span, int kvHead) {
    HeadLayout layout = call.layout();
    packForward(call, span, kvHead);
    int group = layout.group();
    int first = kvHead * group;
    if (span.queryRows() == 1) {
      // The heads of the group lie one after the other, like rows of headDim.
      for (int from = 0; from < group; from += ROWS) {
        int rows = Math.min(ROWS, group - from);
        forwardRows(call, span, first + from, 0, rows, layout.headDim());
      }
      return;
    }
    for (int head = first; head < first + group; head++) {
      for (int row = 0; row < span.queryRows(); row += ROWS) {
        forwardRows(call, span, head, row, Math.min(ROWS, span.queryRows() - row), call.q().cols());
      }
    }
  }

  private void packForward(Call call, AttentionSpan span, int kvHead) {
    int d = call.layout().headDim();
    int seen = span.keyRows();
    keyColumns = grown(keyColumns, Panels.length(d, seen));
    valueRows = grown(valueRows, Panels.length(seen, d));
    packColumns(call.keys(), call.keyAt(call.keys(), span, kvHead), d, seen, keyColumns);
    packRows(call.values(), call.keyAt(call.values(), span, kvHead), d, seen, valueRows);
    weights = grown(weights, ROWS * leading(seen));
  }

  /// Some rows of one head, or some heads of one row: `stride` apart in q and out.
  private void forwardRows(Call call, AttentionSpan span, int head, int row, int rows, int stride) {
    int d = call.layout().headDim();
    boolean oneRow = span.queryRows() == 1;
    int seen = span.visible(oneRow ? 0 : row + rows - 1);
    int leading = leading(span.keyRows());
    float[] q = call.q().data();
    exponentials(
        call, span, q, call.queryAt(call.q(), span, row, head), stride, row, rows, weights, 0);
    float[] out = call.out().data();
    int at = call.queryAt(call.out(), span, row, head);
    product(
        weights,
        0,
        leading,
        rows,
        valueRows,
        span.keyRows(),
        seen,
        d,
        Kernels.SPLIT,
        out,
        at,
        stride);
    for (int i = 0; i < rows; i++) {
      ElementLoops.divide(out, at + i * stride, sums.sum(i), out, at + i * stride, d);
    }
  }

  /// Writes exp(score - max) of some query rows to `p`, +0 where a row sees no key, and their sums
  /// to [#sums].
  private void exponentials(
      Call call,
      AttentionSpan span,
      float[] q,
      int qAt,
      int stride,
      int row,
      int rows,
      float[] p,
      int pAt) {
    int d = call.layout().headDim();
    boolean oneRow = span.queryRows() == 1;
    int seen = span.visible(oneRow ? 0 : row + rows - 1);
    int leading = leading(span.keyRows());
    int padded = Panels.count(seen) * PANEL;
    product(q, qAt, stride, rows, keyColumns, d, d, padded, d, p, pAt, leading);
    for (int i = 0; i < rows; i++) {
      int visible = span.visible(oneRow ? 0 : row + i);
      int at = pAt + i * leading;
      float max = scaled(p, at, call.layout().scoreScale(), visible, span.queryRow() + row);
      // Whole vectors, beyond the visible keys too: what comes of those is overwritten.
      VectorElementary.exp(p, at, max, p, at, (visible + WIDTH - 1) / WIDTH * WIDTH);
      Arrays.fill(p, at + visible, at + padded, 0f);
    }
    sums.compute(p, pAt, leading, rows, 0, seen);
  }

  /// Scales the scores and returns the largest.
  static float scaled(float[] p, int at, float scale, int count, int row) {
    FloatVector zero = FloatVector.zero(FLOATS);
    FloatVector poison = zero;
    FloatVector max = FloatVector.broadcast(FLOATS, Float.NEGATIVE_INFINITY);
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      FloatVector s = fromArray(FLOATS, p, at + i).mul(scale);
      s.intoArray(p, at + i);
      max = max.blend(s, s.compare(VectorOperators.GT, max));
      // 0 * s is a zero for every finite s and NaN for the others, and NaN stays.
      poison = s.fma(zero, poison);
    }
    if (i < count) {
      VectorMask<Float> mask = FLOATS.indexInRange(i, count);
      FloatVector s = fromArray(FLOATS, p, at + i, mask).mul(scale);
      s.intoArray(p, at + i, mask);
      max = max.blend(s, s.compare(VectorOperators.GT, max).and(mask));
      poison = s.fma(zero, poison);
    }
    if (!poison.compare(VectorOperators.EQ, 0f).allTrue()) {
      throw new NonFiniteException("attention score", row, Float.NaN);
    }
    return max.reduceLanes(VectorOperators.MAX);
  }

  void backward(Call call, AttentionSpan span, int kvHead) {
    HeadLayout layout = call.layout();
    int d = layout.headDim();
    int seen = span.keyRows();
    int rows = span.queryRows();
    int leading = leading(seen);
    packForward(call, span, kvHead);
    valueColumns = grown(valueColumns, Panels.length(d, seen));
    keyRows = grown(keyRows, Panels.length(seen, d));
    packColumns(call.values(), call.keyAt(call.values(), span, kvHead), d, seen, valueColumns);
    packRows(call.keys(), call.keyAt(call.keys(), span, kvHead), d, seen, keyRows);
    queryRows = grown(queryRows, Panels.length(rows, d));
    gradientRows = grown(gradientRows, Panels.length(rows, d));
    weights = grown(weights, Math.multiplyExact(rows, leading));
    slopes = grown(slopes, Math.multiplyExact(rows, leading));
    part = grown(part, Math.multiplyExact(seen, d));
    for (int member = 0; member < layout.group(); member++) {
      int head = kvHead * layout.group() + member;
      packRows(call.q(), call.queryAt(call.q(), span, 0, head), d, rows, queryRows);
      packRows(call.dOut(), call.queryAt(call.dOut(), span, 0, head), d, rows, gradientRows);
      for (int row = 0; row < rows; row += ROWS) {
        backwardRows(call, span, head, row, Math.min(ROWS, rows - row));
      }
      overQueries(span, weights, gradientRows, d);
      gather(call.dValues(), call.keyAt(call.dValues(), span, kvHead), d, seen, member);
      overQueries(span, slopes, queryRows, d);
      gather(call.dKeys(), call.keyAt(call.dKeys(), span, kvHead), d, seen, member);
    }
    int at = call.keyAt(call.dKeys(), span, kvHead);
    float[] dKeys = call.dKeys().data();
    for (int j = 0; j < seen; j++) {
      int keyAt = at + j * call.dKeys().cols();
      ElementLoops.scale(dKeys, keyAt, layout.scoreScale(), dKeys, keyAt, d);
    }
  }

  /// The weights, the slopes of the scores and the gradient of some query rows.
  private void backwardRows(Call call, AttentionSpan span, int head, int row, int rows) {
    int d = call.layout().headDim();
    int leading = leading(span.keyRows());
    int at = row * leading;
    int seen = span.visible(row + rows - 1);
    int padded = Panels.count(seen) * PANEL;
    int stride = call.q().cols();
    exponentials(
        call,
        span,
        call.q().data(),
        call.queryAt(call.q(), span, row, head),
        stride,
        row,
        rows,
        weights,
        at);
    float[] dOut = call.dOut().data();
    int dOutAt = call.queryAt(call.dOut(), span, row, head);
    product(dOut, dOutAt, stride, rows, valueColumns, d, d, padded, d, slopes, at, leading);
    float[] out = call.out().data();
    int outAt = call.queryAt(call.out(), span, row, head);
    for (int i = 0; i < rows; i++) {
      float delta = 0f;
      for (int c = 0; c < d; c++) {
        delta = Math.fma(dOut[dOutAt + i * stride + c], out[outAt + i * stride + c], delta);
      }
      int visible = span.visible(row + i);
      slopes(at + i * leading, sums.sum(i), delta, visible);
      Arrays.fill(slopes, at + i * leading + visible, at + (i + 1) * leading, 0f);
      Arrays.fill(weights, at + i * leading + visible, at + (i + 1) * leading, 0f);
    }
    float[] dQ = call.dQ().data();
    int dQAt = call.queryAt(call.dQ(), span, row, head);
    product(
        slopes,
        at,
        leading,
        rows,
        keyRows,
        span.keyRows(),
        seen,
        d,
        Kernels.SPLIT,
        dQ,
        dQAt,
        stride);
    float scale = call.layout().scoreScale();
    for (int i = 0; i < rows; i++) {
      scaleSum(dQ, dQAt + i * stride, scale, d);
    }
  }

  /// w = p / z and slope = w * (g - delta) for the visible keys of one row.
  private void slopes(int at, float z, float delta, int count) {
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      FloatVector w = fromArray(FLOATS, weights, at + i).div(z);
      w.intoArray(weights, at + i);
      w.mul(fromArray(FLOATS, slopes, at + i).sub(delta)).intoArray(slopes, at + i);
    }
    if (i < count) {
      VectorMask<Float> mask = FLOATS.indexInRange(i, count);
      FloatVector w = fromArray(FLOATS, weights, at + i, mask).div(z);
      w.intoArray(weights, at + i, mask);
      w.mul(fromArray(FLOATS, slopes, at + i, mask).sub(delta)).intoArray(slopes, at + i, mask);
    }
  }

  private static void scaleSum(float[] x, int at, float scale, int count) {
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      fromArray(FLOATS, x, at + i).add(0f).mul(scale).intoArray(x, at + i);
    }
    for (; i < count; i++) {
      x[at + i] = (x[at + i] + 0f) * scale;
    }
  }

  /// part(j, c) = split dot over the query rows i of factors(i, j) rows(i, c).
  private void overQueries(AttentionSpan span, float[] factors, float[] rowPanels, int d) {
    int rows = span.queryRows();
    int seen = span.keyRows();
    int leading = leading(seen);
    for (int key = 0; key < seen; key += ROWS) {
      int count = Math.min(ROWS, seen - key);
      // Rows that see none of these keys have the factor +0; with one split they can be left out of
      // the chains.
      int skip = rows <= Kernels.SPLIT ? Math.min(span.firstQuerySeeing(key), rows - 1) : 0;
      ColumnProduct product =
          new ColumnProduct(
              factors,
              key + skip * leading,
              leading,
              Tiles.ROWS,
              count,
              rowPanels,
              skip * PANEL,
              rows,
              rows - skip,
              d,
              Kernels.SPLIT,
              part,
              key * d,
              d);
      product.compute(0, count, 0, product.panels(), tile);
    }
  }

  /// Stores the part of the group's first head, or adds that of a later one.
  private void gather(Tensor gradient, int at, int d, int seen, int member) {
    float[] data = gradient.data();
    for (int j = 0; j < seen; j++) {
      int to = at + j * gradient.cols();
      if (member == 0) {
        System.arraycopy(part, j * d, data, to, d);
      } else {
        ElementLoops.add(data, to, part, j * d, data, to, d);
      }
    }
  }

  private void product(
      float[] a,
      int ap,
      int lda,
      int rows,
      float[] b,
      int panelDepth,
      int depth,
      int cols,
      int block,
      float[] c,
      int cp,
      int ldc) {
    MatrixProduct product =
        new MatrixProduct(a, ap, lda, rows, b, 0, panelDepth, depth, cols, block, c, cp, ldc);
    product.compute(0, rows, 0, product.panels(), tile);
  }

  private void packColumns(Tensor rows, int at, int d, int count, float[] panels) {
    for (int panel = 0; panel < Panels.count(count); panel++) {
      Panels.fromColumns(rows.data(), at, rows.cols(), d, count, panel, panels, 0, square);
    }
  }

  private static void packRows(Tensor rows, int at, int d, int count, float[] panels) {
    for (int panel = 0; panel < Panels.count(d); panel++) {
      Panels.fromRows(rows.data(), at, rows.cols(), count, d, panel, panels, 0);
    }
  }

  /// How far apart the rows of scores lie.
  private static int leading(int keys) {
    return Panels.count(keys) * PANEL;
  }

  static float[] grown(float[] array, int length) {
    return array.length >= length ? array : new float[length];
  }
}
