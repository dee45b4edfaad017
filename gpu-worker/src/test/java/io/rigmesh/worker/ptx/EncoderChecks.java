package io.rigmesh.worker.ptx;

import io.rigmesh.worker.kernels.AttentionSpan;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Checks of the kernels that encoders like BERT have of their own.
final class EncoderChecks {
  private static final Kernels SCALAR = new ScalarKernels();
  private static final int ROWS = 4;
  private static final int SPARE = 2;
  private static final float EPSILON = 1e-12f;

  /// Texts of rows after each other, and the rows of the query tile in the last one.
  private record Texts(HeadLayout layout, int before, int length) {}

  private EncoderChecks() {}

  static void addTo(Map<String, Consumer<KernelStage>> checks) {
    checks.put("embedding_norm", stage -> embeddingNorm(stage, false));
    checks.put("embedding_norm_i8", stage -> embeddingNorm(stage, true));
    checks.put("layer_norm_i8", EncoderChecks::layerNorm);
    checks.put("gelu_i8", EncoderChecks::gelu);
    checks.put("pool", EncoderChecks::pool);
    checks.put("attention_spans_64", stage -> attention(stage, 64, 33_024));
    checks.put("attention_spans_128", stage -> attention(stage, 128, 57_600));
  }

  private static void embeddingNorm(KernelStage stage, boolean quantised) {
    for (int cols : new int[] {2, 255, 513}) {
      Tensor words = stage.numbers().matrix(9, cols);
      Tensor type = stage.numbers().vector(cols);
      Tensor places = stage.numbers().matrix(5, cols);
      Tensor gain = stage.numbers().vector(cols);
      Tensor bias = stage.numbers().vector(cols);
      int[] ids = {8, 0, 3, 3};
      int[] positions = {0, 1, 4, 0};
      DeviceBuffer y = stage.poisoned("y", (ROWS + SPARE) * cols);
      QuantisedTarget target = QuantisedTarget.of(stage, ROWS, SPARE, cols);
      DeviceBuffer wordsAt = stage.floats("words", words);
      DeviceBuffer typeAt = stage.floats("type", type);
      DeviceBuffer placesAt = stage.floats("places", places);
      DeviceBuffer idsAt = stage.ints("ids", ids);
      DeviceBuffer positionsAt = stage.ints("positions", positions);
      DeviceBuffer gainAt = stage.floats("gain", gain);
      DeviceBuffer biasAt = stage.floats("bias", bias);
      DeviceBuffer rows = stage.ints("rows", ROWS);
      Extent grid = Extent.of(ROWS + SPARE);
      if (quantised) {
        stage.launch(
            grid,
            256,
            0,
            wordsAt,
            typeAt,
            placesAt,
            idsAt,
            positionsAt,
            gainAt,
            biasAt,
            EPSILON,
            y,
            target.bytes(),
            target.scales(),
            target.pitch(),
            rows,
            cols,
            stage.fault(),
            KernelStage.OP);
      } else {
        stage.launch(
            grid,
            256,
            0,
            wordsAt,
            typeAt,
            placesAt,
            idsAt,
            positionsAt,
            gainAt,
            biasAt,
            EPSILON,
            y,
            rows,
            cols,
            stage.fault(),
            KernelStage.OP);
      }
      var expected =
          stage.expected(
              List.of("addBias", "add", "layerNorm sum of squares", "layerNorm"),
              () -> {
                Tensor x = Tensor.zeros(ROWS, cols);
                Tensor place = Tensor.zeros(ROWS, cols);
                SCALAR.embedding(words, ids, x);
                SCALAR.addBias(x, type, x);
                SCALAR.embedding(places, positions, place);
                SCALAR.add(x, place, x);
                SCALAR.layerNorm(x, gain, bias, EPSILON, x);
                return x;
              });
      if (expected.isEmpty()) {
        return;
      }
      stage.same(y, cols, expected.get());
      if (quantised) {
        target.same(stage, expected.get());
      }
    }
  }

