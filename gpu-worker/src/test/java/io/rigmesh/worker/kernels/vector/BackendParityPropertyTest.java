package io.rigmesh.worker.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.worker.kernels.AdamW;
import io.rigmesh.worker.kernels.AttentionSpan;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;

/// Every operation of the vector backend gives the scalar reference's bits, on 1, 2 and 3 threads,
/// for odd shapes and for values that are ordinary, tiny (subnormal products and sums), zeros of
/// both signs, or far apart in magnitude.
class BackendParityPropertyTest {
  private static final Kernels SCALAR = new ScalarKernels();
  private static final List<Kernels> VECTOR =
      List.of(new VectorKernels(1), new VectorKernels(2), new VectorKernels(3));

  @AfterContainer
  static void close() {
    VECTOR.forEach(Kernels::close);
  }

  @Property(tries = 60)
  void linearLayers(
      @ForAll @IntRange(min = 1, max = 21) int rows,
      @ForAll @IntRange(min = 1, max = 150) int in,
      @ForAll @IntRange(min = 1, max = 150) int out,
      @ForAll long seed) {
    Values values = new Values(seed);
    Tensor x = values.tensor(rows, in);
    Tensor w = values.tensor(out, in);
    Tensor bias = values.tensor(out);
    Tensor dy = values.tensor(rows, out);
    same(1, (k, y) -> k.linear(x, k.pack(w), y[0]), shape(rows, out));
    same(1, (k, y) -> k.linear(x, k.pack(w), bias, y[0]), shape(rows, out));
    same(1, (k, y) -> k.linear(x, w, y[0]), shape(rows, out));
    same(1, (k, y) -> k.linearInputGradient(dy, w, y[0]), shape(rows, in));
    same(1, (k, y) -> k.linearWeightGradient(dy, x, y[0]), shape(out, in));
  }

  @Property(tries = 12)
  void sumsOfManyBlocks(
      @ForAll @IntRange(min = 1, max = 70) int small,
      @ForAll @IntRange(min = 500, max = 2600) int huge,
      @ForAll long seed) {
    Values values = new Values(seed);
    Tensor x = values.tensor(small, huge);
    Tensor w = values.tensor(9, huge);
    Tensor tall = values.tensor(huge, small);
    Tensor dy = values.tensor(huge, 9);
    same(1, (k, y) -> k.linear(x, k.pack(w), y[0]), shape(small, 9));
    same(1, (k, y) -> k.linearInputGradient(x, tall, y[0]), shape(small, small));
    same(1, (k, y) -> k.linearWeightGradient(dy, tall, y[0]), shape(9, small));
    same(1, (k, y) -> k.biasGradient(tall, y[0]), shape(small));
  }

  @Property(tries = 60)
  void elementsAndRows(
      @ForAll @IntRange(min = 1, max = 40) int rows,
      @ForAll @IntRange(min = 1, max = 600) int cols,
      @ForAll long seed) {
    Values values = new Values(seed);
    Tensor a = values.tensor(rows, cols);
    Tensor b = values.tensor(rows, cols);
    Tensor c = values.tensor(rows, cols);
    Tensor v = values.tensor(cols);
    Tensor u = values.tensor(cols);
    int[] both = shape(rows, cols);
    same(1, (k, y) -> k.add(a, b, y[0]), both);
    same(1, (k, y) -> k.addBias(a, v, y[0]), both);
    same(1, (k, y) -> k.scale(a, 0.37f, y[0]), both);
    same(1, (k, y) -> k.gelu(a, y[0]), both);
    same(1, (k, y) -> k.tanh(a, y[0]), both);
    same(1, (k, y) -> k.swiglu(a, b, y[0]), both);
    same(2, (k, y) -> k.swigluBackward(a, b, c, y[0], y[1]), both, both);
    same(1, (k, y) -> k.rmsNorm(a, v, 1e-5f, y[0]), both);
    same(2, (k, y) -> k.rmsNormBackward(a, v, 1e-5f, b, y[0], y[1]), both, shape(cols));
    same(1, (k, y) -> k.layerNorm(a, v, u, 1e-12f, y[0]), both);
    same(1, (k, y) -> k.softmax(a, y[0]), both);
    same(1, (k, y) -> y[0].set(0, k.laneSum(a)), shape(1));
    same(1, (k, y) -> y[0].set(0, k.laneSumOfSquares(a)), shape(1));
    for (Kernels kernels : VECTOR) {
      assertThat(kernels.argmax(a)).isEqualTo(SCALAR.argmax(a));
    }
  }

  @Property(tries = 40)
  void lossAndTableOperations(
      @ForAll @IntRange(min = 1, max = 40) int rows,
      @ForAll @IntRange(min = 2, max = 300) int cols,
      @ForAll long seed) {
    Values values = new Values(seed);
    Tensor logits = values.tensor(rows, cols);
    int[] targets = new int[rows];
    int[] ids = new int[rows];
    for (int i = 0; i < rows; i++) {
      targets[i] = i > 0 && values.random.nextInt(4) == 0 ? -100 : values.random.nextInt(cols);
      ids[i] = values.random.nextInt(7);
    }
    Tensor table = values.tensor(7, cols);
    int[] both = shape(rows, cols);
    same(1, (k, y) -> y[0].set(0, k.crossEntropy(logits, targets, -100)), shape(1));
    same(
        2,
        (k, y) -> y[1].set(0, k.crossEntropyBackward(logits, targets, -100, y[0])),
        both,
        shape(1));
    same(1, (k, y) -> k.embedding(table, ids, y[0]), both);
    same(1, (k, y) -> k.embeddingGradient(ids, logits, y[0]), shape(7, cols));
  }

