package io.rigmesh.worker.kernels.nativecode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.kernels.QuantisedRows;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/// The machine code against the definition, element by element, for every instruction set that this
/// CPU has; and what it must refuse.
class ByteProductsPropertyTest {
  private static final List<ByteProducts> ALL = all();

  private static List<ByteProducts> all() {
    List<ByteProducts> all = new ArrayList<>();
    if (NativeCode.find() instanceof NativeCode.Present present) {
      all.add(present.fastest());
      all.addAll(present.slower());
    }
    return List.copyOf(all);
  }

  @Property(tries = 150)
  void rowsAreQuantisedAsDefined(
      @ForAll @IntRange(min = 1, max = 5) int rows,
      @ForAll @IntRange(min = 1, max = 150) int cols,
      @ForAll long seed) {
    Tensor x = random(rows, cols, seed);
    QuantisedRows expected = QuantisedRows.of(x);
    int depth = ByteProducts.depth(cols);
    for (ByteProducts products : ALL) {
      byte[] q = new byte[3 + rows * depth + 2];
      float[] scales = new float[rows + 1];
      products.quantise(x.data(), x.offset(), rows, cols, products.offset(), q, 3, scales, 1);
      for (int row = 0; row < rows; row++) {
        assertThat(Float.floatToRawIntBits(scales[row + 1]))
            .isEqualTo(Float.floatToRawIntBits(expected.scales()[row]));
        for (int k = 0; k < depth; k++) {
          int value = k < cols ? expected.values()[row * cols + k] : 0;
          assertThat(q[3 + row * depth + k])
              .as("%s, row %d, element %d", products.set(), row, k)
              .isEqualTo((byte) (value + products.offset()));
        }
      }
      assertThat(List.of(q[0], q[2], q[q.length - 2], q[q.length - 1])).containsOnly((byte) 0);
    }
  }

  @Property(tries = 150)
  void productsAreExactForAnyBytesAndAnyPieceOfThem(
      @ForAll @IntRange(min = 1, max = 20) int rows,
      @ForAll @IntRange(min = 1, max = 90) int in,
      @ForAll @IntRange(min = 1, max = 140) int out,
      @ForAll long seed) {
    Random random = new Random(seed);
    int limit = random.nextBoolean() ? 127 : 3;
    byte[][] x = bytes(random, rows, in, limit);
    byte[][] w = bytes(random, out, in, limit);
    agree(x, w, random);
  }

  @Example
  void theLongestRowsOfTheLargestBytesAreExact() {
    for (int in : new int[] {66_312, 131_072}) {
      for (int sign : new int[] {-127, 127}) {
        byte[][] x = new byte[9][in];
        byte[][] w = new byte[3][in];
        for (int i = 0; i < x.length; i++) {
          Arrays.fill(x[i], (byte) (i % 2 == 0 ? 127 : -127));
        }
        for (byte[] row : w) {
          Arrays.fill(row, (byte) sign);
        }
        agree(x, w, new Random(in));
      }
    }
  }