  private static void layerNorm(KernelStage stage) {
    for (int cols : new int[] {2, 255, 513}) {
      Tensor x = stage.numbers().matrix(ROWS, cols);
      Tensor gain = stage.numbers().vector(cols);
      Tensor bias = stage.numbers().vector(cols);
      // In place, as a layer does.
      DeviceBuffer y = stage.poisoned("x and y", (ROWS + SPARE) * cols);
      y.write(0, KernelStage.littleEndian(x.toArray()));
      QuantisedTarget target = QuantisedTarget.of(stage, ROWS, SPARE, cols);
      stage.launch(
          Extent.of(ROWS + SPARE),
          256,
          0,
          y,
          stage.floats("gain", gain),
          stage.floats("bias", bias),
          EPSILON,
          y,
          target.bytes(),
          target.scales(),
          target.pitch(),
          stage.ints("rows", ROWS),
          cols,
          stage.fault(),
          KernelStage.OP);
      var expected =
          stage.expected(
              List.of("layerNorm sum of squares", "layerNorm"),
              () -> {
                Tensor result = Tensor.zeros(ROWS, cols);
                SCALAR.layerNorm(x, gain, bias, EPSILON, result);
                return result;
              });
      if (expected.isEmpty()) {
        return;
      }
      stage.same(y, cols, expected.get());
      target.same(stage, expected.get());
    }
  }

  private static void gelu(KernelStage stage) {
    for (int cols : new int[] {1, 100, 1300}) {
      Tensor x = stage.numbers().matrix(ROWS, cols);
      DeviceBuffer y = stage.poisoned("x", (ROWS + SPARE) * cols);
      y.write(0, KernelStage.littleEndian(x.toArray()));
      QuantisedTarget target = QuantisedTarget.of(stage, ROWS, SPARE, cols);
      stage.launch(
          Extent.of(ROWS + SPARE),
          cols > 1000 ? 512 : 32,
          0,
          y,
          target.bytes(),
          target.scales(),
          target.pitch(),
          stage.ints("rows", ROWS),
          cols,
          stage.fault(),
          KernelStage.OP);
      var expected =
          stage.expected(
              List.of("gelu"),
              () -> {
                Tensor result = Tensor.zeros(ROWS, cols);
                SCALAR.gelu(x, result);
                return result;
              });
      if (expected.isEmpty()) {
        return;
      }
      stage.same(y, cols, expected.get());
      target.same(stage, expected.get());
    }
  }

  private static void pool(KernelStage stage) {
    int[] spans = {0, 1, 1, 20, 21, 3};
    int texts = spans.length / 2;
    for (int cols : new int[] {1, 70, 300}) {
      for (int mode = 0; mode < 3; mode++) {
        for (boolean normalised : new boolean[] {false, true}) {
          Tensor x = stage.numbers().matrix(24, cols);
          DeviceBuffer y = stage.poisoned("y", (texts + SPARE) * cols);
          stage.launch(
              Extent.of(texts + SPARE),
              256,
              0,
              stage.floats("x", x),
              stage.ints("spans", spans),
              y,
              stage.ints("texts", texts),
              cols,
              mode,
              normalised ? 1 : 0,
              stage.fault(),
              KernelStage.OP);
          int pooling = mode;
          stage
              .expected(
                  List.of("laneSumOfSquares", "embedding"),
                  () -> pooled(x, spans, pooling, normalised))
              .ifPresent(result -> stage.same(y, cols, result));
          if (stage.reported()) {
            return;
          }
        }
      }
    }
  }

  /// The definition in docs/numerics.md, "Pooling".
  private static Tensor pooled(Tensor x, int[] spans, int mode, boolean normalised) {
    int cols = x.cols();
    Tensor y = Tensor.zeros(spans.length / 2, cols);
    for (int text = 0; text < y.rowCount(); text++) {
      int first = spans[2 * text];
      int rows = spans[2 * text + 1];
      for (int c = 0; c < cols; c++) {
        float value = x.get(mode == 2 ? first + rows - 1 : first, c);
        for (int row = 1; mode == 0 && row < rows; row++) {
          value += x.get(first + row, c);
        }
        y.set(text * cols + c, mode == 0 ? value / rows : value);
      }
      if (normalised) {
        normalise(y.rows(text, text + 1), text);
      } else {
        SCALAR.checkFinite("embedding", y);
      }
    }
    return y;
  }

