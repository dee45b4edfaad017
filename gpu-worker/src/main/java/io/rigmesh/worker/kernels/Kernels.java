package io.rigmesh.worker.kernels;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;
import java.util.OptionalInt;

/// The operations of profiles f32-v1 and i8-v1. Every implementation gives the same bits for the
/// same inputs (invariant I1); what those bits are is defined in docs/numerics.md, which each
/// method here sums up in one sentence. The profiles differ in the linear layers whose weights were
/// packed; all else is common to both.
///
/// Results are written into tensors that the caller owns, which must not overlap an input unless a
/// method says so. Shapes are checked and a wrong one is an IllegalArgumentException; NaN or
/// infinity in a result is a [NonFiniteException]. An instance serves one calling thread at a time
/// and may spread the work over [#threads] of its own, which never changes a bit.
///
/// Shapes in the comments: T rows (tokens), K inputs, N outputs, V the vocabulary. "Rows" of a
/// tensor are counted over all its leading dimensions. All sums over K, T or keys follow the block,
/// lane or split order of the definitions.
public interface Kernels extends AutoCloseable {
  /// The length of a block of a block dot, and of a split of keys twice this.
  int BLOCK = 512;

  /// The number of keys in one split of attention, counted by absolute position.
  int SPLIT = 1024;

  /// The number of lanes of a lane sum.
  int LANES = 256;

  /// A short name for logs and receipts, for example `scalar`.
  String name();

  /// How many threads, the caller among them, the operations run on.
  int threads();

  /// Ends the threads of this instance; it must not be used afterwards.
  @Override
  void close();

  // Linear layers: block dots.

  /// Brings a weight `(N, K)` into this backend's layout for many uses in one profile: f32-v1 keeps
  /// its values, i8-v1 quantises its rows as [QuantisedRows] says and takes K up to
  /// [QuantisedRows#COLS_MAX].
  PackedWeight pack(Tensor weight, Profile profile);

  /// y `(T, N)` = x `(T, K)` · weightᵀ. In f32-v1, element (t, n) is the block dot of row t of x
  /// and row n of the weight; in i8-v1 the rows of x are quantised too, and it is float(the exact
  /// sum of integer products) * (scale of x's row t * scale of the weight's row n).
  void linear(Tensor x, PackedWeight weight, Tensor y);

  /// As [#linear(Tensor, PackedWeight, Tensor)], then bias `(N)` is added to the finished sum.
  void linear(Tensor x, PackedWeight weight, Tensor bias, Tensor y);

  /// Several layers of one input, all packed for one profile: the same bits as one after another.
  default void linear(Tensor x, List<Projection> projections) {
    for (Projection projection : projections) {
      if (projection.bias().isPresent()) {
        linear(x, projection.weight(), projection.bias().get(), projection.y());
      } else {
        linear(x, projection.weight(), projection.y());
      }
    }
  }

  /// As [#linear(Tensor, PackedWeight, Tensor)] in f32-v1 for a weight `(N, K)` that changes from
  /// call to call.
  void linear(Tensor x, Tensor weight, Tensor y);

  /// dx `(T, K)` = dy `(T, N)` · weight `(N, K)`: block dots over N.
  void linearInputGradient(Tensor dy, Tensor weight, Tensor dx);

  /// dWeight `(N, K)` = dyᵀ `(N, T)` · x `(T, K)`: block dots over the rows, in ascending order.
  void linearWeightGradient(Tensor dy, Tensor x, Tensor dWeight);

  // Rows of a table, and element by element.

  /// Row t of y `(T, K)` is row `ids[t]` of the table `(V, K)`.
  void embedding(Tensor table, int[] ids, Tensor y);

  /// dTable `(V, K)`: +0 everywhere, then row t of dy `(T, K)` is added to row `ids[t]`, for
  /// ascending t.
  void embeddingGradient(int[] ids, Tensor dy, Tensor dTable);

  /// y = a + b, element by element; y may be a or b.
  void add(Tensor a, Tensor b, Tensor y);

  /// y = x + bias `(K)` in every row; y may be x.
  void addBias(Tensor x, Tensor bias, Tensor y);

  /// dBias `(K)`: column sums of dy over its rows, in blocks of 512 rows, each an ascending chain
  /// of additions from +0.
  void biasGradient(Tensor dy, Tensor dBias);

  /// y = x * factor, element by element; y may be x.
  void scale(Tensor x, float factor, Tensor y);

  /// y = 0.5x * (1 + erf(x / sqrt 2)), element by element; y may be x.
  void gelu(Tensor x, Tensor y);

  /// y = tanh(x), element by element; y may be x.
  void tanh(Tensor x, Tensor y);

  /// y = (gate * sigmoid(gate)) * up, element by element; y may be gate or up.
  void swiglu(Tensor gate, Tensor up, Tensor y);

  /// The gradients of [#swiglu]; dGate may be gate and dUp may be up.
  void swigluBackward(Tensor gate, Tensor up, Tensor dy, Tensor dGate, Tensor dUp);

  // Row by row.

