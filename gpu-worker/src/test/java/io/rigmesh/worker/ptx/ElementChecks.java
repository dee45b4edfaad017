package io.rigmesh.worker.ptx;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Checks of the kernels that work element by element, and of copies.
final class ElementChecks {
  private static final Kernels SCALAR = new ScalarKernels();
  private static final int ROWS = 5;
  private static final int SPARE = 2;

  private ElementChecks() {}

  /// A function of one or two rows' elements.
  @FunctionalInterface
  private interface Function {
    void apply(Tensor a, Tensor b, Tensor y);
  }

  static void addTo(Map<String, Consumer<KernelStage>> checks) {
    checks.put("add_rows", stage -> binary(stage, "add", SCALAR::add));
    checks.put("swiglu", stage -> binary(stage, "swiglu", SCALAR::swiglu));
    checks.put("gelu", stage -> unary(stage, "gelu", (x, b, y) -> SCALAR.gelu(x, y)));
    checks.put("tanh_rows", stage -> unary(stage, "tanh", (x, b, y) -> SCALAR.tanh(x, y)));
    checks.put("add_bias", ElementChecks::addBias);
    checks.put("scale_rows", ElementChecks::scale);
    checks.put("swiglu_halves", ElementChecks::swigluHalves);
    for (String type : List.of("f32", "bf16", "f16")) {
      checks.put("embedding_" + type, stage -> embedding(stage, type));
      checks.put("transpose_" + type, stage -> transpose(stage, type));
      checks.put("check_finite_" + type, stage -> checkFinite(stage, type));
    }
  }

  private static Extent grid(int cols) {
    return new Extent(ROWS + SPARE, (cols + 1023) / 1024, 1);
  }

  private static void binary(KernelStage stage, String op, Function reference) {
    for (int cols : new int[] {1, 37, 1025}) {
      Tensor a = stage.numbers().matrix(ROWS, cols);
      Tensor b = stage.numbers().matrix(ROWS, cols);
      DeviceBuffer y = stage.poisoned("y", (ROWS + SPARE) * cols);
      stage.launch(
          grid(cols),
          256,
          0,
          stage.floats("a", a),
          stage.floats("b", b),
          y,
          stage.ints("rows", ROWS),
          cols,
          stage.fault(),
          KernelStage.OP);
      compare(stage, op, reference, a, b, y);
      if (stage.reported()) {
        return;
      }
      // The result may lie where an input does.
      DeviceBuffer inPlace = stage.floats("a and y", a);
      stage.launch(
          grid(cols),
          256,
          0,
          inPlace,
          stage.floats("b", b),
          inPlace,
          stage.ints("rows", ROWS),
          cols,
          stage.fault(),
          KernelStage.OP);
      compare(stage, op, reference, a, b, inPlace);
    }
  }

  private static void compare(
      KernelStage stage, String op, Function reference, Tensor a, Tensor b, DeviceBuffer y) {
    stage
        .expected(
            List.of(op),
            () -> {
              Tensor result = Tensor.zeros(ROWS, a.cols());
              reference.apply(a, b, result);
              return result;
            })
        .ifPresent(result -> stage.same(y, result.cols(), result));
  }

  private static void unary(KernelStage stage, String op, Function reference) {
    for (int cols : new int[] {1, 100, 1300}) {
      Tensor x = stage.numbers().matrix(ROWS, cols);
      DeviceBuffer y = stage.poisoned("y", (ROWS + SPARE) * cols);
      stage.launch(
          grid(cols),
          256,
          0,
          stage.floats("x", x),
          y,
          stage.ints("rows", ROWS),
          cols,
          stage.fault(),
          KernelStage.OP);
      compare(stage, op, reference, x, x, y);
      if (stage.reported()) {
        return;
      }
    }
  }

