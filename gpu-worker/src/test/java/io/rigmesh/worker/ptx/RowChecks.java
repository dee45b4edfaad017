package io.rigmesh.worker.ptx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.kernels.PagedSpan;
import io.rigmesh.worker.kernels.QuantisedRows;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.assertj.core.api.InstanceOfAssertFactories;

/// Checks of the kernels that work on whole rows: norms, softmax, argmax, quantisation, rope.
final class RowChecks {
  private static final Kernels SCALAR = new ScalarKernels();
  private static final int ROWS = 4;
  private static final int SPARE = 2;
  private static final float EPSILON = 1e-5f;

  private RowChecks() {}

  static void addTo(Map<String, Consumer<KernelStage>> checks) {
    checks.put("rms_norm", RowChecks::rmsNorm);
    checks.put("rms_norm_i8", RowChecks::rmsNormQuantised);
    checks.put("layer_norm", RowChecks::layerNorm);
    checks.put("softmax", RowChecks::softmax);
    checks.put("argmax", RowChecks::argmax);
    checks.put("rms_norm_listed", stage -> rmsNormListed(stage, false));
    checks.put("rms_norm_listed_i8", stage -> rmsNormListed(stage, true));
    checks.put("rope", RowChecks::rope);
    checks.put("rope_store", RowChecks::ropeStore);
    for (String type : List.of("f32", "bf16", "f16")) {
      checks.put("quantise_rows_" + type, stage -> quantise(stage, type));
    }
  }

  private static void rmsNorm(KernelStage stage) {
    for (int cols : new int[] {1, 63, 300, 777}) {
      int parts = cols == 63 ? 3 : 1;
      int stride = cols * parts + 5;
      Tensor x = stage.numbers().matrix(ROWS, cols * parts);
      Tensor gain = stage.numbers().vector(cols);
      DeviceBuffer y = stage.poisoned("y", (ROWS + SPARE) * stride);
      stage.launch(
          new Extent(ROWS + SPARE, parts, 1),
          256,
          0,
          stage.floats("x", x, stride),
          stride,
          stage.floats("gain", gain),
          EPSILON,
          y,
          stride,
          stage.ints("rows", ROWS),
          cols,
          stage.fault(),
          KernelStage.OP);
      stage
          .expected(
              List.of("rmsNorm sum of squares", "rmsNorm"),
              () -> {
                Tensor result = Tensor.zeros(ROWS * parts, cols);
                SCALAR.rmsNorm(x.reshape(ROWS * parts, cols), gain, EPSILON, result);
                return result.reshape(ROWS, cols * parts);
              })
          .ifPresent(result -> stage.same(y, stride, result));
      if (stage.reported()) {
        return;
      }
    }
  }

  private static void rmsNormQuantised(KernelStage stage) {
    for (int cols : new int[] {1, 300, 777}) {
      Tensor x = stage.numbers().matrix(ROWS, cols);
      Tensor gain = stage.numbers().vector(cols);
      QuantisedTarget target = QuantisedTarget.of(stage, ROWS, SPARE, cols);
      stage.launch(
          Extent.of(ROWS + SPARE),
          256,
          0,
          stage.floats("x", x),
          cols,
          stage.floats("gain", gain),
          EPSILON,
          target.bytes(),
          target.scales(),
          target.pitch(),
          stage.ints("rows", ROWS),
          cols,
          stage.fault(),
          KernelStage.OP);
      stage
          .expected(
              List.of("rmsNorm sum of squares", "rmsNorm"),
              () -> {
                Tensor normed = Tensor.zeros(ROWS, cols);
                SCALAR.rmsNorm(x, gain, EPSILON, normed);
                return normed;
              })
          .ifPresent(normed -> target.same(stage, normed));
      if (stage.reported()) {
        return;
      }
    }
  }

  private static void layerNorm(KernelStage stage) {
    for (int cols : new int[] {2, 255, 513}) {
      Tensor x = stage.numbers().matrix(ROWS, cols);
      Tensor gain = stage.numbers().vector(cols);
      Tensor bias = stage.numbers().vector(cols);
      DeviceBuffer y = stage.poisoned("y", (ROWS + SPARE) * cols);
      stage.launch(
          Extent.of(ROWS + SPARE),
          256,
          0,
          stage.floats("x", x),
          stage.floats("gain", gain),
          stage.floats("bias", bias),
          EPSILON,
          y,
          stage.ints("rows", ROWS),
          cols,
          stage.fault(),
          KernelStage.OP);
      stage
          .expected(
              List.of("layerNorm sum of squares", "layerNorm"),
              () -> {
                Tensor result = Tensor.zeros(ROWS, cols);
                SCALAR.layerNorm(x, gain, bias, EPSILON, result);
                return result;
              })
          .ifPresent(result -> stage.same(y, cols, result));
      if (stage.reported()) {
        return;
      }
    }
  }

