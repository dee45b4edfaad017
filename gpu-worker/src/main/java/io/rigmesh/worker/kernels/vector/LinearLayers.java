package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Tiles.PANEL;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.kernels.OpShapes;
import io.rigmesh.worker.kernels.PackedWeight;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Arrays;

/// Linear layers of both profiles and the gradients of f32-v1's, shared out as pieces of a matrix
/// product: some rows by some panels.
final class LinearLayers {
  /// Rows and panels of one piece of a matrix product: a block of the panels stays in the
  /// second-level cache.
  private static final int PRODUCT_ROWS = 64;

  private static final int PRODUCT_PANELS = 8;

  private static final float[] NO_BIAS = {};

  @SuppressWarnings("ArrayRecordComponent")
  private record FloatWeight(int in, int out, float[] panels) implements PackedWeight {
    @Override
    public Profile profile() {
      return Profile.F32_V1;
    }
  }

  private final Workers workers;
  private float[] panels = {};
  private float[] columns = {};
  private float[] scales = {};
  private int[] quantised = {};

  LinearLayers(Workers workers) {
    this.workers = workers;
  }

  PackedWeight pack(Tensor weight, Profile profile) {
    OpShapes.weight("pack", weight);
    return switch (profile) {
      case F32_V1 -> {
        float[] packed = new float[Panels.length(weight.dim(1), weight.dim(0))];
        packColumns(weight, packed);
        yield new FloatWeight(weight.dim(1), weight.dim(0), packed);
      }
      case I8_V1 -> {
        OpShapes.byteWeight(weight);
        yield bytes(weight);
      }
    };
  }

  private ByteWeight bytes(Tensor weight) {
    int in = weight.dim(1);
    int out = weight.dim(0);
    ByteWeight packed = ByteWeight.zeros(in, out);
    boolean bad =
        workers.run(
            packed.panelCount(),
            1,
            (worker, from, to) -> {
              int[] row = new int[in];
              boolean seen = false;
              for (int n = from * PANEL; n < Math.min(out, to * PANEL); n++) {
                int at = weight.offset() + n * in;
                float scale = Quantiser.scale(weight.data(), at, in);
                seen |= Float.isNaN(scale);
                packed.scales()[n] = scale;
                Quantiser.quantise(weight.data(), at, in, scale, row, 0);
                int target = n / PANEL * packed.depth() * PANEL + n % PANEL;
                for (int k = 0; k < in; k++) {
                  packed.panels()[target + k * PANEL] = (byte) row[k];
                }
              }
              return seen;
            });
    checkScales(bad, packed.scales(), out);
    return packed;
  }

  private static void checkScales(boolean bad, float[] scales, int rows) {
    for (int row = 0; bad && row < rows; row++) {
      NonFiniteException.check("quantise", row, scales[row]);
    }
  }

  void linear(Tensor x, PackedWeight weight, Tensor y) {
    OpShapes.linear(x, weight.in(), weight.out(), y);
    multiply(x, weight, y, NO_BIAS);
  }

  void linear(Tensor x, PackedWeight weight, Tensor bias, Tensor y) {
    OpShapes.linear(x, weight.in(), weight.out(), y);
    OpShapes.rowVector("linear", y, bias);
    multiply(x, weight, y, bias.toArray());
  }

  private void multiply(Tensor x, PackedWeight weight, Tensor y, float[] bias) {
    switch (weight) {
      case FloatWeight floats ->
          multiply("linear", x.data(), x.offset(), x.cols(), x.cols(), floats.panels(), y, bias);
      case ByteWeight bytes -> multiplyBytes(x, bytes, y, bias);
      default ->
          throw new IllegalArgumentException(
              "This weight was packed by another backend; pack it with the one that uses it.");
    }
  }

