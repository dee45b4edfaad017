package io.rigmesh.worker.kernels.nativecode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/// The machine code of f32-v1's products against the definition, element by element and bit by bit,
/// for every width of vectors that this CPU has; and what it must refuse.
class FloatProductsPropertyTest {
  private static final float[] NO_BIAS = {};
  private static final List<FloatProducts> ALL =
      NativeCode.find() instanceof NativeCode.Present present ? present.floats() : List.of();

  @Property(tries = 200)
  void sumsHaveTheirOrderForAnyShapeAndAnyPiece(
      @ForAll @IntRange(min = 1, max = 21) int rows,
      @ForAll @IntRange(min = 1, max = 90) int depth,
      @ForAll @IntRange(min = 1, max = 40) int block,
      @ForAll @IntRange(min = 1, max = 140) int cols,
      @ForAll long seed) {
    agree(rows, depth, block, cols, new Random(seed));
  }

  @Example
  void sumsOfWholeBlocksAndMore() {
    for (int rows : new int[] {1, 2, 3, 4, 9, 64}) {
      agree(rows, 1024, 512, 70, new Random(rows));
      agree(rows, 1537, 512, 33, new Random(rows));
    }
  }

  /// Rows in two pieces and panels in two, each piece with and without a guess at what follows;
  /// what no piece covers stays.
  private static void agree(int rows, int depth, int block, int cols, Random random) {
    int stride = depth + random.nextInt(4);
    int xAt = random.nextInt(5);
    float[] x = numbers(random, xAt + rows * stride);
    float[] w = numbers(random, cols * depth);
    float[] bias = random.nextBoolean() ? numbers(random, cols) : NO_BIAS;
    float[] expected = new float[rows * cols];
    boolean special = reference(x, xAt, stride, rows, w, depth, block, bias, cols, expected);
    for (FloatProducts products : ALL) {
      int panel = products.panel();
      int panels = (cols + panel - 1) / panel;
      float[] y = new float[rows * cols + 5];
      Arrays.fill(y, 77f);
      FloatProducts.Operands operands =
          new FloatProducts.Operands(
              x, xAt, stride, packed(w, depth, cols, panel), depth, block, bias, cols, y, 3);
      int middleRow = random.nextInt(rows + 1);
      int middlePanel = random.nextInt(panels + 1);
      boolean seen = false;
      for (int[] r : new int[][] {{0, middleRow}, {middleRow, rows}}) {
        for (int[] p : new int[][] {{0, middlePanel}, {middlePanel, panels}}) {
          int next = random.nextInt(panels + 1) - 1;
          seen |= products.multiply(operands, r[0], r[1], p[0], p[1], next);
        }
      }
      for (int i = 0; i < expected.length; i++) {
        if (Float.floatToIntBits(y[i + 3]) != Float.floatToIntBits(expected[i])) {
          assertThat(y[i + 3])
              .as("panel %d, row %d, column %d", panel, i / cols, i % cols)
              .isEqualTo(expected[i]);
          throw new AssertionError("zeros of another sign at " + i);
        }
      }
      assertThat(seen).isEqualTo(special);
      assertThat(List.of(y[0], y[2], y[y.length - 2], y[y.length - 1])).containsOnly(77f);
    }
  }

  /// docs/numerics.md, "Sums" and "Linear layers"; whether a result is NaN or infinite.
  private static boolean reference(
      float[] x,
      int xAt,
      int stride,
      int rows,
      float[] w,
      int depth,
      int block,
      float[] bias,
      int cols,
      float[] y) {
    boolean special = false;
    for (int t = 0; t < rows; t++) {
      for (int n = 0; n < cols; n++) {
        float total = 0;
        for (int start = 0; start < depth; start += block) {
          float chain = 0;
          for (int k = start; k < Math.min(depth, start + block); k++) {
            chain = Math.fma(x[xAt + t * stride + k], w[n * depth + k], chain);
          }
          total = start == 0 ? chain : total + chain;
        }
        y[t * cols + n] = bias.length == 0 ? total : total + bias[n];
        special |= !Float.isFinite(y[t * cols + n]);
      }
    }
    return special;
  }

  private static float[] packed(float[] w, int depth, int cols, int panel) {
    float[] packed = new float[(cols + panel - 1) / panel * panel * depth];
    for (int n = 0; n < cols; n++) {
      for (int k = 0; k < depth; k++) {
        packed[n / panel * (panel * depth) + k * panel + n % panel] = w[n * depth + k];
      }
    }
    return packed;
  }

  /// Ordinary, far apart, subnormal, or with zeros of both signs; now and then so large that sums
  /// overflow.
  private static float[] numbers(Random random, int count) {
    int kind = random.nextInt(5);
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      float x = (float) random.nextGaussian();
      numbers[i] =
          switch (kind) {
            case 0 -> x * (float) StrictMath.pow(2, random.nextInt(61) - 30);
            case 1 -> x * 0x1p-75f;
            case 2 -> random.nextInt(3) == 0 ? x : random.nextBoolean() ? 0f : -0f;
            case 3 -> random.nextInt(200) == 0 ? x * 0x1p126f : x;
            default -> x;
          };
    }
    return numbers;
  }

  @Example
  void whatDoesNotFitIsRefused() {
    for (FloatProducts products : ALL) {
      int panel = products.panel();
      float[] w = new float[panel * 6];
      FloatProducts.Operands fits =
          new FloatProducts.Operands(new float[12], 0, 6, w, 6, 512, NO_BIAS, 3, new float[6], 0);
      assertThat(products.multiply(fits, 0, 2, 0, 1, 0)).isFalse();
      for (int[] piece :
          new int[][] {
            {0, 3, 0, 1, -1}, {-1, 1, 0, 1, -1}, {0, 2, 0, 2, -1}, {0, 2, 0, 1, 1}, {0, 2, 0, 1, -2}
          }) {
        assertThatThrownBy(
                () -> products.multiply(fits, piece[0], piece[1], piece[2], piece[3], piece[4]))
            .isInstanceOf(IndexOutOfBoundsException.class);
      }
      FloatProducts.Operands shortWeight =
          new FloatProducts.Operands(
              new float[12], 0, 6, new float[panel * 6 - 1], 6, 512, NO_BIAS, 3, new float[6], 0);
      assertThatThrownBy(() -> products.multiply(shortWeight, 0, 1, 0, 1, -1))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
    assertThatThrownBy(() ->
            new FloatProducts.Operands(
                new float[12], 0, 5, new float[99], 6, 512, NO_BIAS, 3, new float[6], 0))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() ->
            new FloatProducts.Operands(
                new float[12], 0, 6, new float[99], 6, 512, new float[2], 3, new float[6], 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("bias");
  }
}