  private static void softmax(KernelStage stage) {
    for (int cols : new int[] {1, 40, 1030}) {
      Tensor x = stage.numbers().matrix(ROWS, cols);
      DeviceBuffer y = stage.poisoned("y", (ROWS + SPARE) * cols);
      stage.launch(
          Extent.of(ROWS + SPARE),
          256,
          0,
          stage.floats("x", x),
          y,
          stage.ints("rows", ROWS),
          cols,
          stage.fault(),
          KernelStage.OP);
      stage
          .expected(
              List.of("softmax"),
              () -> {
                Tensor result = Tensor.zeros(ROWS, cols);
                SCALAR.softmax(x, result);
                return result;
              })
          .ifPresent(result -> stage.same(y, cols, result));
      if (stage.reported()) {
        return;
      }
    }
  }

  private static void argmax(KernelStage stage) {
    for (int cols : new int[] {1, 33, 1500}) {
      Tensor x = stage.numbers().matrix(ROWS, cols);
      // Ties: the largest value again behind where it is, and a zero of the other sign.
      int[] first = SCALAR.argmax(x);
      for (int row = 0; row < ROWS; row++) {
        int last = row * cols + cols - 1;
        float most = x.get(row, first[row]);
        x.set(last, most == 0f ? -most : most);
      }
      DeviceBuffer best = stage.bytes("best", new byte[(ROWS + SPARE) * 8]);
      stage.launch(
          new Extent(ROWS + SPARE, 3, 1),
          256,
          0,
          stage.floats("x", x),
          best,
          stage.ints("rows", ROWS),
          cols);
      int[] expected = SCALAR.argmax(x);
      for (int row = 0; row < ROWS; row++) {
        assertThat(~(int) stage.word(best, row))
            .as("argmax of row %d", row)
            .isEqualTo(expected[row]);
      }
      assertThat(stage.word(best, ROWS)).isZero();
    }
  }

  /// Of the rows of x, those in the list, in its order.
  private static void rmsNormListed(KernelStage stage, boolean quantised) {
    int[] list = {5, 0, 0, 3};
    for (int cols : new int[] {1, 300, 777}) {
      Tensor x = stage.numbers().matrix(6, cols);
      Tensor listed = Tensor.zeros(ROWS, cols);
      for (int row = 0; row < ROWS; row++) {
        listed.rows(row, row + 1).copyFrom(x.rows(list[row], list[row] + 1));
      }
      Tensor gain = stage.numbers().vector(cols);
      DeviceBuffer y = stage.poisoned("y", (ROWS + SPARE) * cols);
      QuantisedTarget target = QuantisedTarget.of(stage, ROWS, SPARE, cols);
      DeviceBuffer best = stage.poisoned("best", 2 * (ROWS + SPARE));
      DeviceBuffer xAt = stage.floats("x", x);
      DeviceBuffer listAt = stage.ints("list", list);
      DeviceBuffer gainAt = stage.floats("gain", gain);
      DeviceBuffer rows = stage.ints("rows", ROWS);
      Extent grid = Extent.of(ROWS + SPARE);
      if (quantised) {
        stage.launch(
            grid,
            256,
            0,
            xAt,
            listAt,
            gainAt,
            EPSILON,
            y,
            target.bytes(),
            target.scales(),
            target.pitch(),
            best,
            rows,
            cols,
            stage.fault(),
            KernelStage.OP);
      } else {
        stage.launch(
            grid,
            256,
            0,
            xAt,
            listAt,
            gainAt,
            EPSILON,
            y,
            best,
            rows,
            cols,
            stage.fault(),
            KernelStage.OP);
      }
      var expected =
          stage.expected(
              List.of("rmsNorm sum of squares", "rmsNorm"),
              () -> {
                Tensor result = Tensor.zeros(ROWS, cols);
                SCALAR.rmsNorm(listed, gain, EPSILON, result);
                return result;
              });
      if (expected.isEmpty()) {
        return;
      }
      stage.same(y, cols, expected.get());
      for (int row = 0; row < ROWS; row++) {
        assertThat(stage.word(best, row)).isZero();
      }
      assertThat(stage.word(best, ROWS)).isNotZero();
      if (quantised) {
        target.same(stage, expected.get());
      }
    }
  }