  private void multiplyBytes(Tensor x, ByteWeight weight, Tensor y, float[] bias) {
    int rows = x.rowCount();
    quantise(x, weight.depth());
    ByteProduct product = new ByteProduct(quantised, this.scales, weight, y.data(), y.offset());
    int rowPieces = (rows + PRODUCT_ROWS - 1) / PRODUCT_ROWS;
    int panelsEach = panelsEach(rowPieces, weight.panelCount());
    boolean bad =
        workers.run(
            rowPieces * ((weight.panelCount() + panelsEach - 1) / panelsEach),
            1,
            (worker, from, to) -> {
              boolean seen = false;
              for (int piece = from; piece < to; piece++) {
                int row = piece % rowPieces * PRODUCT_ROWS;
                int rowTo = Math.min(rows, row + PRODUCT_ROWS);
                int panel = piece / rowPieces * panelsEach;
                int panelTo = Math.min(weight.panelCount(), panel + panelsEach);
                product.compute(row, rowTo, panel, panelTo, workers.scratch(worker).bytes);
                seen |= completed(y, row, rowTo, panel, panelTo, bias);
              }
              return seen;
            });
    Workers.locate(bad, "linear", y);
  }

  /// Quantises the rows of x to [#quantised], `depth` apart, and their scales to [#scales].
  private void quantise(Tensor x, int depth) {
    int rows = x.rowCount();
    int cols = x.cols();
    this.scales = VectorAttention.grown(this.scales, rows);
    if (quantised.length < Math.multiplyExact(rows, depth)) {
      quantised = new int[rows * depth];
    }
    float[] scales = this.scales;
    int[] q = quantised;
    boolean bad =
        workers.run(
            rows,
            Workers.rowChunk(cols),
            (worker, from, to) -> {
              boolean seen = false;
              for (int t = from; t < to; t++) {
                int at = x.offset() + t * cols;
                scales[t] = Quantiser.scale(x.data(), at, cols);
                seen |= Float.isNaN(scales[t]);
                Quantiser.quantise(x.data(), at, cols, scales[t], q, t * depth);
                Arrays.fill(q, t * depth + cols, (t + 1) * depth, 0);
              }
              return seen;
            });
    checkScales(bad, scales, rows);
  }

  void linear(Tensor x, Tensor weight, Tensor y) {
    OpShapes.weight("linear", weight);
    OpShapes.linear(x, weight.dim(1), weight.dim(0), y);
    panels = VectorAttention.grown(panels, Panels.length(weight.dim(1), weight.dim(0)));
    packColumns(weight, panels);
    multiply("linear", x.data(), x.offset(), x.cols(), x.cols(), panels, y, NO_BIAS);
  }

  void linearInputGradient(Tensor dy, Tensor weight, Tensor dx) {
    OpShapes.linearInputGradient(dy, weight, dx);
    packRows(weight);
    multiply(
        "linearInputGradient", dy.data(), dy.offset(), dy.cols(), dy.cols(), panels, dx, NO_BIAS);
  }

  void linearWeightGradient(Tensor dy, Tensor x, Tensor dWeight) {
    OpShapes.linearWeightGradient(dy, x, dWeight);
    int rows = dy.rowCount();
    int out = dy.cols();
    packRows(x);
    int tiles = (out - 1) / Tiles.ROWS + 1;
    columns = VectorAttention.grown(columns, Math.multiplyExact(tiles * Tiles.ROWS, rows));
    float[] dyColumns = columns;
    workers.run(
        tiles,
        8,
        (worker, from, to) -> {
          for (int tile = from; tile < to; tile++) {
            ColumnProduct.pack(dy.data(), dy.offset(), rows, out, tile, dyColumns);
          }
          return false;
        });
    ColumnProduct product =
        new ColumnProduct(
            dyColumns,
            0,
            Tiles.ROWS,
            Tiles.ROWS * rows,
            out,
            panels,
            0,
            rows,
            rows,
            x.cols(),
            Kernels.BLOCK,
            dWeight.data(),
            dWeight.offset(),
            x.cols());
    compute("linearWeightGradient", product, dWeight, NO_BIAS);
  }