  /// y = (x * r) * gain with r = 1 / sqrt(laneSumOfSquares(row) / K + epsilon) in every row; y may
  /// be x.
  void rmsNorm(Tensor x, Tensor gain, float epsilon, Tensor y);

  /// The gradients of [#rmsNorm] for x and for gain `(K)`; dx may be dy.
  void rmsNormBackward(Tensor x, Tensor gain, float epsilon, Tensor dy, Tensor dx, Tensor dGain);

  /// y = fma((x - mean) * r, gain, bias) with r = 1 / sqrt(variance + epsilon) in every row; y may
  /// be x.
  void layerNorm(Tensor x, Tensor gain, Tensor bias, float epsilon, Tensor y);

  /// y = exp(x - max) / laneSum(exp(x - max)) in every row; y may be x.
  void softmax(Tensor x, Tensor y);

  /// The mean cross entropy, in nats, of logits `(T, V)` over the rows whose target is not
  /// `ignoredTarget`.
  float crossEntropy(Tensor logits, int[] targets, int ignoredTarget);

  /// As [#crossEntropy], with the gradient of the mean in dLogits `(T, V)`, +0 in ignored rows;
  /// dLogits may be logits.
  float crossEntropyBackward(Tensor logits, int[] targets, int ignoredTarget, Tensor dLogits);

  /// For every row of x `(T, K)` the lowest index that holds the row's largest value.
  int[] argmax(Tensor x);

  // Attention.

  /// Turns the pairs (i, i + headDim/2) of every head of row t by the angle of `positions[t]`; x is
  /// `(T, heads * headDim)` and y may be x.
  void rope(Tensor x, int[] positions, RopeTable table, Tensor y);

  /// The gradient of [#rope]: the same turn the other way; dx may be dy.
  void ropeBackward(Tensor dy, int[] positions, RopeTable table, Tensor dx);

  /// Softmax attention in two passes over the keys, in splits of 1024 by absolute position: q and
  /// out are `(rows, heads * headDim)`, keys and values `(key rows, kvHeads * headDim)`. Rows of
  /// out that no span names stay as they are.
  void attention(
      Tensor q,
      Tensor keys,
      Tensor values,
      HeadLayout layout,
      List<AttentionSpan> spans,
      Tensor out);

  /// Writes the keys of every span's rows, `(rows, kvHeads * headDim)`, into the slots of their
  /// positions.
  void storeKeys(Tensor keys, KeyValuePages pages, int layer, List<PagedSpan> spans);

  /// Writes the values of every span's rows, `(rows, kvHeads * headDim)`, into the slots of their
  /// positions.
  void storeValues(Tensor values, KeyValuePages pages, int layer, List<PagedSpan> spans);

  /// Causal softmax attention over keys and values that lie in pages, those of the spans' own rows
  /// stored before: the bits of [#attention(Tensor, Tensor, Tensor, HeadLayout, List, Tensor)].
  /// With a window w, the row of position i sees only the positions above i - w; splits are still
  /// counted from position 0. q and out are `(rows, heads * headDim)`; rows of out that no span
  /// names stay as they are.
  void attention(
      Tensor q,
      KeyValuePages pages,
      int layer,
      HeadLayout layout,
      List<PagedSpan> spans,
      OptionalInt window,
      Tensor out);

  /// The gradients of [#attention(Tensor, Tensor, Tensor, HeadLayout, List, Tensor)] for q, keys
  /// and values, given its result `out` and the gradient of that. The spans must not share query
  /// rows, nor key rows. Rows that no span names stay as they are.
  void attentionBackward(
      Tensor q,
      Tensor keys,
      Tensor values,
      HeadLayout layout,
      List<AttentionSpan> spans,
      Tensor out,
      Tensor dOut,
      Tensor dQ,
      Tensor dKeys,
      Tensor dValues);

  // Whole tensors.

  /// The lane sum of all elements in row-major order.
  float laneSum(Tensor x);

  /// The lane sum of the squares of all elements in row-major order, each lane an fma chain.
  float laneSumOfSquares(Tensor x);

  /// One AdamW step on a parameter and its two moments, all of one shape, in place.
  void adamW(AdamW step, Tensor gradient, Tensor parameter, Tensor moment1, Tensor moment2);

  /// Throws [NonFiniteException] naming `what` if x, which came from outside, holds NaN or
  /// infinity.
  void checkFinite(String what, Tensor x);

  /// The global norm of gradients: the square root of their sums of squares, added in the order of
  /// the list.
  default float gradientNorm(List<Tensor> gradients) {
    float total = 0f;
    for (Tensor gradient : gradients) {
      total += laneSumOfSquares(gradient);
    }
    NonFiniteException.check("gradientNorm", 0, total);
    return (float) Math.sqrt(total);
  }

  /// What gradients of global norm `norm` are multiplied by so that the norm is at most `normMax`:
  /// 1, or normMax / (norm + 1e-6).
  static float clipScale(float norm, float normMax) {
    return Math.min(1f, normMax / (norm + 1e-6f));
  }
}