  @Example
  void whatItWasNotGivenIsRefusedBeforeTheCall() {
    for (ByteProducts products : ALL) {
      ByteProducts.Weight weight = ByteProducts.Weight.zeros(8, 40);
      ByteProducts.Rows rows = new ByteProducts.Rows(new byte[16], new float[2]);
      float[] y = new float[80];
      float[] none = {};
      products.multiply(rows, 0, 2, weight, 0, 2, none, y, 0);
      assertThat(y).containsOnly(0f);
      refused(() -> products.multiply(rows, 0, 3, weight, 0, 2, none, y, 0));
      refused(() -> products.multiply(rows, -1, 2, weight, 0, 2, none, y, 0));
      refused(() -> products.multiply(rows, 0, 2, weight, 0, 3, none, y, 0));
      refused(() -> products.multiply(rows, 0, 2, weight, 0, 2, none, y, 1));
      refused(() -> products.multiply(rows, 0, 2, weight, 0, 2, none, y, -1));
      ByteProducts.Rows shorter = new ByteProducts.Rows(new byte[15], new float[2]);
      refused(() -> products.multiply(shorter, 0, 2, weight, 0, 2, none, y, 0));
      assertThatThrownBy(() -> products.multiply(rows, 0, 2, weight, 0, 2, new float[39], y, 0))
          .isInstanceOf(IllegalArgumentException.class);
      float[] x = new float[16];
      byte[] q = new byte[16];
      refused(() -> products.quantise(x, 1, 2, 8, 0, q, 0, new float[2], 0));
      refused(() -> products.quantise(x, 0, 2, 8, 0, q, 1, new float[2], 0));
      refused(() -> products.quantise(x, 0, 2, 8, 0, q, 0, new float[2], 1));
      refused(() -> products.quantise(x, 0, -1, 8, 0, q, 0, new float[2], 0));
      assertThatThrownBy(() -> products.quantise(x, 0, 1 << 16, 1 << 16, 0, q, 0, x, 0))
          .isInstanceOf(ArithmeticException.class);
    }
    assertThatThrownBy(
            () -> new ByteProducts.Weight(8, 40, new byte[511], new int[64], new float[64]))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> ByteProducts.Weight.zeros(QuantisedRows.COLS_MAX + 1, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static void refused(Runnable call) {
    assertThatThrownBy(call::run).isInstanceOf(IndexOutOfBoundsException.class);
  }

  /// Multiplies in two pieces of rows and two of panels, with scales and a bias that tell rows and
  /// columns apart.
  private static void agree(byte[][] x, byte[][] w, Random random) {
    int rows = x.length;
    int in = x[0].length;
    int out = w.length;
    int depth = ByteProducts.depth(in);
    float[] bias = new float[out];
    float[] rowScales = new float[rows];
    ByteProducts.Weight weight = ByteProducts.Weight.zeros(in, out);
    for (int t = 0; t < rows; t++) {
      rowScales[t] = random.nextFloat();
    }
    for (int n = 0; n < out; n++) {
      bias[n] = (float) random.nextGaussian();
      weight.scales()[n] = random.nextFloat();
    }
    for (ByteProducts products : ALL) {
      byte[] q = new byte[rows * depth];
      Arrays.fill(q, (byte) products.offset());
      for (int t = 0; t < rows; t++) {
        for (int k = 0; k < in; k++) {
          q[t * depth + k] = (byte) (x[t][k] + products.offset());
        }
      }
      for (int n = 0; n < out; n++) {
        int sum = 0;
        for (int k = 0; k < in; k++) {
          weight.panels()[ByteProducts.at(n, k, depth)] = w[n][k];
          sum += w[n][k];
        }
        weight.starts()[n] = -products.offset() * sum;
      }
      ByteProducts.Rows left = new ByteProducts.Rows(q, rowScales);
      int row = random.nextInt(rows + 1);
      int panel = random.nextInt(ByteProducts.panels(out) + 1);
      for (float[] added : List.of(bias, new float[0])) {
        float[] y = new float[rows * out + 2];
        Arrays.fill(y, 77f);
        for (int[] r : new int[][] {{0, row}, {row, rows}}) {
          for (int[] p : new int[][] {{0, panel}, {panel, ByteProducts.panels(out)}}) {
            if (r[0] < r[1] && p[0] < p[1]) {
              products.multiply(left, r[0], r[1], weight, p[0], p[1], added, y, 1);
            }
          }
        }
        assertThat(y[0]).isEqualTo(77f);
        assertThat(y[y.length - 1]).isEqualTo(77f);
        for (int t = 0; t < rows; t++) {
          for (int n = 0; n < out; n++) {
            int sum = 0;
            for (int k = 0; k < in; k++) {
              sum += x[t][k] * w[n][k];
            }
            float expected = (float) sum * (rowScales[t] * weight.scales()[n]);
            expected = added.length == 0 ? expected : expected + added[n];
            assertThat(Float.floatToRawIntBits(y[1 + t * out + n]))
                .as("%s, row %d, column %d", products.set(), t, n)
                .isEqualTo(Float.floatToRawIntBits(expected));
          }
        }
      }
    }
  }

  private static byte[][] bytes(Random random, int rows, int cols, int limit) {
    byte[][] bytes = new byte[rows][cols];
    for (byte[] row : bytes) {
      for (int k = 0; k < cols; k++) {
        row[k] = (byte) random.nextInt(-limit, limit + 1);
      }
    }
    return bytes;
  }

  private static Tensor random(int rows, int cols, long seed) {
    Random random = new Random(seed);
    int spread = random.nextInt(3) * 60;
    Tensor x = Tensor.view(new float[rows * cols + 3], 3, rows, cols);
    for (int i = 0; i < x.size(); i++) {
      x.set(i, Math.scalb((float) random.nextGaussian(), -random.nextInt(spread + 1)));
    }
    if (random.nextInt(4) == 0) {
      x.rows(0, 1).fill(Float.MIN_VALUE * random.nextInt(200));
    }
    return x;
  }
}
