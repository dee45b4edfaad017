package io.rigmesh.worker.kernels.vector;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.PackedWeight;
import io.rigmesh.worker.kernels.Projection;
import io.rigmesh.worker.kernels.nativecode.ByteProducts;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;

/// Linear layers of profile i8-v1 in machine code; the threads are Java's.
final class NativeByteLayers implements ByteLayers {
  private record NativeWeight(ByteProducts.Weight weight) implements PackedWeight {
    @Override
    public int in() {
      return weight.in();
    }

    @Override
    public int out() {
      return weight.out();
    }

    @Override
    public Profile profile() {
      return Profile.I8_V1;
    }
  }

  private final Workers workers;
  private final ByteProducts products;
  private byte[] bytes = {};
  private float[] scales = {};

  NativeByteLayers(Workers workers, ByteProducts products) {
    this.workers = workers;
    this.products = products;
  }

  @Override
  public String label() {
    return products.set().label();
  }

  @Override
  public PackedWeight pack(Tensor weight) {
    int in = weight.dim(1);
    int out = weight.dim(0);
    int depth = ByteProducts.depth(in);
    ByteProducts.Weight packed = ByteProducts.Weight.zeros(in, out);
    boolean bad =
        workers.run(
            ByteProducts.panels(out),
            1,
            (worker, from, to) -> {
              byte[] row = new byte[depth];
              boolean seen = false;
              int end = Math.min(out, to * ByteProducts.PANEL);
              for (int n = from * ByteProducts.PANEL; n < end; n++) {
                int at = weight.offset() + n * in;
                products.quantise(weight.data(), at, 1, in, 0, row, 0, packed.scales(), n);
                seen |= Float.isNaN(packed.scales()[n]);
                int sum = 0;
                for (int k = 0; k < in; k++) {
                  packed.panels()[ByteProducts.at(n, k, depth)] = row[k];
                  sum += row[k];
                }
                packed.starts()[n] = -products.offset() * sum;
              }
              return seen;
            });
    ByteLayers.checkScales(bad, packed.scales(), out);
    return new NativeWeight(packed);
  }

  @Override
  public void multiply(Tensor x, List<Projection> projections) {
    ByteProducts.Rows rows = quantise(x);
    int count = projections.size();
    ByteProducts.Weight[] weights = new ByteProducts.Weight[count];
    float[][] biases = new float[count][];
    int[] panels = new int[count];
    for (int i = 0; i < count; i++) {
      if (!(projections.get(i).weight() instanceof NativeWeight own)) {
        throw LinearLayers.anotherBackends();
      }
      weights[i] = own.weight();
      biases[i] = ByteLayers.bias(projections.get(i));
      panels[i] = ByteProducts.panels(own.out());
    }
    boolean bad =
        Pieces.run(
            workers,
            x.rowCount(),
            panels,
            (worker, product, rowFrom, rowTo, panelFrom, panelTo, panelNext) -> {
              Tensor y = projections.get(product).y();
              return products.multiply(
                  rows,
                  rowFrom,
                  rowTo,
                  weights[product],
                  panelFrom,
                  panelTo,
                  biases[product],
                  y.data(),
                  y.offset());
            });
    for (Projection projection : projections) {
      Workers.locate(bad, "linear", projection.y());
    }
  }

  private ByteProducts.Rows quantise(Tensor x) {
    int rows = x.rowCount();
    int cols = x.cols();
    int depth = ByteProducts.depth(cols);
    scales = VectorAttention.grown(scales, rows);
    if (bytes.length < Math.multiplyExact(rows, depth)) {
      bytes = new byte[rows * depth];
    }
    ByteProducts.Rows quantised = new ByteProducts.Rows(bytes, scales);
    boolean bad =
        workers.run(
            rows,
            Workers.rowChunk(cols),
            (worker, from, to) -> {
              products.quantise(
                  x.data(),
                  x.offset() + from * cols,
                  to - from,
                  cols,
                  products.offset(),
                  quantised.bytes(),
                  from * depth,
                  quantised.scales(),
                  from);
              boolean seen = false;
              for (int row = from; row < to; row++) {
                seen |= Float.isNaN(quantised.scales()[row]);
              }
              return seen;
            });
    ByteLayers.checkScales(bad, scales, rows);
    return quantised;
  }
}
