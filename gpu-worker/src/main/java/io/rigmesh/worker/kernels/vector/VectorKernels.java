package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Tiles.PANEL;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.AdamW;
import io.rigmesh.worker.kernels.AttentionSpan;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.kernels.OpShapes;
import io.rigmesh.worker.kernels.PackedWeight;
import io.rigmesh.worker.kernels.PagedSpan;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;

/// The operations of profiles f32-v1 and i8-v1 on the CPU's vector unit and on several threads, bit
/// for bit as the scalar reference.
///
/// Vectors run across independent outputs, never along a sum, and threads share out outputs, so
/// neither the vector width nor the thread count can change a bit. Every piece of output is looked
/// through for NaN and infinity while it is still in the cache. Scratch memory belongs to the
/// instance and grows to the largest operation seen; close the instance to end its threads. One
/// calling thread at a time.
public final class VectorKernels implements Kernels {
  /// Elements in one item of an element-wise loop, and items in one chunk.
  private static final int ELEMENTS = 1024;

  private static final int ELEMENT_CHUNK = 16;

  /// Elements that a chunk of rows holds, roughly.
  private static final int ROW_CHUNK_ELEMENTS = 8192;

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

  /// What each thread owns.
  private static final class Scratch {
    final float[] lanes = new float[LANES];
    final float[] tile = new float[Product.scratchLength()];
    final ByteProduct.Scratch bytes = new ByteProduct.Scratch();
    final float[] piece = new float[ELEMENTS];
    final float[] square = new float[Transpose.scratchLength()];
    final VectorAttention attention = new VectorAttention();
    final VectorPagedAttention pagedAttention = new VectorPagedAttention();
    float[] row = {};
    float[] otherRow = {};
  }

  private final ParallelFor parallel;
  private final Scratch[] scratch;
  private float[] panels = {};
  private float[] columns = {};
  private float[] perRow = {};
  private int[] quantised = {};

  /// Starts `threads - 1` helper threads.
  public VectorKernels(int threads) {
    parallel = new ParallelFor(threads);
    scratch = new Scratch[threads];
    for (int i = 0; i < threads; i++) {
      scratch[i] = new Scratch();
    }
  }

  @Override
  public String name() {
    return "vector";
  }

  @Override
  public int threads() {
    return parallel.threads();
  }

  @Override
  public void close() {
    parallel.close();
  }