  /// y = A · the matrix in panels, plus the bias if there is one; A as in [MatrixProduct].
  private void multiply(
      String op, float[] a, int ap, int lda, int depth, float[] panelData, Tensor y, float[] bias) {
    int rows = y.rowCount();
    int cols = y.cols();
    MatrixProduct product =
        new MatrixProduct(
            a,
            ap,
            lda,
            rows,
            panelData,
            0,
            depth,
            depth,
            cols,
            Kernels.BLOCK,
            y.data(),
            y.offset(),
            cols);
    compute(op, product, y, bias);
  }

  /// Computes a product in pieces, adds the bias if there is one, and looks for what is not finite.
  private void compute(String op, Product product, Tensor y, float[] bias) {
    int rows = product.rows();
    int rowPieces = (rows + PRODUCT_ROWS - 1) / PRODUCT_ROWS;
    int panelsEach = panelsEach(rowPieces, product.panels());
    int panelPieces = (product.panels() + panelsEach - 1) / panelsEach;
    boolean bad =
        workers.run(
            rowPieces * panelPieces,
            1,
            (worker, from, to) -> {
              boolean seen = false;
              for (int piece = from; piece < to; piece++) {
                int row = piece % rowPieces * PRODUCT_ROWS;
                int panel = piece / rowPieces * panelsEach;
                int rowTo = Math.min(rows, row + PRODUCT_ROWS);
                int panelTo = Math.min(product.panels(), panel + panelsEach);
                product.compute(row, rowTo, panel, panelTo, workers.scratch(worker).tile);
                seen |= completed(y, row, rowTo, panel, panelTo, bias);
              }
              return seen;
            });
    Workers.locate(bad, op, y);
  }

  /// How many panels a piece of a product has: fewer where there would not be enough pieces to
  /// share out.
  private int panelsEach(int rowPieces, int panelCount) {
    int wide = PRODUCT_PANELS;
    while (wide > 1
        && workers.threads() > 1
        && rowPieces * ((panelCount + wide - 1) / wide) < 4 * workers.threads()) {
      wide /= 2;
    }
    return wide;
  }

  /// Adds the bias, if there is one, to a piece of a product, and says whether it holds NaN or
  /// infinity.
  private static boolean completed(
      Tensor y, int rowFrom, int rowTo, int panelFrom, int panelTo, float[] bias) {
    int cols = y.cols();
    int col = panelFrom * PANEL;
    int width = Math.min(cols, panelTo * PANEL) - col;
    boolean bad = false;
    for (int row = rowFrom; row < rowTo; row++) {
      int at = y.offset() + row * cols + col;
      if (bias.length > 0) {
        ElementLoops.add(y.data(), at, bias, col, y.data(), at, width);
      }
      bad |= Lanes.anyNonFinite(y.data(), at, width);
    }
    return bad;
  }

  private void packColumns(Tensor weight, float[] target) {
    int depth = weight.dim(1);
    int cols = weight.dim(0);
    workers.run(
        Panels.count(cols),
        1,
        (worker, from, to) -> {
          for (int panel = from; panel < to; panel++) {
            Panels.fromColumns(
                weight.data(),
                weight.offset(),
                depth,
                depth,
                cols,
                panel,
                target,
                0,
                workers.scratch(worker).square);
          }
          return false;
        });
  }

  private void packRows(Tensor matrix) {
    int depth = matrix.rowCount();
    int cols = matrix.cols();
    panels = VectorAttention.grown(panels, Panels.length(depth, cols));
    float[] target = panels;
    workers.run(
        Panels.count(cols),
        1,
        (worker, from, to) -> {
          for (int panel = from; panel < to; panel++) {
            Panels.fromRows(matrix.data(), matrix.offset(), cols, depth, cols, panel, target, 0);
          }
          return false;
        });
  }
}