  private static void normalise(Tensor row, int text) {
    float squares;
    try {
      squares = SCALAR.laneSumOfSquares(row);
    } catch (NonFiniteException e) {
      throw new NonFiniteException(e.op(), text, Float.POSITIVE_INFINITY);
    }
    float length = Math.max(1e-12f, (float) Math.sqrt(squares));
    for (int c = 0; c < row.cols(); c++) {
      row.set(c, row.get(c) / length);
    }
  }

  /// @param headMax the longest head that the kernel takes, which is that of real models
  private static List<Texts> texts(KernelStage stage, int headMax) {
    HeadLayout two = new HeadLayout(2, 2, headMax == 64 ? 10 : 70);
    Texts real = new Texts(new HeadLayout(2, 2, headMax), 3, 37);
    if (stage.kind() == Numbers.Kind.FAR_APART) {
      return List.of(new Texts(two, 3, 37), real);
    }
    if (stage.kind() != Numbers.Kind.ORDINARY) {
      return List.of(new Texts(two, 3, 37));
    }
    return List.of(
        new Texts(new HeadLayout(1, 1, 1), 1, 1),
        new Texts(two, 2, 33),
        new Texts(new HeadLayout(3, 3, 5), 70, 2),
        new Texts(new HeadLayout(1, 1, 3), 2, 1030),
        real);
  }

  /// Two texts in one launch; of a long one only some of the queries, which know nothing of each
  /// other.
  private static void attention(KernelStage stage, int headMax, int sharedBytes) {
    for (Texts one : texts(stage, headMax)) {
      HeadLayout layout = one.layout();
      int width = layout.queryCols();
      int rows = one.before() + one.length();
      int queries = Math.min(one.length(), 40);
      Tensor qkv = stage.numbers().matrix(rows, 3 * width);
      DeviceBuffer out = stage.poisoned("out", rows * width);
      int first = Math.min(one.before(), 64);
      int[] tiles = {
        0, first, 0, one.before(), one.before(), queries, one.before(), one.length(),
      };
      stage.launch(
          new Extent(tiles.length / 4 + 1, layout.heads(), 1),
          128,
          sharedBytes,
          stage.floats("qkv", qkv, 3 * width + 1),
          3 * width + 1,
          stage.ints("tiles", tiles),
          stage.ints("count of tiles", tiles.length / 4),
          out,
          layout.heads(),
          layout.headDim(),
          layout.scoreScale(),
          stage.fault(),
          KernelStage.OP);
      var expected =
          stage.expected(
              List.of("attention score", "attention"),
              () -> {
                Tensor result = Tensor.zeros(rows, width);
                SCALAR.attention(
                    part(qkv, 0, width),
                    part(qkv, width, width),
                    part(qkv, 2 * width, width),
                    layout,
                    List.of(
                        AttentionSpan.bidirectional(0, one.before(), one.before()),
                        AttentionSpan.bidirectional(one.before(), one.length(), one.length())),
                    result);
                return result;
              });
      if (expected.isEmpty()) {
        return;
      }
      compare(stage, out, expected.get(), List.of(0, first, one.before(), queries));
    }
  }

  /// The rows of the tiles alone were written.
  private static void compare(
      KernelStage stage, DeviceBuffer out, Tensor expected, List<Integer> written) {
    Tensor poisoned = Tensor.zeros(expected.rowCount(), expected.cols());
    poisoned.fill(Float.intBitsToFloat(0x7fc0ffff));
    for (int i = 0; i < written.size(); i += 2) {
      int from = written.get(i);
      int to = from + written.get(i + 1);
      poisoned.rows(from, to).copyFrom(expected.rows(from, to));
    }
    stage.same(out, expected.cols(), poisoned);
  }

  private static Tensor part(Tensor all, int from, int cols) {
    Tensor part = Tensor.zeros(all.rowCount(), cols);
    for (int row = 0; row < all.rowCount(); row++) {
      for (int c = 0; c < cols; c++) {
        part.set(row * cols + c, all.get(row, from + c));
      }
    }
    return part;
  }
}
