package io.rigmesh.worker.kernels;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/// The reference: every operation of profiles f32-v1 and i8-v1 as its definition reads, one element
/// after the other, on one thread.
///
/// Slow and meant to be obviously right; the vector backend is tested against it bit for bit.
public final class ScalarKernels implements Kernels {
  private record FloatRows(int in, int out, Tensor weight) implements PackedWeight {
    @Override
    public Profile profile() {
      return Profile.F32_V1;
    }
  }

  private record ByteRows(int in, int out, QuantisedRows weight) implements PackedWeight {
    @Override
    public Profile profile() {
      return Profile.I8_V1;
    }
  }

  @Override
  public String name() {
    return "scalar";
  }

  @Override
  public int threads() {
    return 1;
  }

  @Override
  public void close() {}

  @Override
  public PackedWeight pack(Tensor weight, Profile profile) {
    OpShapes.weight("pack", weight);
    return switch (profile) {
      case F32_V1 -> new FloatRows(weight.dim(1), weight.dim(0), weight.copy());
      case I8_V1 -> {
        OpShapes.byteWeight(weight);
        yield new ByteRows(weight.dim(1), weight.dim(0), QuantisedRows.of(weight));
      }
    };
  }

  @Override
  public void linear(Tensor x, PackedWeight weight, Tensor y) {
    OpShapes.linear(x, weight.in(), weight.out(), y);
    switch (weight) {
      case FloatRows floats -> linear(x, floats.weight(), y);
      case ByteRows bytes -> linear(QuantisedRows.of(x), bytes.weight(), y);
      default ->
          throw new IllegalArgumentException(
              "This weight was packed by another backend; pack it with the one that uses it.");
    }
  }

  private static void linear(QuantisedRows x, QuantisedRows weight, Tensor y) {
    for (int t = 0; t < x.rows(); t++) {
      for (int n = 0; n < weight.rows(); n++) {
        float sum = x.dot(t, weight, n);
        y.set(t * y.cols() + n, sum * (x.scales()[t] * weight.scales()[n]));
      }
    }
    NonFiniteException.check("linear", y);
  }

  @Override
  public void linear(Tensor x, PackedWeight weight, Tensor bias, Tensor y) {
    OpShapes.rowVector("linear", y, bias);
    linear(x, weight, y);
    addBias(y, bias, y);
  }

  @Override
  public void linear(Tensor x, Tensor weight, Tensor y) {
    OpShapes.weight("linear", weight);
    OpShapes.linear(x, weight.dim(1), weight.dim(0), y);
    int k = weight.dim(1);
    for (int t = 0; t < y.rowCount(); t++) {
      for (int n = 0; n < y.cols(); n++) {
        float sum =
            ScalarSums.blockDot(
                x.data(), x.offset() + t * k, 1, weight.data(), weight.offset() + n * k, 1, k);
        y.set(t * y.cols() + n, sum);
      }
    }
    NonFiniteException.check("linear", y);
  }

  @Override
  public void linearInputGradient(Tensor dy, Tensor weight, Tensor dx) {
    OpShapes.linearInputGradient(dy, weight, dx);
    int n = dy.cols();
    for (int t = 0; t < dx.rowCount(); t++) {
      for (int k = 0; k < dx.cols(); k++) {
        float sum =
            ScalarSums.blockDot(
                dy.data(),
                dy.offset() + t * n,
                1,
                weight.data(),
                weight.offset() + k,
                dx.cols(),
                n);
        dx.set(t * dx.cols() + k, sum);
      }
    }
    NonFiniteException.check("linearInputGradient", dx);
  }

  @Override
  public void linearWeightGradient(Tensor dy, Tensor x, Tensor dWeight) {
    OpShapes.linearWeightGradient(dy, x, dWeight);
    int rows = dy.rowCount();
    for (int n = 0; n < dWeight.dim(0); n++) {
      for (int k = 0; k < dWeight.dim(1); k++) {
        float sum =
            ScalarSums.blockDot(
                dy.data(), dy.offset() + n, dy.cols(), x.data(), x.offset() + k, x.cols(), rows);
        dWeight.set(n * dWeight.dim(1) + k, sum);
      }
    }
    NonFiniteException.check("linearWeightGradient", dWeight);
  }

