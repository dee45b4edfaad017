package io.rigmesh.worker.ptx;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.QuantisedRows;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/// Checks of the linear layers of both profiles, with and without bias, residual and swiglu.
final class LinearChecks {
  private static final Kernels SCALAR = new ScalarKernels();
  private static final int PLAIN = 0;
  private static final int RESIDUAL = 1;
  private static final int SWIGLU = 2;

  /// The longest sum that is checked.
  private static final int DEPTH_MAX = 65_536;

  /// A product's shape and what follows it.
  record Shape(int rows, int n, int k, boolean bias, int mode) {}

  /// How a kernel is launched.
  private record Form(
      Profile profile, int tileRows, int tileColumns, int threads, int sharedBytes) {}

  private LinearChecks() {}

  static void addTo(Map<String, Consumer<KernelStage>> checks) {
    put(checks, "linear_f32", new Form(Profile.F32_V1, 128, 128, 256, 0));
    put(checks, "linear_f32_rows", new Form(Profile.F32_V1, 4, 32, 256, 0));
    for (int rows : new int[] {1, 2, 4, 8}) {
      put(checks, "linear_i8_rows_" + rows, new Form(Profile.I8_V1, rows, 4, 128, 0));
    }
    put(checks, "linear_i8_mma_128x128", new Form(Profile.I8_V1, 128, 128, 256, 65_536));
    put(checks, "linear_i8_wgmma_128x256", new Form(Profile.I8_V1, 128, 256, 256, 196_608));
    put(checks, "linear_i8_wgmma_128x128", new Form(Profile.I8_V1, 128, 128, 256, 131_072));
    put(checks, "linear_i8_mma_64x32", new Form(Profile.I8_V1, 64, 32, 128, 24_576));
    put(checks, "linear_i8_mma_16x32", new Form(Profile.I8_V1, 16, 32, 64, 12_288));
  }

  private static void put(Map<String, Consumer<KernelStage>> checks, String entry, Form form) {
    checks.put(
        entry,
        stage -> {
          for (Shape shape : shapes(form, stage.kind())) {
            if (!stage.reported()) {
              product(stage, form, shape);
            }
          }
          if (stage.kind() == Numbers.Kind.ORDINARY) {
            longest(stage, form);
          }
        });
  }

  /// Sums of many thousand products; among those of bytes the largest that there can be, of either
  /// sign.
  private static void longest(KernelStage stage, Form form) {
    Tensor x = stage.numbers().matrix(2, DEPTH_MAX);
    Tensor w = stage.numbers().matrix(3, DEPTH_MAX);
    if (form.profile() == Profile.I8_V1) {
      x.rows(0, 1).fill(3f);
      w.rows(0, 1).fill(5f);
      w.rows(1, 2).fill(-7f);
    }
    product(stage, form, new Shape(2, 3, DEPTH_MAX, true, PLAIN), x, w);
  }

  /// Odd shapes: one element, tails in every direction, more than one tile, sums of many blocks.
  private static List<Shape> shapes(Form form, Numbers.Kind kind) {
    int over = form.tileRows() + 1;
    if (kind == Numbers.Kind.OVERFLOWING) {
      return List.of(new Shape(3, 21, 30, true, RESIDUAL));
    }
    if (!kind.finite()) {
      int mode = form.profile() == Profile.I8_V1 ? SWIGLU : PLAIN;
      return List.of(new Shape(3, 10, 77, true, mode), new Shape(2, 7, 30, true, RESIDUAL));
    }
    if (kind != Numbers.Kind.ORDINARY) {
      return List.of(new Shape(5, 38, 77, false, PLAIN), new Shape(3, 10, 530, true, RESIDUAL));
    }
    Shape narrow = new Shape(1, 1, 1, false, PLAIN);
    Shape tails = new Shape(over, form.tileColumns() + 3, 33, true, RESIDUAL);
    if (form.profile() == Profile.F32_V1) {
      return List.of(narrow, tails, new Shape(3, 6, 4101, false, PLAIN));
    }
    return List.of(
        narrow,
        tails,
        new Shape(2, 5, 3001, true, PLAIN),
        new Shape(5, 2 * form.tileColumns() + 2, 100, true, SWIGLU),
        new Shape(3, 6, 15, false, SWIGLU));
  }

