package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Tiles.PANEL;

import io.rigmesh.worker.kernels.PackedWeight;
import io.rigmesh.worker.kernels.Projection;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

/// Linear layers of profile i8-v1 by the Vector API alone: [ByteProduct].
final class VectorByteLayers implements ByteLayers {
  private final Workers workers;
  private float[] scales = {};
  private int[] quantised = {};

  VectorByteLayers(Workers workers) {
    this.workers = workers;
  }

  @Override
  public String label() {
    return "vector";
  }

  @Override
  public PackedWeight pack(Tensor weight) {
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
    ByteLayers.checkScales(bad, packed.scales(), out);
    return packed;
  }

  @Override
  public void multiply(Tensor x, List<Projection> projections) {
    int count = projections.size();
    ByteProduct[] products = new ByteProduct[count];
    float[][] biases = new float[count][];
    int[] panels = new int[count];
    // All weights have one depth, that of x.
    quantise(x);
    for (int i = 0; i < count; i++) {
      if (!(projections.get(i).weight() instanceof ByteWeight weight)) {
        throw LinearLayers.anotherBackends();
      }
      Tensor y = projections.get(i).y();
      products[i] = new ByteProduct(quantised, scales, weight, y.data(), y.offset());
      biases[i] = ByteLayers.bias(projections.get(i));
      panels[i] = weight.panelCount();
    }
    boolean bad =
        Pieces.run(
            workers,
            x.rowCount(),
            panels,
            (worker, product, rowFrom, rowTo, panelFrom, panelTo, panelNext) -> {
              products[product].compute(
                  rowFrom, rowTo, panelFrom, panelTo, workers.scratch(worker).bytes);
              return LinearLayers.completed(
                  projections.get(product).y(),
                  rowFrom,
                  rowTo,
                  panelFrom,
                  panelTo,
                  biases[product]);
            });
    for (Projection projection : projections) {
      Workers.locate(bad, "linear", projection.y());
    }
  }

  /// Quantises the rows of x to [#quantised] and their scales to [#scales].
  private void quantise(Tensor x) {
    int rows = x.rowCount();
    int cols = x.cols();
    int depth = ByteWeight.depth(cols);
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
    ByteLayers.checkScales(bad, scales, rows);
  }
}