  @Override
  public void embedding(Tensor table, int[] ids, Tensor y) {
    OpShapes.embedding(table, ids, y);
    for (int t = 0; t < ids.length; t++) {
      y.rows(t, t + 1).copyFrom(tableRow(table, ids[t]));
    }
  }

  @Override
  public void embeddingGradient(int[] ids, Tensor dy, Tensor dTable) {
    OpShapes.embedding(dTable, ids, dy);
    dTable.fill(0f);
    for (int t = 0; t < ids.length; t++) {
      Tensor row = tableRow(dTable, ids[t]);
      for (int c = 0; c < row.size(); c++) {
        row.set(c, row.get(c) + dy.get(t, c));
      }
    }
    NonFiniteException.check("embeddingGradient", dTable);
  }

  @Override
  public void add(Tensor a, Tensor b, Tensor y) {
    OpShapes.same("add", a, b);
    OpShapes.same("add", a, y);
    for (int i = 0; i < y.size(); i++) {
      y.set(i, a.get(i) + b.get(i));
    }
    NonFiniteException.check("add", y);
  }

  @Override
  public void addBias(Tensor x, Tensor bias, Tensor y) {
    OpShapes.same("addBias", x, y);
    OpShapes.rowVector("addBias", x, bias);
    for (int i = 0; i < y.size(); i++) {
      y.set(i, x.get(i) + bias.get(i % x.cols()));
    }
    NonFiniteException.check("addBias", y);
  }

  @Override
  public void biasGradient(Tensor dy, Tensor dBias) {
    OpShapes.rowVector("biasGradient", dy, dBias);
    for (int c = 0; c < dy.cols(); c++) {
      dBias.set(c, ScalarSums.sum(dy.data(), dy.offset() + c, dy.cols(), dy.rowCount(), BLOCK));
    }
    NonFiniteException.check("biasGradient", dBias);
  }

  @Override
  public void scale(Tensor x, float factor, Tensor y) {
    OpShapes.same("scale", x, y);
    for (int i = 0; i < y.size(); i++) {
      y.set(i, x.get(i) * factor);
    }
    NonFiniteException.check("scale", y);
  }

  @Override
  public void gelu(Tensor x, Tensor y) {
    OpShapes.same("gelu", x, y);
    for (int i = 0; i < y.size(); i++) {
      y.set(i, Elementary.gelu(x.get(i)));
    }
    NonFiniteException.check("gelu", y);
  }

  @Override
  public void tanh(Tensor x, Tensor y) {
    OpShapes.same("tanh", x, y);
    for (int i = 0; i < y.size(); i++) {
      y.set(i, Elementary.tanh(x.get(i)));
    }
    NonFiniteException.check("tanh", y);
  }

  @Override
  public void swiglu(Tensor gate, Tensor up, Tensor y) {
    OpShapes.same("swiglu", gate, up);
    OpShapes.same("swiglu", gate, y);
    for (int i = 0; i < y.size(); i++) {
      float g = gate.get(i);
      y.set(i, (g * Elementary.sigmoid(g)) * up.get(i));
    }
    NonFiniteException.check("swiglu", y);
  }

  @Override
  public void swigluBackward(Tensor gate, Tensor up, Tensor dy, Tensor dGate, Tensor dUp) {
    OpShapes.same("swigluBackward", gate, up);
    OpShapes.same("swigluBackward", gate, dy);
    OpShapes.same("swigluBackward", gate, dGate);
    OpShapes.same("swigluBackward", gate, dUp);
    for (int i = 0; i < dy.size(); i++) {
      float g = gate.get(i);
      float u = up.get(i);
      float d = dy.get(i);
      float s = Elementary.sigmoid(g);
      dUp.set(i, d * (g * s));
      dGate.set(i, (d * u) * (s * Math.fma(g, 1f - s, 1f)));
    }
    NonFiniteException.check("swigluBackward", dGate);
    NonFiniteException.check("swigluBackward", dUp);
  }

