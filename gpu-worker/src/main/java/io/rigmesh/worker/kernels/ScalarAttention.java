package io.rigmesh.worker.kernels;

import io.rigmesh.worker.tensor.Tensor;
import java.util.List;

/// Attention and its gradient, one query position and head after the other.
///
/// With q, k, v rows of one head of length d, i a query row and j a key row that it sees:
///
/// ```
/// s(i,j) = chain over d of fma(q(i,c), k(j,c))  * scale
/// m(i)   = max over j of s(i,j)
/// p(i,j) = exp(s(i,j) - m(i))
/// z(i)   = split sum over j of p(i,j)
/// out(i,c) = (split dot over j of p(i,j) v(j,c) + 0) / z(i)
/// ```
///
/// and, with w(i,j) = p(i,j) / z(i), the gradient:
///
/// ```
/// D(i)    = chain over c of fma(dOut(i,c), out(i,c))
/// g(i,j)  = chain over c of fma(dOut(i,c), v(j,c))
/// t(i,j)  = w(i,j) * (g(i,j) - D(i))
/// dQ(i,c) = (split dot over j of t(i,j) k(j,c) + 0) * scale
/// dK(j,c) = (over the heads of the group, ascending: split dot over i of t(i,j) q(i,c)) * scale
/// dV(j,c) = over the heads of the group, ascending: split dot over i of w(i,j) dOut(i,c)
/// ```
///
/// A split holds the 1024 keys (or, over i, the query rows that see the key) whose number within
/// the span has the same quotient by 1024; inside it runs one chain from +0, and the splits are
/// added to the first in ascending order.
final class ScalarAttention {
  private final HeadLayout layout;
  private final Tensor q;
  private final Tensor keys;
  private final Tensor values;
  private final float scale;

  ScalarAttention(HeadLayout layout, Tensor q, Tensor keys, Tensor values) {
    this.layout = layout;
    this.q = q;
    this.keys = keys;
    this.values = values;
    this.scale = layout.scoreScale();
  }

  void forward(List<AttentionSpan> spans, Tensor out) {
    for (AttentionSpan span : spans) {
      for (int row = 0; row < span.queryRows(); row++) {
        for (int head = 0; head < layout.heads(); head++) {
          float[] p = exponentials(span, row, head);
          float z = ScalarSums.sum(p, 0, 1, p.length, Kernels.SPLIT);
          for (int c = 0; c < layout.headDim(); c++) {
            float sum =
                ScalarSums.dot(
                    p,
                    0,
                    1,
                    values.data(),
                    key(values, span, 0, head) + c,
                    values.cols(),
                    p.length,
                    Kernels.SPLIT);
            out.data()[query(out, span, row, head) + c] = (sum + 0f) / z;
          }
        }
      }
    }
  }

  void backward(
      List<AttentionSpan> spans, Tensor out, Tensor dOut, Tensor dQ, Tensor dKeys, Tensor dValues) {
    for (AttentionSpan span : spans) {
      for (int kvHead = 0; kvHead < layout.kvHeads(); kvHead++) {
        backward(span, kvHead, out, dOut, dQ, dKeys, dValues);
      }
    }
  }

  private void backward(
      AttentionSpan span,
      int kvHead,
      Tensor out,
      Tensor dOut,
      Tensor dQ,
      Tensor dKeys,
      Tensor dValues) {
    int d = layout.headDim();
    int rows = span.queryRows();
    int seen = span.keyRows();
    for (int member = 0; member < layout.group(); member++) {
      int head = kvHead * layout.group() + member;
      float[] weights = new float[rows * seen];
      float[] scores = new float[rows * seen];
      for (int row = 0; row < rows; row++) {
        float[] p = exponentials(span, row, head);
        float z = ScalarSums.sum(p, 0, 1, p.length, Kernels.SPLIT);
        int dOutAt = query(dOut, span, row, head);
        float delta =
            ScalarSums.dot(
                dOut.data(), dOutAt, 1, out.data(), query(out, span, row, head), 1, d, d);
        for (int j = 0; j < p.length; j++) {
          float g =
              ScalarSums.dot(
                  dOut.data(), dOutAt, 1, values.data(), key(values, span, j, head), 1, d, d);
          float w = p[j] / z;
          weights[row * seen + j] = w;
          scores[row * seen + j] = w * (g - delta);
        }
        for (int c = 0; c < d; c++) {
          float sum =
              ScalarSums.dot(
                  scores,
                  row * seen,
                  1,
                  keys.data(),
                  key(keys, span, 0, head) + c,
                  keys.cols(),
                  p.length,
                  Kernels.SPLIT);
          dQ.data()[query(dQ, span, row, head) + c] = (sum + 0f) * scale;
        }
      }
      for (int j = 0; j < seen; j++) {
        for (int c = 0; c < d; c++) {
          float dK = overQueries(span, scores, j, q, query(q, span, 0, head) + c);
          float dV = overQueries(span, weights, j, dOut, query(dOut, span, 0, head) + c);
          accumulate(dKeys, key(dKeys, span, j, head) + c, dK, member);
          accumulate(dValues, key(dValues, span, j, head) + c, dV, member);
        }
      }
    }
    for (int j = 0; j < seen; j++) {
      for (int c = 0; c < d; c++) {
        dKeys.data()[key(dKeys, span, j, kvHead * layout.group()) + c] *= scale;
      }
    }
  }

  private static void accumulate(Tensor sum, int index, float term, int member) {
    sum.data()[index] = member == 0 ? term : sum.data()[index] + term;
  }

  private static float overQueries(
      AttentionSpan span, float[] factors, int key, Tensor rows, int at) {
    float total = 0f;
    int first = span.firstQuerySeeing(key);
    for (int start = 0; start < span.queryRows(); start += Kernels.SPLIT) {
      float sum = 0f;
      for (int i = Math.max(first, start);
          i < Math.min(span.queryRows(), start + Kernels.SPLIT);
          i++) {
        sum = Math.fma(factors[i * span.keyRows() + key], rows.data()[at + i * rows.cols()], sum);
      }
      total = start == 0 ? sum : total + sum;
    }
    return total;
  }

  private float[] exponentials(AttentionSpan span, int row, int head) {
    int visible = span.visible(row);
    int d = layout.headDim();
    float[] p = new float[visible];
    for (int j = 0; j < visible; j++) {
      float dot =
          ScalarSums.dot(
              q.data(),
              query(q, span, row, head),
              1,
              keys.data(),
              key(keys, span, j, head),
              1,
              d,
              d);
      p[j] = NonFiniteException.check("attention score", span.queryRow() + row, dot * scale);
    }
    float max = ScalarSums.max(p, 0, visible);
    for (int j = 0; j < visible; j++) {
      p[j] = Elementary.exp(p[j] - max);
    }
    return p;
  }

  private int query(Tensor tensor, AttentionSpan span, int row, int head) {
    return tensor.offset() + (span.queryRow() + row) * tensor.cols() + head * layout.headDim();
  }

  private int key(Tensor tensor, AttentionSpan span, int row, int head) {
    return tensor.offset()
        + (span.keyRow() + row) * tensor.cols()
        + head / layout.group() * layout.headDim();
  }
}