  @Override
  public PackedWeight pack(Tensor weight, Profile profile) {
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
        parallel.run(
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

  @Override
  public void linear(Tensor x, PackedWeight weight, Tensor y) {
    OpShapes.linear(x, weight.in(), weight.out(), y);
    multiply(x, weight, y, NO_BIAS);
  }

  @Override
  public void linear(Tensor x, PackedWeight weight, Tensor bias, Tensor y) {
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
    ByteProduct product = new ByteProduct(quantised, perRow, weight, y.data(), y.offset());
    int rowPieces = (rows + PRODUCT_ROWS - 1) / PRODUCT_ROWS;
    int panelsEach = panelsEach(rowPieces, weight.panelCount());
    boolean bad =
        parallel.run(
            rowPieces * ((weight.panelCount() + panelsEach - 1) / panelsEach),
            1,
            (worker, from, to) -> {
              boolean seen = false;
              for (int piece = from; piece < to; piece++) {
                int row = piece % rowPieces * PRODUCT_ROWS;
                int rowTo = Math.min(rows, row + PRODUCT_ROWS);
                int panel = piece / rowPieces * panelsEach;
                int panelTo = Math.min(weight.panelCount(), panel + panelsEach);
                product.compute(row, rowTo, panel, panelTo, scratch[worker].bytes);
                seen |= completed(y, row, rowTo, panel, panelTo, bias);
              }
              return seen;
            });
    locate(bad, "linear", y);
  }

  /// Quantises the rows of x to [#quantised], `depth` apart, and their scales to [#perRow].
  private void quantise(Tensor x, int depth) {
    int rows = x.rowCount();
    int cols = x.cols();
    perRow = VectorAttention.grown(perRow, rows);
    if (quantised.length < Math.multiplyExact(rows, depth)) {
      quantised = new int[rows * depth];
    }
    float[] scales = perRow;
    int[] q = quantised;
    boolean bad =
        parallel.run(
            rows,
            rowChunk(cols),
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

  @Override
  public void linear(Tensor x, Tensor weight, Tensor y) {
    OpShapes.weight("linear", weight);
    OpShapes.linear(x, weight.dim(1), weight.dim(0), y);
    panels = VectorAttention.grown(panels, Panels.length(weight.dim(1), weight.dim(0)));
    packColumns(weight, panels);
    multiply("linear", x.data(), x.offset(), x.cols(), x.cols(), panels, y, NO_BIAS);
  }

  @Override
  public void linearInputGradient(Tensor dy, Tensor weight, Tensor dx) {
    OpShapes.linearInputGradient(dy, weight, dx);
    packRows(weight);
    multiply(
        "linearInputGradient", dy.data(), dy.offset(), dy.cols(), dy.cols(), panels, dx, NO_BIAS);
  }

  @Override
  public void linearWeightGradient(Tensor dy, Tensor x, Tensor dWeight) {
    OpShapes.linearWeightGradient(dy, x, dWeight);
    int rows = dy.rowCount();
    int out = dy.cols();
    packRows(x);
    int tiles = (out - 1) / Tiles.ROWS + 1;
    columns = VectorAttention.grown(columns, Math.multiplyExact(tiles * Tiles.ROWS, rows));
    float[] dyColumns = columns;
    parallel.run(
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
            BLOCK,
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
            a, ap, lda, rows, panelData, 0, depth, depth, cols, BLOCK, y.data(), y.offset(), cols);
    compute(op, product, y, bias);
  }

  /// Computes a product in pieces, adds the bias if there is one, and looks for what is not finite.
  private void compute(String op, Product product, Tensor y, float[] bias) {
    int rows = product.rows();
    int rowPieces = (rows + PRODUCT_ROWS - 1) / PRODUCT_ROWS;
    int panelsEach = panelsEach(rowPieces, product.panels());
    int panelPieces = (product.panels() + panelsEach - 1) / panelsEach;
    boolean bad =
        parallel.run(
            rowPieces * panelPieces,
            1,
            (worker, from, to) -> {
              boolean seen = false;
              for (int piece = from; piece < to; piece++) {
                int row = piece % rowPieces * PRODUCT_ROWS;
                int panel = piece / rowPieces * panelsEach;
                int rowTo = Math.min(rows, row + PRODUCT_ROWS);
                int panelTo = Math.min(product.panels(), panel + panelsEach);
                product.compute(row, rowTo, panel, panelTo, scratch[worker].tile);
                seen |= completed(y, row, rowTo, panel, panelTo, bias);
              }
              return seen;
            });
    locate(bad, op, y);
  }

  /// How many panels a piece of a product has: fewer where there would not be enough pieces to
  /// share out.
  private int panelsEach(int rowPieces, int panelCount) {
    int wide = PRODUCT_PANELS;
    while (wide > 1
        && threads() > 1
        && rowPieces * ((panelCount + wide - 1) / wide) < 4 * threads()) {
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
    parallel.run(
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
                scratch[worker].square);
          }
          return false;
        });
  }

  private void packRows(Tensor matrix) {
    int depth = matrix.rowCount();
    int cols = matrix.cols();
    panels = VectorAttention.grown(panels, Panels.length(depth, cols));
    float[] target = panels;
    parallel.run(
        Panels.count(cols),
        1,
        (worker, from, to) -> {
          for (int panel = from; panel < to; panel++) {
            Panels.fromRows(matrix.data(), matrix.offset(), cols, depth, cols, panel, target, 0);
          }
          return false;
        });
  }

  @Override
  public void embedding(Tensor table, int[] ids, Tensor y) {
    OpShapes.embedding(table, ids, y);
    int cols = table.cols();
    for (int t = 0; t < ids.length; t++) {
      System.arraycopy(
          table.data(), table.offset() + ids[t] * cols, y.data(), y.offset() + t * cols, cols);
    }
  }

  @Override
  public void embeddingGradient(int[] ids, Tensor dy, Tensor dTable) {
    OpShapes.embedding(dTable, ids, dy);
    int cols = dTable.cols();
    dTable.fill(0f);
    boolean bad = false;
    for (int t = 0; t < ids.length; t++) {
      int at = dTable.offset() + ids[t] * cols;
      ElementLoops.add(
          dTable.data(), at, dy.data(), dy.offset() + t * cols, dTable.data(), at, cols);
      bad |= Lanes.anyNonFinite(dTable.data(), at, cols);
    }
    locate(bad, "embeddingGradient", dTable);
  }

  @Override
  public void add(Tensor a, Tensor b, Tensor y) {
    OpShapes.same("add", a, b);
    OpShapes.same("add", a, y);
    elements(
        "add",
        y,
        (worker, at, count) ->
            ElementLoops.add(
                a.data(),
                a.offset() + at,
                b.data(),
                b.offset() + at,
                y.data(),
                y.offset() + at,
                count));
  }

  @Override
  public void addBias(Tensor x, Tensor bias, Tensor y) {
    OpShapes.same("addBias", x, y);
    OpShapes.rowVector("addBias", x, bias);
    int cols = x.cols();
    rows(
        "addBias",
        y,
        (worker, row) ->
            ElementLoops.add(
                x.data(),
                x.offset() + row * cols,
                bias.data(),
                bias.offset(),
                y.data(),
                y.offset() + row * cols,
                cols));
  }

  @Override
  public void biasGradient(Tensor dy, Tensor dBias) {
    OpShapes.rowVector("biasGradient", dy, dBias);
    int cols = dy.cols();
    int rows = dy.rowCount();
    columns(
        cols,
        (worker, from, count) -> {
          float[] sum = rowScratch(worker, count);
          for (int start = 0; start < rows; start += BLOCK) {
            Arrays.fill(sum, 0, count, 0f);
            for (int t = start; t < Math.min(rows, start + BLOCK); t++) {
              ElementLoops.add(sum, 0, dy.data(), dy.offset() + t * cols + from, sum, 0, count);
            }
            addBlock(sum, dBias, from, count, start == 0);
          }
        });
    locate(true, "biasGradient", dBias);
  }

  @Override
  public void scale(Tensor x, float factor, Tensor y) {
    OpShapes.same("scale", x, y);
    elements(
        "scale",
        y,
        (worker, at, count) ->
            ElementLoops.scale(
                x.data(), x.offset() + at, factor, y.data(), y.offset() + at, count));
  }

  @Override
  public void gelu(Tensor x, Tensor y) {
    OpShapes.same("gelu", x, y);
    elements(
        "gelu",
        y,
        (worker, at, count) ->
            VectorElementary.gelu(
                x.data(),
                x.offset() + at,
                y.data(),
                y.offset() + at,
                count,
                scratch[worker].piece));
  }

  @Override
  public void tanh(Tensor x, Tensor y) {
    OpShapes.same("tanh", x, y);
    elements(
        "tanh",
        y,
        (worker, at, count) ->
            VectorElementary.tanh(
                x.data(),
                x.offset() + at,
                y.data(),
                y.offset() + at,
                count,
                scratch[worker].piece));
  }

  @Override
  public void swiglu(Tensor gate, Tensor up, Tensor y) {
    OpShapes.same("swiglu", gate, up);
    OpShapes.same("swiglu", gate, y);
    elements(
        "swiglu",
        y,
        (worker, at, count) ->
            ElementLoops.swiglu(
                gate.data(),
                gate.offset() + at,
                up.data(),
                up.offset() + at,
                y.data(),
                y.offset() + at,
                count,
                scratch[worker].piece));
  }

  @Override
  public void swigluBackward(Tensor gate, Tensor up, Tensor dy, Tensor dGate, Tensor dUp) {
    OpShapes.same("swigluBackward", gate, up);
    OpShapes.same("swigluBackward", gate, dy);
    OpShapes.same("swigluBackward", gate, dGate);
    OpShapes.same("swigluBackward", gate, dUp);
    boolean bad =
        pieces(
            dy.size(),
            (worker, at, count) -> {
              ElementLoops.swigluBackward(
                  gate.data(),
                  gate.offset() + at,
                  up.data(),
                  up.offset() + at,
                  dy.data(),
                  dy.offset() + at,
                  dGate.data(),
                  dGate.offset() + at,
                  dUp.data(),
                  dUp.offset() + at,
                  count,
                  scratch[worker].piece);
              return nonFinite(dGate, at, count) || nonFinite(dUp, at, count);
            });
    locate(bad, "swigluBackward", dGate);
    locate(bad, "swigluBackward", dUp);
  }

  @Override
  public void rmsNorm(Tensor x, Tensor gain, float epsilon, Tensor y) {
    OpShapes.same("rmsNorm", x, y);
    OpShapes.rowVector("rmsNorm", x, gain);
    int cols = x.cols();
    rows(
        "rmsNorm",
        y,
        (worker, row) -> {
          int at = x.offset() + row * cols;
          float r =
              RowLoops.inverseRootMeanSquare(
                  x.data(), at, cols, epsilon, row, scratch[worker].lanes);
          RowLoops.rmsNorm(
              x.data(), at, r, gain.data(), gain.offset(), y.data(), y.offset() + row * cols, cols);
        });
  }

  @Override
  public void rmsNormBackward(
      Tensor x, Tensor gain, float epsilon, Tensor dy, Tensor dx, Tensor dGain) {
    OpShapes.same("rmsNormBackward", x, dy);
    OpShapes.same("rmsNormBackward", x, dx);
    OpShapes.rowVector("rmsNormBackward", x, gain);
    OpShapes.rowVector("rmsNormBackward", x, dGain);
    int cols = x.cols();
    int rows = x.rowCount();
    perRow = VectorAttention.grown(perRow, rows);
    float[] r = perRow;
    eachRow(
        rows,
        cols,
        (worker, row) ->
            r[row] =
                RowLoops.inverseRootMeanSquare(
                    x.data(), x.offset() + row * cols, cols, epsilon, row, scratch[worker].lanes));
    // The gain's gradient comes first: dx may overwrite dy.
    columns(
        cols,
        (worker, from, count) -> {
          float[] sum = rowScratch(worker, count);
          for (int start = 0; start < rows; start += BLOCK) {
            Arrays.fill(sum, 0, count, 0f);
            for (int t = start; t < Math.min(rows, start + BLOCK); t++) {
              int at = t * cols + from;
              RowLoops.addGainGradient(
                  dy.data(), dy.offset() + at, x.data(), x.offset() + at, r[t], sum, count);
            }
            addBlock(sum, dGain, from, count, start == 0);
          }
        });
    rows(
        "rmsNormBackward",
        dx,
        (worker, row) -> {
          Scratch own = scratch[worker];
          own.row = VectorAttention.grown(own.row, cols);
          own.otherRow = VectorAttention.grown(own.otherRow, cols);
          RowLoops.rmsNormBackward(
              x.data(),
              x.offset() + row * cols,
              r[row],
              gain.data(),
              gain.offset(),
              dy.data(),
              dy.offset() + row * cols,
              dx.data(),
              dx.offset() + row * cols,
              cols,
              own.row,
              own.otherRow,
              own.lanes);
        });
    locate(true, "rmsNormBackward", dGain);
  }

  @Override
  public void layerNorm(Tensor x, Tensor gain, Tensor bias, float epsilon, Tensor y) {
    OpShapes.same("layerNorm", x, y);
    OpShapes.rowVector("layerNorm", x, gain);
    OpShapes.rowVector("layerNorm", x, bias);
    int cols = x.cols();
    rows(
        "layerNorm",
        y,
        (worker, row) -> {
          Scratch own = scratch[worker];
          own.row = VectorAttention.grown(own.row, cols);
          RowLoops.layerNorm(
              x.data(),
              x.offset() + row * cols,
              gain.data(),
              gain.offset(),
              bias.data(),
              bias.offset(),
              epsilon,
              y.data(),
              y.offset() + row * cols,
              cols,
              row,
              own.row,
              own.lanes);
        });
  }

  @Override
  public void softmax(Tensor x, Tensor y) {
    OpShapes.same("softmax", x, y);
    int cols = x.cols();
    rows(
        "softmax",
        y,
        (worker, row) ->
            RowLoops.softmax(
                x.data(),
                x.offset() + row * cols,
                y.data(),
                y.offset() + row * cols,
                cols,
                scratch[worker].lanes));
  }

  @Override
  public float crossEntropy(Tensor logits, int[] targets, int ignoredTarget) {
    int counted = OpShapes.targets(logits, targets, ignoredTarget);
    int cols = logits.cols();
    perRow = VectorAttention.grown(perRow, targets.length);
    float[] losses = perRow;
    eachRow(
        targets.length,
        cols,
        (worker, row) -> {
          if (targets[row] == ignoredTarget) {
            losses[row] = 0f;
            return;
          }
          float[] exponentials = rowScratch(worker, cols);
          losses[row] =
              RowLoops.loss(
                  logits.data(),
                  logits.offset() + row * cols,
                  targets[row],
                  cols,
                  exponentials,
                  scratch[worker].lanes);
        });
    return meanLoss(losses, targets.length, counted);
  }

  @Override
  public float crossEntropyBackward(
      Tensor logits, int[] targets, int ignoredTarget, Tensor dLogits) {
    int counted = OpShapes.targets(logits, targets, ignoredTarget);
    OpShapes.same("crossEntropyBackward", logits, dLogits);
    int cols = logits.cols();
    float share = 1f / counted;
    perRow = VectorAttention.grown(perRow, targets.length);
    float[] losses = perRow;
    rows(
        "crossEntropyBackward",
        dLogits,
        (worker, row) -> {
          int at = dLogits.offset() + row * cols;
          if (targets[row] == ignoredTarget) {
            losses[row] = 0f;
            Arrays.fill(dLogits.data(), at, at + cols, 0f);
            return;
          }
          losses[row] =
              RowLoops.lossBackward(
                  logits.data(),
                  logits.offset() + row * cols,
                  targets[row],
                  share,
                  dLogits.data(),
                  at,
                  cols,
                  scratch[worker].lanes);
        });
    return meanLoss(losses, targets.length, counted);
  }

  private float meanLoss(float[] losses, int rows, int counted) {
    float mean = LaneSums.sum(losses, 0, rows, scratch[0].lanes) / counted;
    return NonFiniteException.check("crossEntropy", 0, mean);
  }

  @Override
  public int[] argmax(Tensor x) {
    int cols = x.cols();
    int[] best = new int[x.rowCount()];
    for (int row = 0; row < best.length; row++) {
      int at = x.offset() + row * cols;
      float max = RowLoops.max(x.data(), at, cols);
      int c = 0;
      while (c < cols - 1 && x.data()[at + c] != max) {
        c++;
      }
      best[row] = c;
    }
    return best;
  }

  @Override
  public void rope(Tensor x, int[] positions, RopeTable table, Tensor y) {
    OpShapes.rope(x, positions, table, y);
    turn("rope", x, positions, table, false, y);
  }

  @Override
  public void ropeBackward(Tensor dy, int[] positions, RopeTable table, Tensor dx) {
    OpShapes.rope(dy, positions, table, dx);
    turn("ropeBackward", dy, positions, table, true, dx);
  }

  private void turn(String op, Tensor x, int[] positions, RopeTable table, boolean back, Tensor y) {
    int cols = x.cols();
    int headDim = table.headDim();
    int half = headDim / 2;
    rows(
        op,
        y,
        (worker, row) -> {
          int tableAt = table.cos().offset() + positions[row] * half;
          for (int head = 0; head < cols; head += headDim) {
            int at = row * cols + head;
            ElementLoops.turn(
                x.data(),
                x.offset() + at,
                table.cos().data(),
                table.sin().data(),
                tableAt,
                half,
                back,
                y.data(),
                y.offset() + at);
          }
        });
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
    VectorAttention.Call call =
        new VectorAttention.Call(q, keys, values, layout, out, out, out, out, out);
    int kvHeads = layout.kvHeads();
    boolean bad;
    try {
      bad =
          parallel.run(
              spans.size() * kvHeads,
              1,
              (worker, from, to) -> {
                boolean seen = false;
                for (int unit = from; unit < to; unit++) {
                  AttentionSpan span = spans.get(unit / kvHeads);
                  scratch[worker].attention.forward(call, span, unit % kvHeads);
                  seen |=
                      nonFiniteHeads(
                          out, layout, span.queryRow(), span.queryRows(), unit % kvHeads);
                }
                return seen;
              });
    } catch (NonFiniteException e) {
      // Threads meet bad scores in any order; the reference names the first row.
      new ScalarKernels().attention(q, keys, values, layout, spans, out);
      throw e;
    }
    locate(bad, "attention", out);
  }

  private static boolean nonFiniteHeads(
      Tensor out, HeadLayout layout, int firstRow, int rows, int kvHead) {
    int width = layout.group() * layout.headDim();
    boolean bad = false;
    for (int row = firstRow; row < firstRow + rows; row++) {
      bad |= nonFinite(out, row * out.cols() + kvHead * width, width);
    }
    return bad;
  }

  @Override
  public void storeKeys(Tensor keys, KeyValuePages pages, int layer, List<PagedSpan> spans) {
    OpShapes.store("storeKeys", keys, pages, layer, spans);
    eachHead(
        spans,
        pages.kvHeads(),
        (span, kvHead) -> VectorPagedAttention.storeKeys(keys, pages, layer, span, kvHead));
  }

  @Override
  public void storeValues(Tensor values, KeyValuePages pages, int layer, List<PagedSpan> spans) {
    OpShapes.store("storeValues", values, pages, layer, spans);
    eachHead(
        spans,
        pages.kvHeads(),
        (span, kvHead) -> VectorPagedAttention.storeValues(values, pages, layer, span, kvHead));
  }

  private interface SpanHead {
    void compute(PagedSpan span, int kvHead);
  }

  private static void eachHead(List<PagedSpan> spans, int kvHeads, SpanHead body) {
    for (PagedSpan span : spans) {
      for (int kvHead = 0; kvHead < kvHeads; kvHead++) {
        body.compute(span, kvHead);
      }
    }
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
    VectorPagedAttention.Call call =
        new VectorPagedAttention.Call(
            q, pages, layer, layout, window.orElse(Integer.MAX_VALUE), out);
    int kvHeads = layout.kvHeads();
    boolean bad;
    try {
      bad =
          parallel.run(
              spans.size() * kvHeads,
              1,
              (worker, from, to) -> {
                boolean seen = false;
                for (int unit = from; unit < to; unit++) {
                  PagedSpan span = spans.get(unit / kvHeads);
                  scratch[worker].pagedAttention.forward(call, span, unit % kvHeads);
                  seen |=
                      nonFiniteHeads(
                          out, layout, span.queryRow(), span.queryRows(), unit % kvHeads);
                }
                return seen;
              });
    } catch (NonFiniteException e) {
      // Threads meet bad scores in any order; the reference names the first row.
      new ScalarKernels().attention(q, pages, layer, layout, spans, window, out);
      throw e;
    }
    locate(bad, "attention", out);
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
    VectorAttention.Call call =
        new VectorAttention.Call(q, keys, values, layout, out, dOut, dQ, dKeys, dValues);
    int kvHeads = layout.kvHeads();
    try {
      parallel.run(
          spans.size() * kvHeads,
          1,
          (worker, from, to) -> {
            for (int unit = from; unit < to; unit++) {
              scratch[worker].attention.backward(call, spans.get(unit / kvHeads), unit % kvHeads);
            }
            return false;
          });
    } catch (NonFiniteException e) {
      // Threads meet bad scores in any order; the reference names the first row.
      new ScalarKernels()
          .attentionBackward(q, keys, values, layout, spans, out, dOut, dQ, dKeys, dValues);
      throw e;
    }
    checkFinite("attentionBackward", dQ);
    checkFinite("attentionBackward", dKeys);
    checkFinite("attentionBackward", dValues);
  }

  @Override
  public float laneSum(Tensor x) {
    float sum = LaneSums.sum(x.data(), x.offset(), x.size(), scratch[0].lanes);
    return NonFiniteException.check("laneSum", 0, sum);
  }

  @Override
  public float laneSumOfSquares(Tensor x) {
    float sum =
        LaneSums.dot(x.data(), x.offset(), x.data(), x.offset(), x.size(), scratch[0].lanes);
    return NonFiniteException.check("laneSumOfSquares", 0, sum);
  }

  @Override
  public void adamW(AdamW step, Tensor gradient, Tensor parameter, Tensor moment1, Tensor moment2) {
    OpShapes.same("adamW", gradient, parameter);
    OpShapes.same("adamW", gradient, moment1);
    OpShapes.same("adamW", gradient, moment2);
    boolean bad =
        pieces(
            parameter.size(),
            (worker, at, count) -> {
              ElementLoops.adamW(
                  step,
                  gradient.data(),
                  gradient.offset() + at,
                  parameter.data(),
                  parameter.offset() + at,
                  moment1.data(),
                  moment1.offset() + at,
                  moment2.data(),
                  moment2.offset() + at,
                  count);
              return nonFinite(parameter, at, count)
                  || nonFinite(moment1, at, count)
                  || nonFinite(moment2, at, count);
            });
    locate(bad, "adamW parameter", parameter);
    locate(bad, "adamW moment1", moment1);
    locate(bad, "adamW moment2", moment2);
  }

  @Override
  public void checkFinite(String what, Tensor x) {
    locate(pieces(x.size(), (worker, at, count) -> nonFinite(x, at, count)), what, x);
  }

  private interface Piece {
    void compute(int worker, int at, int count);
  }

  private interface CheckedPiece {
    boolean compute(int worker, int at, int count);
  }

  private interface Row {
    void compute(int worker, int row);
  }

  private interface Columns {
    void compute(int worker, int from, int count);
  }

  private void elements(String op, Tensor y, Piece piece) {
    boolean bad =
        pieces(
            y.size(),
            (worker, at, count) -> {
              piece.compute(worker, at, count);
              return nonFinite(y, at, count);
            });
    locate(bad, op, y);
  }

  private boolean pieces(int size, CheckedPiece piece) {
    return parallel.run(
        (size - 1) / ELEMENTS + 1,
        ELEMENT_CHUNK,
        (worker, from, to) -> {
          boolean bad = false;
          for (int item = from; item < to; item++) {
            int at = item * ELEMENTS;
            bad |= piece.compute(worker, at, Math.min(ELEMENTS, size - at));
          }
          return bad;
        });
  }

  private void rows(String op, Tensor y, Row body) {
    int cols = y.cols();
    boolean bad =
        parallel.run(
            y.rowCount(),
            rowChunk(cols),
            (worker, from, to) -> {
              boolean seen = false;
              for (int row = from; row < to; row++) {
                body.compute(worker, row);
                seen |= nonFinite(y, row * cols, cols);
              }
              return seen;
            });
    locate(bad, op, y);
  }

  private void eachRow(int rows, int cols, Row body) {
    parallel.run(
        rows,
        rowChunk(cols),
        (worker, from, to) -> {
          for (int row = from; row < to; row++) {
            body.compute(worker, row);
          }
          return false;
        });
  }

  private void columns(int cols, Columns body) {
    int width = 4 * PANEL;
    parallel.run(
        (cols - 1) / width + 1,
        1,
        (worker, from, to) -> {
          for (int item = from; item < to; item++) {
            int first = item * width;
            body.compute(worker, first, Math.min(width, cols - first));
          }
          return false;
        });
  }

  private static void addBlock(float[] sum, Tensor total, int from, int count, boolean first) {
    int at = total.offset() + from;
    if (first) {
      System.arraycopy(sum, 0, total.data(), at, count);
    } else {
      ElementLoops.add(total.data(), at, sum, 0, total.data(), at, count);
    }
  }

  private float[] rowScratch(int worker, int length) {
    Scratch own = scratch[worker];
    own.row = VectorAttention.grown(own.row, length);
    return own.row;
  }

  private static int rowChunk(int cols) {
    return Math.max(1, ROW_CHUNK_ELEMENTS / cols);
  }

  private static boolean nonFinite(Tensor x, int at, int count) {
    return Lanes.anyNonFinite(x.data(), x.offset() + at, count);
  }

  private static void locate(boolean bad, String op, Tensor y) {
    if (bad) {
      NonFiniteException.check(op, y);
    }
  }
}