  @Override
  public void rmsNorm(Tensor x, Tensor gain, float epsilon, Tensor y) {
    OpShapes.same("rmsNorm", x, y);
    OpShapes.rowVector("rmsNorm", x, gain);
    int cols = x.cols();
    for (int t = 0; t < x.rowCount(); t++) {
      float r = inverseRootMeanSquare(x, t, epsilon);
      for (int c = 0; c < cols; c++) {
        y.set(t * cols + c, (x.get(t, c) * r) * gain.get(c));
      }
    }
    NonFiniteException.check("rmsNorm", y);
  }

  @Override
  public void rmsNormBackward(
      Tensor x, Tensor gain, float epsilon, Tensor dy, Tensor dx, Tensor dGain) {
    OpShapes.same("rmsNormBackward", x, dy);
    OpShapes.same("rmsNormBackward", x, dx);
    OpShapes.rowVector("rmsNormBackward", x, gain);
    OpShapes.rowVector("rmsNormBackward", x, dGain);
    int rows = x.rowCount();
    int cols = x.cols();
    float[] normed = new float[rows * cols];
    float[] r = new float[rows];
    for (int t = 0; t < rows; t++) {
      r[t] = inverseRootMeanSquare(x, t, epsilon);
      for (int c = 0; c < cols; c++) {
        normed[t * cols + c] = x.get(t, c) * r[t];
      }
    }
    for (int c = 0; c < cols; c++) {
      dGain.set(c, ScalarSums.blockDot(dy.data(), dy.offset() + c, cols, normed, c, cols, rows));
    }
    float[] u = new float[cols];
    for (int t = 0; t < rows; t++) {
      for (int c = 0; c < cols; c++) {
        u[c] = dy.get(t, c) * gain.get(c);
      }
      float mean = ScalarSums.laneDot(u, 0, normed, t * cols, cols) / cols;
      for (int c = 0; c < cols; c++) {
        dx.set(t * cols + c, Math.fma(-normed[t * cols + c], mean, u[c]) * r[t]);
      }
    }
    NonFiniteException.check("rmsNormBackward", dGain);
    NonFiniteException.check("rmsNormBackward", dx);
  }

  @Override
  public void layerNorm(Tensor x, Tensor gain, Tensor bias, float epsilon, Tensor y) {
    OpShapes.same("layerNorm", x, y);
    OpShapes.rowVector("layerNorm", x, gain);
    OpShapes.rowVector("layerNorm", x, bias);
    int cols = x.cols();
    float[] centered = new float[cols];
    for (int t = 0; t < x.rowCount(); t++) {
      float mean = ScalarSums.laneSum(x.data(), x.offset() + t * cols, cols) / cols;
      for (int c = 0; c < cols; c++) {
        centered[c] = x.get(t, c) - mean;
      }
      float squares = ScalarSums.laneDot(centered, 0, centered, 0, cols);
      NonFiniteException.check("layerNorm sum of squares", t, squares);
      float r = 1f / (float) Math.sqrt(squares / cols + epsilon);
      for (int c = 0; c < cols; c++) {
        y.set(t * cols + c, Math.fma(centered[c] * r, gain.get(c), bias.get(c)));
      }
    }
    NonFiniteException.check("layerNorm", y);
  }

  @Override
  public void softmax(Tensor x, Tensor y) {
    OpShapes.same("softmax", x, y);
    int cols = x.cols();
    for (int t = 0; t < x.rowCount(); t++) {
      float[] p = exponentials(x, t);
      float z = ScalarSums.laneSum(p, 0, cols);
      for (int c = 0; c < cols; c++) {
        y.set(t * cols + c, p[c] / z);
      }
    }
    NonFiniteException.check("softmax", y);
  }

  @Override
  public float crossEntropy(Tensor logits, int[] targets, int ignoredTarget) {
    int counted = OpShapes.targets(logits, targets, ignoredTarget);
    float[] losses = new float[targets.length];
    for (int t = 0; t < targets.length; t++) {
      if (targets[t] != ignoredTarget) {
        losses[t] = rowLoss(logits, t, targets[t]);
      }
    }
    float mean = ScalarSums.laneSum(losses, 0, losses.length) / counted;
    return NonFiniteException.check("crossEntropy", 0, mean);
  }