  private static void quantise(KernelStage stage, String type) {
    if (!stage.kind().finite()) {
      for (int at : new int[] {0, 300, 1199}) {
        refused(stage, type, at);
        stage.clear();
      }
      refused(stage, type, 723);
      return;
    }
    Narrow narrow = Narrow.of(type);
    int[] most = {1, 300, 1030, 65_536};
    for (int cols : stage.kind() == Numbers.Kind.ORDINARY ? most : new int[] {1, 300, 1030}) {
      int stride = cols + 3;
      Tensor x = narrow.rounded(stage.numbers().matrix(ROWS, stride));
      Tensor kept = Tensor.zeros(ROWS, cols);
      for (int row = 0; row < ROWS; row++) {
        for (int col = 0; col < cols; col++) {
          kept.set(row * cols + col, x.get(row, col));
        }
      }
      boolean bad = stage.kind() == Numbers.Kind.OVERFLOWING;
      if (bad) {
        x.set(2 * stride + cols - 1, Float.POSITIVE_INFINITY);
        kept.set(3 * cols - 1, Float.POSITIVE_INFINITY);
      }
      QuantisedTarget target = QuantisedTarget.of(stage, ROWS, SPARE, cols);
      stage.launch(
          Extent.of(ROWS + SPARE),
          cols > 1000 ? 1024 : 256,
          0,
          stage.bytes("x", narrow.bytes(x)),
          stride,
          target.bytes(),
          target.scales(),
          target.pitch(),
          stage.ints("rows", ROWS),
          cols,
          stage.fault(),
          KernelStage.OP);
      if (bad) {
        assertThat(stage.word(stage.fault(), 0) >>> 16)
            .isEqualTo((long) KernelStage.OP << 32 | (3 * cols - 1));
        return;
      }
      target.same(stage, kept);
    }
  }

  /// Element `at` of four rows is not finite, and one behind it: the reference refuses the row, the
  /// kernel names the element, which is in it.
  private static void refused(KernelStage stage, String type, int at) {
    int cols = 300;
    Narrow narrow = Narrow.of(type);
    Tensor x = narrow.rounded(stage.numbers().finite(ROWS, cols));
    x.set(at, stage.kind().guest());
    x.set(Math.min(at + 17, x.size() - 1), Float.NaN);
    x.set(at, stage.kind().guest());
    QuantisedTarget target = QuantisedTarget.of(stage, ROWS, SPARE, cols);
    stage.launch(
        Extent.of(ROWS + SPARE),
        512,
        0,
        stage.bytes("x", narrow.bytes(x)),
        cols,
        target.bytes(),
        target.scales(),
        target.pitch(),
        stage.ints("rows", ROWS),
        cols,
        stage.fault(),
        KernelStage.OP);
    var expected =
        stage.expected(
            List.of("quantise"),
            () -> {
              SCALAR.checkFinite("quantise", x);
              return x;
            });
    assertThat(expected).isEmpty();
    assertThatThrownBy(() -> QuantisedRows.of(x))
        .asInstanceOf(InstanceOfAssertFactories.type(NonFiniteException.class))
        .satisfies(e -> assertThat(e.op()).isEqualTo("quantise"))
        .satisfies(e -> assertThat(e.index()).isEqualTo(at / cols));
    float guest = stage.kind().guest();
    assertThat((int) stage.word(stage.fault(), 0) & 0xffff)
        .isEqualTo(Float.floatToIntBits(guest) >>> 16);
  }

