package io.rigmesh.worker.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.AdamW;
import io.rigmesh.worker.kernels.AttentionSpan;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/// Every operation of the vector backend gives the scalar reference's bits, on 1, 2 and 3 threads,
/// for odd shapes and the kinds of values of [Parity.Values].
class BackendParityPropertyTest {
  @Property(tries = 60)
  void linearLayers(
      @ForAll @IntRange(min = 1, max = 21) int rows,
      @ForAll @IntRange(min = 1, max = 150) int in,
      @ForAll @IntRange(min = 1, max = 150) int out,
      @ForAll long seed) {
    Parity.Values values = new Parity.Values(seed);
    Tensor x = values.tensor(rows, in);
    Tensor w = values.tensor(out, in);
    Tensor bias = values.tensor(out);
    Tensor dy = values.tensor(rows, out);
    Parity.same(1, (k, y) -> k.linear(x, k.pack(w, Profile.F32_V1), y[0]), Parity.shape(rows, out));
    Parity.same(
        1, (k, y) -> k.linear(x, k.pack(w, Profile.F32_V1), bias, y[0]), Parity.shape(rows, out));
    Parity.same(1, (k, y) -> k.linear(x, w, y[0]), Parity.shape(rows, out));
    Parity.same(1, (k, y) -> k.linearInputGradient(dy, w, y[0]), Parity.shape(rows, in));
    Parity.same(1, (k, y) -> k.linearWeightGradient(dy, x, y[0]), Parity.shape(out, in));
  }

  @Property(tries = 12)
  void sumsOfManyBlocks(
      @ForAll @IntRange(min = 1, max = 70) int small,
      @ForAll @IntRange(min = 500, max = 2600) int huge,
      @ForAll long seed) {
    Parity.Values values = new Parity.Values(seed);
    Tensor x = values.tensor(small, huge);
    Tensor w = values.tensor(9, huge);
    Tensor tall = values.tensor(huge, small);
    Tensor dy = values.tensor(huge, 9);
    Parity.same(1, (k, y) -> k.linear(x, k.pack(w, Profile.F32_V1), y[0]), Parity.shape(small, 9));
    Parity.same(1, (k, y) -> k.linearInputGradient(x, tall, y[0]), Parity.shape(small, small));
    Parity.same(1, (k, y) -> k.linearWeightGradient(dy, tall, y[0]), Parity.shape(9, small));
    Parity.same(1, (k, y) -> k.biasGradient(tall, y[0]), Parity.shape(small));
  }

  @Property(tries = 60)
  void elementsAndRows(
      @ForAll @IntRange(min = 1, max = 40) int rows,
      @ForAll @IntRange(min = 1, max = 600) int cols,
      @ForAll long seed) {
    Parity.Values values = new Parity.Values(seed);
    Tensor a = values.tensor(rows, cols);
    Tensor b = values.tensor(rows, cols);
    Tensor c = values.tensor(rows, cols);
    Tensor v = values.tensor(cols);
    Tensor u = values.tensor(cols);
    int[] both = Parity.shape(rows, cols);
    Parity.same(1, (k, y) -> k.add(a, b, y[0]), both);
    Parity.same(1, (k, y) -> k.addBias(a, v, y[0]), both);
    Parity.same(1, (k, y) -> k.scale(a, 0.37f, y[0]), both);
    Parity.same(1, (k, y) -> k.gelu(a, y[0]), both);
    Parity.same(1, (k, y) -> k.tanh(a, y[0]), both);
    Parity.same(1, (k, y) -> k.swiglu(a, b, y[0]), both);
    Parity.same(2, (k, y) -> k.swigluBackward(a, b, c, y[0], y[1]), both, both);
    Parity.same(1, (k, y) -> k.rmsNorm(a, v, 1e-5f, y[0]), both);
    Parity.same(
        2, (k, y) -> k.rmsNormBackward(a, v, 1e-5f, b, y[0], y[1]), both, Parity.shape(cols));
    Parity.same(1, (k, y) -> k.layerNorm(a, v, u, 1e-12f, y[0]), both);
    Parity.same(1, (k, y) -> k.softmax(a, y[0]), both);
    Parity.same(1, (k, y) -> y[0].set(0, k.laneSum(a)), Parity.shape(1));
    Parity.same(1, (k, y) -> y[0].set(0, k.laneSumOfSquares(a)), Parity.shape(1));
    for (Kernels kernels : Parity.VECTOR) {
      assertThat(kernels.argmax(a)).isEqualTo(Parity.SCALAR.argmax(a));
    }
  }

  @Property(tries = 40)
  void lossAndTableOperations(
      @ForAll @IntRange(min = 1, max = 40) int rows,
      @ForAll @IntRange(min = 2, max = 300) int cols,
      @ForAll long seed) {
    Parity.Values values = new Parity.Values(seed);
    Tensor logits = values.tensor(rows, cols);
    int[] targets = new int[rows];
    int[] ids = new int[rows];
    for (int i = 0; i < rows; i++) {
      targets[i] = i > 0 && values.random.nextInt(4) == 0 ? -100 : values.random.nextInt(cols);
      ids[i] = values.random.nextInt(7);
    }
    Tensor table = values.tensor(7, cols);
    int[] both = Parity.shape(rows, cols);
    Parity.same(1, (k, y) -> y[0].set(0, k.crossEntropy(logits, targets, -100)), Parity.shape(1));
    Parity.same(
        2,
        (k, y) -> y[1].set(0, k.crossEntropyBackward(logits, targets, -100, y[0])),
        both,
        Parity.shape(1));
    Parity.same(1, (k, y) -> k.embedding(table, ids, y[0]), both);
    Parity.same(1, (k, y) -> k.embeddingGradient(ids, logits, y[0]), Parity.shape(7, cols));
  }