  @Override
  public float crossEntropyBackward(
      Tensor logits, int[] targets, int ignoredTarget, Tensor dLogits) {
    OpShapes.same("crossEntropyBackward", logits, dLogits);
    float loss = crossEntropy(logits, targets, ignoredTarget);
    float share = 1f / OpShapes.targets(logits, targets, ignoredTarget);
    int cols = logits.cols();
    for (int t = 0; t < targets.length; t++) {
      if (targets[t] == ignoredTarget) {
        dLogits.rows(t, t + 1).fill(0f);
        continue;
      }
      float[] p = exponentials(logits, t);
      float z = ScalarSums.laneSum(p, 0, cols);
      for (int c = 0; c < cols; c++) {
        float w = p[c] / z;
        dLogits.set(t * cols + c, (c == targets[t] ? w - 1f : w) * share);
      }
    }
    NonFiniteException.check("crossEntropyBackward", dLogits);
    return loss;
  }

  @Override
  public int[] argmax(Tensor x) {
    int[] best = new int[x.rowCount()];
    for (int t = 0; t < best.length; t++) {
      for (int c = 1; c < x.cols(); c++) {
        if (x.get(t, c) > x.get(t, best[t])) {
          best[t] = c;
        }
      }
    }
    return best;
  }

  @Override
  public void rope(Tensor x, int[] positions, RopeTable table, Tensor y) {
    OpShapes.rope(x, positions, table, y);
    turn(x, positions, table, 1f, y);
    NonFiniteException.check("rope", y);
  }

  @Override
  public void ropeBackward(Tensor dy, int[] positions, RopeTable table, Tensor dx) {
    OpShapes.rope(dy, positions, table, dx);
    turn(dy, positions, table, -1f, dx);
    NonFiniteException.check("ropeBackward", dx);
  }

  @Override
  public void attention(
      Tensor q,
      Tensor keys,
      Tensor values,
      HeadLayout layout,
      List<AttentionSpan> spans,
      Tensor out) {
    OpShapes.attention(q, keys, values, layout, spans, out);
    new ScalarAttention(layout, q, keys, values).forward(spans, out);
    NonFiniteException.check("attention", out);
  }

  @Override
  public void storeKeys(Tensor keys, KeyValuePages pages, int layer, List<PagedSpan> spans) {
    OpShapes.store("storeKeys", keys, pages, layer, spans);
    ScalarPagedAttention paged = new ScalarPagedAttention(pages, layer, stored(pages), 1);
    spans.forEach(span -> paged.storeKeys(keys, span));
  }

  @Override
  public void storeValues(Tensor values, KeyValuePages pages, int layer, List<PagedSpan> spans) {
    OpShapes.store("storeValues", values, pages, layer, spans);
    ScalarPagedAttention paged = new ScalarPagedAttention(pages, layer, stored(pages), 1);
    spans.forEach(span -> paged.storeValues(values, span));
  }

  private static HeadLayout stored(KeyValuePages pages) {
    return new HeadLayout(pages.kvHeads(), pages.kvHeads(), pages.headDim());
  }

  @Override
  public void attention(
      Tensor q,
      KeyValuePages pages,
      int layer,
      HeadLayout layout,
      List<PagedSpan> spans,
      OptionalInt window,
      Tensor out) {
    OpShapes.attention(q, pages, layer, layout, spans, window, out);
    new ScalarPagedAttention(pages, layer, layout, window.orElse(Integer.MAX_VALUE))
        .forward(q, spans, out);
    NonFiniteException.check("attention", out);
  }

