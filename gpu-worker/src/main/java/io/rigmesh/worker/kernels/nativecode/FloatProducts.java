package io.rigmesh.worker.kernels.nativecode;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Objects;

/// Products of binary32 matrices in machine code, with the sums in the order of docs/numerics.md:
/// in each block an ascending chain of fused multiply-adds, the blocks added in ascending order.
/// Every bound is checked here, so that no argument makes the library touch what it was not given.
/// Stateless: threads may share it.
///
/// Layouts, in full in `float_product.c`: the weight is in panels of [#panel] columns, element (n,
/// k) at `n / panel * (panel * depth) + k * panel + n % panel`.
public final class FloatProducts {
  // In a static final, so that the compiler sees through the calls.
  private static final MethodHandle FLOAT_PRODUCT;

  static {
    if (!(NativeLibrary.LOADED instanceof NativeLibrary.Linked linked)) {
      throw new IllegalStateException("The native library was not loaded; see NativeCode.find().");
    }
    FLOAT_PRODUCT = linked.floatProduct();
  }

  /// The widths of vectors that the library has loops for.
  enum Width {
    /// AVX-512.
    AVX512(16, 0),
    /// AVX2 with FMA3.
    FMA(8, 1);

    private final int lanes;
    private final int number;

    Width(int lanes, int number) {
      this.lanes = lanes;
      this.number = number;
    }

    int lanes() {
      return lanes;
    }

    /// Its number in the library.
    int number() {
      return number;
    }
  }

  private final Width width;

  /// The products by the code for a width that this CPU has.
  FloatProducts(Width width) {
    this.width = width;
  }

  /// Columns of a panel.
  public int panel() {
    return 2 * width.lanes();
  }

  /// What a product is of.
  ///
  /// @param x rows from `xAt` on, `depth` floats each, `stride` apart
  /// @param xAt where the first lies
  /// @param stride at least depth
  /// @param panels the weight
  /// @param depth the length of every sum
  /// @param block the length of its blocks
  /// @param bias of `cols` elements, or of none
  /// @param cols the columns of y
  /// @param y receives the result from `yAt` on, rows `cols` apart
  /// @param yAt where its first row lies
  // A loop's operands, never compared: the arrays are the point.
  @SuppressWarnings("ArrayRecordComponent")
  public record Operands(
      float[] x,
      int xAt,
      int stride,
      float[] panels,
      int depth,
      int block,
      float[] bias,
      int cols,
      float[] y,
      int yAt) {
    /// Checks what does not depend on the piece.
    public Operands {
      if (depth < 1 || stride < depth || block < 1 || cols < 1) {
        throw new IllegalArgumentException(
            "A product has a depth, a block and columns of at least one and rows that do not overlap: %d, %d, %d, %d."
                .formatted(depth, block, cols, stride));
      }
      if (bias.length != 0 && bias.length != cols) {
        throw new IllegalArgumentException(
            "The bias has %d elements, but must have %d or none.".formatted(bias.length, cols));
      }
    }
  }

  /// The rows `rowFrom` to `rowTo` by the panels `panelFrom` to `panelTo`, the ends excluded;
  /// returns whether one of the results is NaN or infinite.
  ///
  /// @param panelNext the panel that this thread is likely to come to next, or -1: its way from
  ///   memory begins
  public boolean multiply(
      Operands of, int rowFrom, int rowTo, int panelFrom, int panelTo, int panelNext) {
    int panel = panel();
    int cols = of.cols();
    int panelCount = (cols + panel - 1) / panel;
    Objects.checkFromToIndex(panelFrom, panelTo, panelCount);
    Objects.checkFromToIndex(0, rowFrom, rowTo);
    Objects.checkIndex(panelNext + 1, panelCount + 1);
    Objects.checkFromIndexSize(
        0,
        Math.multiplyExact(Math.multiplyExact(panelCount, panel), of.depth()),
        of.panels().length);
    if (rowTo == rowFrom) {
      return false;
    }
    Objects.checkFromIndexSize(
        of.xAt(),
        Math.addExact(Math.multiplyExact(rowTo - 1, of.stride()), of.depth()),
        of.x().length);
    Objects.checkFromIndexSize(of.yAt(), Math.multiplyExact(rowTo, cols), of.y().length);
    MemorySegment biasOrNull =
        of.bias().length == 0 ? MemorySegment.NULL : MemorySegment.ofArray(of.bias());
    try {
      int special =
          (int)
              FLOAT_PRODUCT.invokeExact(
                  width.number(),
                  floats(of.x(), of.xAt() + rowFrom * of.stride()),
                  (long) of.stride(),
                  (long) (rowTo - rowFrom),
                  MemorySegment.ofArray(of.panels()),
                  (long) of.depth(),
                  (long) of.block(),
                  biasOrNull,
                  (long) panelFrom * panel,
                  (long) panelTo * panel,
                  (long) panelNext * panel,
                  (long) cols,
                  floats(of.y(), of.yAt() + rowFrom * cols));
      return special != 0;
    } catch (Throwable e) {
      throw new AssertionError("a call of machine code threw", e);
    }
  }

  private static MemorySegment floats(float[] array, int from) {
    return MemorySegment.ofArray(array).asSlice((long) from * Float.BYTES);
  }
}