  private static void rope(KernelStage stage) {
    int heads = 3;
    int d = 70;
    RopeTable table = RopeTable.of(d, 50, 10_000);
    int[] positions = {0, 49, 7, 8};
    Tensor x = stage.numbers().matrix(ROWS, heads * d);
    DeviceBuffer y = stage.poisoned("y", (ROWS + SPARE) * heads * d);
    stage.launch(
        new Extent(ROWS + SPARE, heads, 1),
        32,
        0,
        stage.floats("x", x),
        stage.ints("positions", positions),
        stage.floats("cos", table.cos()),
        stage.floats("sin", table.sin()),
        y,
        stage.ints("rows", ROWS),
        heads,
        d,
        stage.fault(),
        KernelStage.OP);
    stage
        .expected(
            List.of("rope"),
            () -> {
              Tensor result = Tensor.zeros(ROWS, heads * d);
              SCALAR.rope(x, positions, table, result);
              return result;
            })
        .ifPresent(result -> stage.same(y, heads * d, result));
  }

  private static void ropeStore(KernelStage stage) {
    for (boolean turned : new boolean[] {true, false}) {
      HeadLayout layout = new HeadLayout(4, 2, 6);
      int width = layout.queryCols() + 2 * layout.keyCols();
      RopeTable table = RopeTable.of(layout.headDim(), 80, 10_000);
      Tensor q = stage.numbers().matrix(ROWS, layout.queryCols());
      Tensor k = stage.numbers().matrix(ROWS, layout.keyCols());
      Tensor v = stage.numbers().matrix(ROWS, layout.keyCols());
      int[] positions = {31, 32, 33, 5};
      int[][] tables = {{3, 0, 1}, {2, 2, 2}};
      List<PagedSpan> spans =
          List.of(new PagedSpan(0, 3, 31, tables[0]), new PagedSpan(3, 1, 5, tables[1]));
      int poolFloats = 4 * layout.keyCols() * KeyValuePages.PAGE;
      DeviceBuffer qkv = stage.floats("qkv", joined(q, k, v));
      DeviceBuffer keys = stage.poisoned("keys", poolFloats);
      DeviceBuffer values = stage.poisoned("values", poolFloats);
      stage.launch(
          new Extent(ROWS + SPARE, layout.heads() + 2 * layout.kvHeads(), 1),
          32,
          0,
          qkv,
          stage.ints("positions", positions),
          stage.ints("sequences", 0, 0, 0, 1),
          stage.ints("page tables", 3, 0, 1, 2, 2, 2),
          3,
          stage.floats("cos", table.cos()),
          stage.floats("sin", table.sin()),
          keys,
          values,
          stage.ints("rows", ROWS),
          layout.heads(),
          layout.kvHeads(),
          layout.headDim(),
          turned ? 1 : 0,
          stage.fault(),
          KernelStage.OP);
      KeyValuePages pages = poisonedPages(layout, stage, keys, values);
      var expected =
          stage.expected(
              List.of("rope", "rope"),
              () -> {
                Tensor turnedQ = q.copy();
                Tensor turnedK = k.copy();
                if (turned) {
                  SCALAR.rope(q, positions, table, turnedQ);
                  SCALAR.rope(k, positions, table, turnedK);
                }
                SCALAR.storeKeys(turnedK, pages, 0, spans);
                SCALAR.storeValues(v, pages, 0, spans);
                return joined(turnedQ, k, v);
              });
      if (expected.isEmpty()) {
        return;
      }
      stage.same(qkv, width, expected.get());
      stage.same(keys, poolFloats, Tensor.of(pages.keys(0), 1, poolFloats));
      stage.same(values, poolFloats, Tensor.of(pages.values(0), 1, poolFloats));
    }
  }

  private static KeyValuePages poisonedPages(
      HeadLayout layout, KernelStage stage, DeviceBuffer keys, DeviceBuffer values) {
    // What no row of the step writes stays as it was in both.
    KeyValuePages pages = new KeyValuePages(1, layout, 4);
    java.util.Arrays.fill(pages.keys(0), Float.intBitsToFloat(0x7fc0ffff));
    java.util.Arrays.fill(pages.values(0), Float.intBitsToFloat(0x7fc0ffff));
    assertThat(stage.read(keys, 0, 1)).hasSize(1);
    assertThat(values.size()).isEqualTo(keys.size());
    return pages;
  }

  static Tensor joined(Tensor q, Tensor k, Tensor v) {
    int width = q.cols() + k.cols() + v.cols();
    Tensor result = Tensor.zeros(q.rowCount(), width);
    for (int row = 0; row < q.rowCount(); row++) {
      int at = row * width;
      for (Tensor part : List.of(q, k, v)) {
        for (int col = 0; col < part.cols(); col++) {
          result.set(at++, part.get(row, col));
        }
      }
    }
    return result;
  }
}