  private static void product(KernelStage stage, Form form, Shape shape) {
    Numbers numbers = stage.numbers();
    // Bytes are always finite: what makes them refuses NaN and infinity.
    boolean bytes = form.profile() == Profile.I8_V1;
    Tensor x =
        bytes ? numbers.finite(shape.rows(), shape.k()) : numbers.matrix(shape.rows(), shape.k());
    Tensor w = bytes ? numbers.finite(shape.n(), shape.k()) : numbers.matrix(shape.n(), shape.k());
    product(stage, form, shape, x, w);
  }

  private static void product(KernelStage stage, Form form, Shape shape, Tensor x, Tensor w) {
    Numbers numbers = stage.numbers();
    Tensor bias = numbers.vector(shape.n());
    int columns = shape.mode() == SWIGLU ? shape.n() / 2 : shape.n();
    Tensor residual = numbers.matrix(shape.rows(), columns);
    int stride = columns + 2;
    Object biasArgument = shape.bias() ? stage.floats("bias", bias) : Long.valueOf(0);
    // The residual lies where the result goes, as in a model.
    DeviceBuffer y =
        shape.mode() == RESIDUAL
            ? stage.floats("residual and y", residual, stride)
            : stage.poisoned("y", shape.rows() * stride);
    Object residualArgument = shape.mode() == RESIDUAL ? y : Long.valueOf(0);
    DeviceBuffer rows = stage.ints("rows", shape.rows());
    int across =
        form.profile() == Profile.I8_V1 && form.tileColumns() == 4 && shape.mode() == SWIGLU
            ? (shape.n() + 3) / 4
            : (shape.n() + form.tileColumns() - 1) / form.tileColumns();
    Extent grid = new Extent(across, (shape.rows() + form.tileRows() - 1) / form.tileRows() + 1, 1);
    if (form.profile() == Profile.F32_V1) {
      int xStride = shape.k() + 1;
      int pitch = (shape.n() + 3) / 4 * 4;
      DeviceBuffer transposed = stage.poisoned("w", shape.k() * pitch);
      stage.launch(
          "transpose_f32",
          new Extent((shape.k() + 31) / 32, (shape.n() + 31) / 32, 1),
          256,
          0,
          stage.floats("w as loaded", w),
          transposed,
          shape.n(),
          shape.k(),
          pitch);
      stage.launch(
          grid,
          form.threads(),
          form.sharedBytes(),
          stage.floats("x", x, xStride),
          xStride,
          transposed,
          pitch,
          biasArgument,
          residualArgument,
          y,
          stride,
          rows,
          shape.n(),
          shape.k(),
          shape.mode(),
          stage.fault(),
          KernelStage.OP);
    } else {
      int pitch = QuantisedTarget.pitch(shape.k());
      QuantisedRows qx = QuantisedRows.of(x);
      QuantisedRows qw = QuantisedRows.of(w);
      stage.launch(
          grid,
          form.threads(),
          form.sharedBytes(),
          stage.bytes("x", QuantisedTarget.padded(qx)),
          stage.bytes("x scales", KernelStage.littleEndian(qx.scales())),
          stage.bytes("w", QuantisedTarget.padded(qw)),
          stage.bytes("w scales", KernelStage.littleEndian(qw.scales())),
          biasArgument,
          residualArgument,
          y,
          stride,
          rows,
          shape.n(),
          pitch,
          shape.mode(),
          stage.fault(),
          KernelStage.OP);
    }
    String last = shape.mode() == SWIGLU ? "swiglu" : "add";
    stage
        .expected(
            List.of("linear", "addBias", last),
            () -> reference(form.profile(), shape, x, w, bias, residual))
        .ifPresent(result -> stage.same(y, stride, result));
  }

  static Tensor reference(
      Profile profile, Shape shape, Tensor x, Tensor w, Tensor bias, Tensor residual) {
    Tensor dot = Tensor.zeros(shape.rows(), shape.n());
    SCALAR.linear(x, SCALAR.pack(w, profile), dot);
    if (shape.bias()) {
      SCALAR.addBias(dot, bias, dot);
    }
    if (shape.mode() == RESIDUAL) {
      SCALAR.add(residual, dot, dot);
      return dot;
    }
    if (shape.mode() != SWIGLU) {
      return dot;
    }
    int half = shape.n() / 2;
    Tensor gate = Tensor.zeros(shape.rows(), half);
    Tensor up = Tensor.zeros(shape.rows(), half);
    for (int row = 0; row < shape.rows(); row++) {
      for (int col = 0; col < half; col++) {
        gate.set(row * half + col, dot.get(row, col));
        up.set(row * half + col, dot.get(row, col + half));
      }
    }
    SCALAR.swiglu(gate, up, gate);
    return gate;
  }
}