  @Override
  public void attentionBackward(
      Tensor q,
      Tensor keys,
      Tensor values,
      HeadLayout layout,
      List<AttentionSpan> spans,
      Tensor out,
      Tensor dOut,
      Tensor dQ,
      Tensor dKeys,
      Tensor dValues) {
    OpShapes.attention(q, keys, values, layout, spans, out);
    OpShapes.attention(dQ, dKeys, dValues, layout, spans, dOut);
    new ScalarAttention(layout, q, keys, values).backward(spans, out, dOut, dQ, dKeys, dValues);
    NonFiniteException.check("attentionBackward", dQ);
    NonFiniteException.check("attentionBackward", dKeys);
    NonFiniteException.check("attentionBackward", dValues);
  }

  @Override
  public float laneSum(Tensor x) {
    return NonFiniteException.check(
        "laneSum", 0, ScalarSums.laneSum(x.data(), x.offset(), x.size()));
  }

  @Override
  public float laneSumOfSquares(Tensor x) {
    float sum = ScalarSums.laneDot(x.data(), x.offset(), x.data(), x.offset(), x.size());
    return NonFiniteException.check("laneSumOfSquares", 0, sum);
  }

  @Override
  public void adamW(AdamW step, Tensor gradient, Tensor parameter, Tensor moment1, Tensor moment2) {
    OpShapes.same("adamW", gradient, parameter);
    OpShapes.same("adamW", gradient, moment1);
    OpShapes.same("adamW", gradient, moment2);
    for (int i = 0; i < parameter.size(); i++) {
      float g = gradient.get(i) * step.gradientScale();
      float m = Math.fma(step.beta1(), moment1.get(i), step.oneMinusBeta1() * g);
      float v = Math.fma(step.beta2(), moment2.get(i), step.oneMinusBeta2() * (g * g));
      float denominator = Math.fma((float) Math.sqrt(v), step.rootCorrection(), step.epsilon());
      float decayed = parameter.get(i) * step.decay();
      moment1.set(i, m);
      moment2.set(i, v);
      parameter.set(i, Math.fma(-step.stepSize(), m / denominator, decayed));
    }
    NonFiniteException.check("adamW parameter", parameter);
    NonFiniteException.check("adamW moment1", moment1);
    NonFiniteException.check("adamW moment2", moment2);
  }

  @Override
  public void checkFinite(String what, Tensor x) {
    NonFiniteException.check(what, x);
  }

  private static Tensor tableRow(Tensor table, int row) {
    return table.rows(row, row + 1);
  }

  private static float inverseRootMeanSquare(Tensor x, int row, float epsilon) {
    int at = x.offset() + row * x.cols();
    float squares = ScalarSums.laneDot(x.data(), at, x.data(), at, x.cols());
    NonFiniteException.check("rmsNorm sum of squares", row, squares);
    return 1f / (float) Math.sqrt(squares / x.cols() + epsilon);
  }

  private static float[] exponentials(Tensor x, int row) {
    int cols = x.cols();
    int at = x.offset() + row * cols;
    float max = ScalarSums.max(x.data(), at, cols);
    float[] p = Arrays.copyOfRange(x.data(), at, at + cols);
    for (int c = 0; c < cols; c++) {
      p[c] = Elementary.exp(p[c] - max);
    }
    return p;
  }

  private static float rowLoss(Tensor logits, int row, int target) {
    int cols = logits.cols();
    float z = ScalarSums.laneSum(exponentials(logits, row), 0, cols);
    float max = ScalarSums.max(logits.data(), logits.offset() + row * cols, cols);
    return Elementary.log(z) - (logits.get(row, target) - max);
  }

  private static void turn(Tensor x, int[] positions, RopeTable table, float direction, Tensor y) {
    int half = table.headDim() / 2;
    for (int t = 0; t < positions.length; t++) {
      for (int head = 0; head < x.cols(); head += table.headDim()) {
        for (int i = 0; i < half; i++) {
          float cos = table.cos().get(positions[t], i);
          float sin = table.sin().get(positions[t], i) * direction;
          int first = t * x.cols() + head + i;
          float a = x.get(first);
          float b = x.get(first + half);
          y.set(first, Math.fma(-b, sin, a * cos));
          y.set(first + half, Math.fma(a, sin, b * cos));
        }
      }
    }
  }
}