  @Property(tries = 20)
  void optimiserStep(
      @ForAll @IntRange(min = 1, max = 40_000) int size,
      @ForAll @IntRange(min = 1, max = 1000) int step,
      @ForAll long seed) {
    Values values = new Values(seed);
    Tensor gradient = values.tensor(size);
    Tensor parameter = values.tensor(size);
    Tensor moment1 = values.tensor(size);
    Tensor moment2 = Tensor.zeros(size);
    for (int i = 0; i < size; i++) {
      moment2.set(i, moment1.get(i) * moment1.get(i));
    }
    AdamW numbers = AdamW.step(step, 3e-4, 0.9, 0.95, 1e-8, 0.1, 0.7f);
    same(
        3,
        (k, y) -> {
          y[0].copyFrom(parameter);
          y[1].copyFrom(moment1);
          y[2].copyFrom(moment2);
          k.adamW(numbers, gradient, y[0], y[1], y[2]);
        },
        shape(size),
        shape(size),
        shape(size));
  }

  @Property(tries = 40)
  void rotaryEmbedding(
      @ForAll @IntRange(min = 1, max = 9) int rows,
      @ForAll @IntRange(min = 1, max = 3) int heads,
      @ForAll @IntRange(min = 1, max = 40) int half,
      @ForAll long seed) {
    Values values = new Values(seed);
    RopeTable table = RopeTable.of(2 * half, 50, 10_000);
    Tensor x = values.tensor(rows, heads * 2 * half);
    int[] positions = values.random.ints(rows, 0, 50).toArray();
    int[] both = shape(rows, heads * 2 * half);
    same(1, (k, y) -> k.rope(x, positions, table, y[0]), both);
    same(1, (k, y) -> k.ropeBackward(x, positions, table, y[0]), both);
  }

  @Property(tries = 40)
  void attentionAndItsGradient(
      @ForAll @IntRange(min = 1, max = 3) int kvHeads,
      @ForAll @IntRange(min = 1, max = 3) int group,
      @ForAll @IntRange(min = 1, max = 40) int headDim,
      @ForAll boolean causal,
      @ForAll long seed) {
    Values values = new Values(seed);
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
    Values values = new Values(seed);
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
    SCALAR.attention(q, keys, values, layout, spans, out);
    same(1, (k, y) -> k.attention(q, keys, values, layout, spans, y[0]), ofQueries);
    same(
        3,
        (k, y) -> k.attentionBackward(q, keys, values, layout, spans, out, dOut, y[0], y[1], y[2]),
        ofQueries,
        ofKeys,
        ofKeys);
  }

  /// Runs the operation on all backends and compares all its results with the reference's, bit for
  /// bit.
  private static void same(int results, BiConsumer<Kernels, Tensor[]> operation, int[]... shapes) {
    Tensor[] expected = new Tensor[results];
    for (int i = 0; i < results; i++) {
      expected[i] = Tensor.zeros(shapes[i]);
    }
    operation.accept(SCALAR, expected);
    for (Kernels kernels : VECTOR) {
      Tensor[] actual = new Tensor[results];
      for (int i = 0; i < results; i++) {
        // Results land in the middle of an array, between values that must stay.
        int size = expected[i].size();
        float[] data = new float[size + 10];
        java.util.Arrays.fill(data, 77f);
        actual[i] = Tensor.view(data, 5, shapes[i]);
        actual[i].fill(0f);
      }
      operation.accept(kernels, actual);
      for (int i = 0; i < results; i++) {
        for (int j = 0; j < expected[i].size(); j++) {
          int want = Float.floatToRawIntBits(expected[i].get(j));
          int have = Float.floatToRawIntBits(actual[i].get(j));
          if (want != have) {
            throw new AssertionError(
                "result %d of %d threads: element %d is %s (%08x), but the reference has %s (%08x)"
                    .formatted(
                        i, kernels.threads(), j, actual[i].get(j), have, expected[i].get(j), want));
          }
        }
        float[] data = actual[i].data();
        for (int j = 0; j < 5; j++) {
          assertThat(data[j]).isEqualTo(77f);
          assertThat(data[data.length - 1 - j]).isEqualTo(77f);
        }
      }
    }
  }

  private static int[] shape(int... lengths) {
    return lengths;
  }

  /// Random tensors of one of several kinds.
  private static final class Values {
    final Random random;

    Values(long seed) {
      random = new Random(seed);
    }

    Tensor tensor(int... shape) {
      int kind = random.nextInt(4);
      Tensor inner = Tensor.zeros(shape);
      // Inputs, too, begin in the middle of an array.
      Tensor tensor = Tensor.view(new float[inner.size() + 3], 3, shape);
      for (int i = 0; i < tensor.size(); i++) {
        tensor.set(i, value(kind));
      }
      return tensor;
    }

    private float value(int kind) {
      float x = (float) random.nextGaussian();
      return switch (kind) {
        case 0 -> x;
        case 1 -> x * 0x1p-70f;
        case 2 -> random.nextInt(3) == 0 ? x : random.nextBoolean() ? 0f : -0f;
        default -> Math.scalb(x, random.nextInt(-60, 3));
      };
    }
  }
}