  private static void addBias(KernelStage stage) {
    int cols = 77;
    Tensor x = stage.numbers().matrix(ROWS, cols);
    Tensor bias = stage.numbers().vector(cols);
    DeviceBuffer y = stage.poisoned("y", (ROWS + SPARE) * cols);
    stage.launch(
        grid(cols),
        256,
        0,
        stage.floats("x", x),
        stage.floats("bias", bias),
        y,
        stage.ints("rows", ROWS),
        cols,
        stage.fault(),
        KernelStage.OP);
    compare(stage, "addBias", (a, b, result) -> SCALAR.addBias(a, bias, result), x, x, y);
  }

  private static void scale(KernelStage stage) {
    int cols = 77;
    float factor = stage.kind() == Numbers.Kind.OVERFLOWING ? 1e10f : 0.37f;
    Tensor x = stage.numbers().matrix(ROWS, cols);
    DeviceBuffer y = stage.poisoned("y", (ROWS + SPARE) * cols);
    stage.launch(
        grid(cols),
        256,
        0,
        stage.floats("x", x),
        factor,
        y,
        stage.ints("rows", ROWS),
        cols,
        stage.fault(),
        KernelStage.OP);
    compare(stage, "scale", (a, b, result) -> SCALAR.scale(a, factor, result), x, x, y);
  }

  private static void swigluHalves(KernelStage stage) {
    int cols = 51;
    Tensor gate = stage.numbers().matrix(ROWS, cols);
    Tensor up = stage.numbers().matrix(ROWS, cols);
    Tensor both = Tensor.zeros(ROWS, 2 * cols);
    for (int row = 0; row < ROWS; row++) {
      for (int col = 0; col < cols; col++) {
        both.set(row * 2 * cols + col, gate.get(row, col));
        both.set(row * 2 * cols + cols + col, up.get(row, col));
      }
    }
    DeviceBuffer y = stage.poisoned("y", (ROWS + SPARE) * cols);
    stage.launch(
        grid(cols),
        256,
        0,
        stage.floats("x", both),
        y,
        stage.ints("rows", ROWS),
        cols,
        stage.fault(),
        KernelStage.OP);
    compare(stage, "swiglu", SCALAR::swiglu, gate, up, y);
  }

  private static void embedding(KernelStage stage, String type) {
    int cols = 1027;
    Narrow narrow = Narrow.of(type);
    Tensor table = narrow.rounded(stage.numbers().matrix(6, cols));
    int[] ids = {5, 0, 3, 3, 1};
    DeviceBuffer y = stage.poisoned("y", (ROWS + SPARE) * cols);
    stage.launch(
        grid(cols),
        256,
        0,
        stage.bytes("table", narrow.bytes(table)),
        stage.ints("ids", ids),
        y,
        stage.ints("rows", ROWS),
        cols);
    Tensor expected = Tensor.zeros(ROWS, cols);
    SCALAR.embedding(table, ids, expected);
    stage.same(y, cols, expected);
  }

  private static void transpose(KernelStage stage, String type) {
    int n = 45;
    int k = 70;
    int pitch = 48;
    Narrow narrow = Narrow.of(type);
    Tensor w = narrow.rounded(stage.numbers().matrix(n, k));
    DeviceBuffer y = stage.poisoned("target", k * pitch);
    stage.launch(new Extent(3, 2, 1), 256, 0, stage.bytes("w", narrow.bytes(w)), y, n, k, pitch);
    Tensor expected = Tensor.zeros(k, n);
    for (int row = 0; row < n; row++) {
      for (int col = 0; col < k; col++) {
        expected.set(col * n + row, w.get(row, col));
      }
    }
    stage.same(y, pitch, expected);
  }

  private static void checkFinite(KernelStage stage, String type) {
    Narrow narrow = Narrow.of(type);
    Tensor x = narrow.rounded(stage.numbers().matrix(3, 300));
    if (stage.kind() == Numbers.Kind.OVERFLOWING) {
      x.set(700, Float.NEGATIVE_INFINITY);
      x.set(701, Float.NaN);
    }
    stage.launch(
        Extent.of(2),
        256,
        0,
        stage.bytes("x", narrow.bytes(x)),
        (long) x.size(),
        0,
        stage.fault(),
        KernelStage.OP);
    stage.expected(
        List.of("weights"),
        () -> {
          SCALAR.checkFinite("weights", x);
          return x;
        });
  }
}
