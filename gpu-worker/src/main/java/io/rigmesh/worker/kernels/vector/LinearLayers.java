package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Tiles.PANEL;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.OpShapes;
import io.rigmesh.worker.kernels.PackedWeight;
import io.rigmesh.worker.kernels.Projection;
import io.rigmesh.worker.kernels.nativecode.FloatProducts;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// Linear layers of both profiles and the gradients of f32-v1's, shared out as pieces of a matrix
/// product: some rows by some panels.
final class LinearLayers {
  private static final float[] NO_BIAS = {};

  @SuppressWarnings("ArrayRecordComponent")
  private record FloatWeight(int in, int out, float[] panels) implements PackedWeight {
    @Override
    public Profile profile() {
      return Profile.F32_V1;
    }
  }

  private final Workers workers;
  private final ByteLayers bytes;
  private final Optional<FloatProducts> floats;
  private float[] panels = {};
  private float[] columns = {};

  /// @param floats what computes products of row-major matrices in machine code, if anything does
  LinearLayers(Workers workers, ByteLayers bytes, Optional<FloatProducts> floats) {
    this.workers = workers;
    this.bytes = bytes;
    this.floats = floats;
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
        yield bytes.pack(weight);
      }
    };
  }

  /// Several layers of one input, which is quantised but once and shared out among the threads but
  /// once.
  void linear(Tensor x, List<Projection> projections) {
    boolean inBytes = false;
    for (Projection projection : projections) {
      PackedWeight weight = projection.weight();
      OpShapes.linear(x, weight.in(), weight.out(), projection.y());
      if (projection.bias().isPresent()) {
        OpShapes.rowVector("linear", projection.y(), projection.bias().get());
      }
      inBytes |= weight.profile() == Profile.I8_V1;
    }
    if (inBytes) {
      bytes.multiply(x, projections);
    } else {
      multiply(x, projections);
    }
  }

  private void multiply(Tensor x, List<Projection> projections) {
    Product[] products = new Product[projections.size()];
    float[][] biases = new float[products.length][];
    Tensor[] ys = new Tensor[products.length];
    for (int i = 0; i < products.length; i++) {
      if (!(projections.get(i).weight() instanceof FloatWeight weight)) {
        throw anotherBackends();
      }
      ys[i] = projections.get(i).y();
      products[i] = product(x.data(), x.offset(), x.cols(), x.cols(), weight.panels(), ys[i]);
      biases[i] = projections.get(i).bias().map(Tensor::toArray).orElse(NO_BIAS);
    }
    compute("linear", products, ys, biases);
  }

  static IllegalArgumentException anotherBackends() {
    return new IllegalArgumentException(
        "This weight was packed by another backend, or for another profile than its neighbours; pack it with the one that uses it.");
  }

  void linear(Tensor x, Tensor weight, Tensor y) {
    OpShapes.weight("linear", weight);
    OpShapes.linear(x, weight.dim(1), weight.dim(0), y);
    panels = VectorAttention.grown(panels, Panels.length(weight.dim(1), weight.dim(0)));
    packColumns(weight, panels);
    multiply("linear", x.data(), x.offset(), x.cols(), x.cols(), panels, y);
  }

  void linearInputGradient(Tensor dy, Tensor weight, Tensor dx) {
    OpShapes.linearInputGradient(dy, weight, dx);
    packRows(weight);
    multiply("linearInputGradient", dy.data(), dy.offset(), dy.cols(), dy.cols(), panels, dx);
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
    compute("linearWeightGradient", product, dWeight);
  }

  /// y = A · the matrix in panels; A as in [MatrixProduct].
  private void multiply(
      String op, float[] a, int ap, int lda, int depth, float[] panelData, Tensor y) {
    compute(op, product(a, ap, lda, depth, panelData, y), y);
  }

  private static Product product(
      float[] a, int ap, int lda, int depth, float[] panelData, Tensor y) {
    int cols = y.cols();
    return new MatrixProduct(
        a,
        ap,
        lda,
        y.rowCount(),
        panelData,
        0,
        depth,
        depth,
        cols,
        Kernels.BLOCK,
        y.data(),
        y.offset(),
        cols);
  }

  private void compute(String op, Product product, Tensor y) {
    compute(op, new Product[] {product}, new Tensor[] {y}, new float[][] {NO_BIAS});
  }

  /// Computes products of the same rows in pieces, adds the biases if there are any, and looks for
  /// what is not finite.
  private void compute(String op, Product[] products, Tensor[] ys, float[][] biases) {
    int[] panelCounts = new int[products.length];
    for (int i = 0; i < products.length; i++) {
      panelCounts[i] = products[i].panels();
    }
    boolean bad =
        Pieces.run(
            workers,
            products[0].rows(),
            panelCounts,
            (worker, i, rowFrom, rowTo, panelFrom, panelTo, panelNext) -> {
              // One row takes as long as its weight's way from memory, whatever computes it; its
              // loop here has more of that under way.
              if (floats.isPresent()
                  && products[i] instanceof MatrixProduct product
                  && product.rows() > 1) {
                return floats
                    .get()
                    .multiply(
                        product.operands(biases[i]), rowFrom, rowTo, panelFrom, panelTo, panelNext);
              }
              products[i].compute(rowFrom, rowTo, panelFrom, panelTo, workers.scratch(worker).tile);
              return completed(ys[i], rowFrom, rowTo, panelFrom, panelTo, biases[i]);
            });
    for (Tensor y : ys) {
      Workers.locate(bad, op, y);
    }
  }

  /// Adds the bias, if there is one, to a piece of a product, and says whether it holds NaN or
  /// infinity.
  static boolean completed(
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