  @Property(tries = 20)
  void optimiserStep(
      @ForAll @IntRange(min = 1, max = 40_000) int size,
      @ForAll @IntRange(min = 1, max = 1000) int step,
      @ForAll long seed) {
    Parity.Values values = new Parity.Values(seed);
    Tensor gradient = values.tensor(size);
    Tensor parameter = values.tensor(size);
    Tensor moment1 = values.tensor(size);
    Tensor moment2 = Tensor.zeros(size);
    for (int i = 0; i < size; i++) {
      moment2.set(i, moment1.get(i) * moment1.get(i));
    }
    AdamW numbers = AdamW.step(step, 3e-4, 0.9, 0.95, 1e-8, 0.1, 0.7f);
    Parity.same(
        3,
        (k, y) -> {
          y[0].copyFrom(parameter);
          y[1].copyFrom(moment1);
          y[2].copyFrom(moment2);
          k.adamW(numbers, gradient, y[0], y[1], y[2]);
        },
        Parity.shape(size),
        Parity.shape(size),
        Parity.shape(size));
  }

  @Property(tries = 40)
  void rotaryEmbedding(
      @ForAll @IntRange(min = 1, max = 9) int rows,
      @ForAll @IntRange(min = 1, max = 3) int heads,
      @ForAll @IntRange(min = 1, max = 40) int half,
      @ForAll long seed) {
    Parity.Values values = new Parity.Values(seed);
    RopeTable table = RopeTable.of(2 * half, 50, 10_000);
    Tensor x = values.tensor(rows, heads * 2 * half);
    int[] positions = values.random.ints(rows, 0, 50).toArray();
    int[] both = Parity.shape(rows, heads * 2 * half);
    Parity.same(1, (k, y) -> k.rope(x, positions, table, y[0]), both);
    Parity.same(1, (k, y) -> k.ropeBackward(x, positions, table, y[0]), both);
  }

  @Property(tries = 40)
  void attentionAndItsGradient(
      @ForAll @IntRange(min = 1, max = 3) int kvHeads,
      @ForAll @IntRange(min = 1, max = 3) int group,
      @ForAll @IntRange(min = 1, max = 40) int headDim,
      @ForAll boolean causal,
      @ForAll long seed) {
    Parity.Values values = new Parity.Values(seed);
    HeadLayout layout = new HeadLayout(kvHeads * group, kvHeads, headDim);
    List<AttentionSpan> spans = new ArrayList<>();
    int queries = 0;
    int keyCount = 0;
    for (int i = 0; i < 3; i++) {
      int q = 1 + values.random.nextInt(i == 0 ? 45 : 9);
      int k = q + values.random.nextInt(30);
      spans.add(new AttentionSpan(queries, q, keyCount, k, causal));
      queries += q;
      keyCount += k;
    }
    Tensor q = values.tensor(queries, layout.queryCols());
    Tensor keys = values.tensor(keyCount, layout.keyCols());
    Tensor rows = values.tensor(keyCount, layout.keyCols());
    Tensor dOut = values.tensor(queries, layout.queryCols());
    attentionAgrees(layout, spans, q, keys, rows, dOut);
  }

  @Property(tries = 2)
  void attentionOverSeveralSplits(@ForAll long seed) {
    Parity.Values values = new Parity.Values(seed);
    HeadLayout layout = new HeadLayout(2, 1, 6);
    List<AttentionSpan> cached = List.of(new AttentionSpan(0, 3, 0, 2_100, true));
    Tensor keys = values.tensor(2_100, 6);
    Tensor rows = values.tensor(2_100, 6);
    attentionAgrees(layout, cached, values.tensor(3, 12), keys, rows, values.tensor(3, 12));
    List<AttentionSpan> whole = List.of(AttentionSpan.causal(0, 1_100));
    Tensor q = values.tensor(1_100, 12);
    Tensor dOut = values.tensor(1_100, 12);
    attentionAgrees(layout, whole, q, keys.rows(0, 1_100), rows.rows(0, 1_100), dOut);
  }

  private static void attentionAgrees(
      HeadLayout layout,
      List<AttentionSpan> spans,
      Tensor q,
      Tensor keys,
      Tensor values,
      Tensor dOut) {
    int[] ofQueries = q.shape();
    int[] ofKeys = keys.shape();
    Tensor out = Tensor.zeros(ofQueries);
    Parity.SCALAR.attention(q, keys, values, layout, spans, out);
    Parity.same(1, (k, y) -> k.attention(q, keys, values, layout, spans, y[0]), ofQueries);
    Parity.same(
        3,
        (k, y) -> k.attentionBackward(q, keys, values, layout, spans, out, dOut, y[0], y[1], y[2]),
        ofQueries,
        ofKeys,
        ofKeys);
  }
}
