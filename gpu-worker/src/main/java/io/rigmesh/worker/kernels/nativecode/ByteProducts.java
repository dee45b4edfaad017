package io.rigmesh.worker.kernels.nativecode;

import io.rigmesh.worker.kernels.QuantisedRows;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Objects;

/// Quantised rows and their products in machine code, bit for bit as [QuantisedRows] defines them.
/// Every bound is checked here, so that no argument makes the library touch what it was not given.
/// Stateless: threads may share it.
///
/// Layouts, in full in `byte_product.c`: rows of x are bytes, each plus [#offset], [#depth] of them
/// apart. The weight is in panels of [#PANEL] columns, byte (n, k) at [#at].
public final class ByteProducts {
  /// Columns of a panel.
  public static final int PANEL = 32;

  private static final int GROUP = 4;

  // In static finals, so that the compiler sees through the calls.
  private static final MethodHandle QUANTISE_ROWS;
  private static final MethodHandle BYTE_PRODUCT;

  static {
    if (!(NativeLibrary.LOADED instanceof NativeLibrary.Linked linked)) {
      throw new IllegalStateException("The native library was not loaded; see NativeCode.find().");
    }
    QUANTISE_ROWS = linked.quantiseRows();
    BYTE_PRODUCT = linked.byteProduct();
  }

  private final InstructionSet set;

  /// The products by the code for an instruction set that [NativeCode.Present] lists.
  ByteProducts(InstructionSet set) {
    this.set = set;
  }

  /// The instructions that compute.
  public InstructionSet set() {
    return set;
  }

  /// What is added to every byte of x.
  public int offset() {
    return set.offset();
  }

  /// How many bytes a row of `cols` elements takes.
  public static int depth(int cols) {
    return Math.addExact(cols, GROUP - 1) / GROUP * GROUP;
  }

  /// How many panels hold `cols` columns.
  public static int panels(int cols) {
    return (cols + PANEL - 1) / PANEL;
  }

  /// Where byte (n, k) of a weight lies.
  public static int at(int n, int k, int depth) {
    return n / PANEL * (PANEL * depth)
        + k / GROUP * (GROUP * PANEL)
        + n % PANEL * GROUP
        + k % GROUP;
  }

  /// Quantises `rows` rows of x, `(rows, cols)` from `xAt` on: their bytes, plus `offset`, go to q
  /// from `qAt` on, and their scales to `scales` from `scalesAt` on; a row with NaN or infinity has
  /// the scale NaN.
  public void quantise(
      float[] x,
      int xAt,
      int rows,
      int cols,
      int offset,
      byte[] q,
      int qAt,
      float[] scales,
      int scalesAt) {
    int depth = depth(cols);
    Objects.checkFromIndexSize(xAt, Math.multiplyExact(rows, cols), x.length);
    Objects.checkFromIndexSize(qAt, Math.multiplyExact(rows, depth), q.length);
    Objects.checkFromIndexSize(scalesAt, rows, scales.length);
    try {
      QUANTISE_ROWS.invokeExact(
          set.number(),
          floats(x, xAt),
          (long) rows,
          (long) cols,
          (long) depth,
          offset,
          MemorySegment.ofArray(q).asSlice(qAt),
          floats(scales, scalesAt));
    } catch (Throwable e) {
      throw new AssertionError("a call of machine code threw", e);
    }
  }

  /// The left operand: quantised rows.
  ///
  /// @param bytes `(rows, depth)`, each plus [#offset]
  /// @param scales `(rows)`
  // A loop's operands, never compared: the arrays are the point.
  @SuppressWarnings("ArrayRecordComponent")
  public record Rows(byte[] bytes, float[] scales) {}

  /// The right operand.
  ///
  /// @param in elements of a row, at most [QuantisedRows#COLS_MAX]
  /// @param out rows, the columns of the product
  /// @param panels the bytes, see [#at]
  /// @param starts `(panels * PANEL)`: [#offset] times the sum of a row's bytes, negative
  /// @param scales `(panels * PANEL)`
  @SuppressWarnings("ArrayRecordComponent")
  public record Weight(int in, int out, byte[] panels, int[] starts, float[] scales) {
    /// Checks that all of it is there.
    public Weight {
      int cols = Math.multiplyExact(ByteProducts.panels(out), PANEL);
      if (in < 1
          || in > QuantisedRows.COLS_MAX
          || out < 1
          || panels.length != Math.multiplyExact(cols, ByteProducts.depth(in))
          || starts.length != cols
          || scales.length != cols) {
        throw new IllegalArgumentException("A weight's arrays do not fit its shape.");
      }
    }

    /// Zeros, to be filled.
    public static Weight zeros(int in, int out) {
      int cols = Math.multiplyExact(ByteProducts.panels(out), PANEL);
      return new Weight(
          in,
          out,
          new byte[Math.multiplyExact(cols, ByteProducts.depth(in))],
          new int[cols],
          new float[cols]);
    }
  }

  /// The rows `rowFrom` to `rowTo` by the panels `panelFrom` to `panelTo`, the ends excluded, of y,
  /// `(rows, weight.out())` from `yAt` on; returns whether one of them is NaN or infinite.
  ///
  /// @param bias of `weight.out()` elements, or of none
  public boolean multiply(
      Rows x,
      int rowFrom,
      int rowTo,
      Weight weight,
      int panelFrom,
      int panelTo,
      float[] bias,
      float[] y,
      int yAt) {
    int depth = depth(weight.in());
    int out = weight.out();
    Objects.checkFromToIndex(rowFrom, rowTo, x.scales().length);
    Objects.checkFromToIndex(panelFrom, panelTo, panels(out));
    Objects.checkIndex(Math.multiplyExact(rowTo, depth) - 1, x.bytes().length);
    Objects.checkFromIndexSize(yAt, Math.multiplyExact(rowTo, out), y.length);
    if (bias.length != 0 && bias.length != out) {
      throw new IllegalArgumentException(
          "The bias has %d elements, but must have %d or none.".formatted(bias.length, out));
    }
    MemorySegment biasOrNull = bias.length == 0 ? MemorySegment.NULL : MemorySegment.ofArray(bias);
    try {
      int special =
          (int)
              BYTE_PRODUCT.invokeExact(
                  set.number(),
                  MemorySegment.ofArray(x.bytes()).asSlice((long) rowFrom * depth),
                  floats(x.scales(), rowFrom),
                  (long) (rowTo - rowFrom),
                  (long) depth,
                  MemorySegment.ofArray(weight.panels()),
                  MemorySegment.ofArray(weight.starts()),
                  MemorySegment.ofArray(weight.scales()),
                  biasOrNull,
                  (long) panelFrom * PANEL,
                  (long) panelTo * PANEL,
                  (long) out,
                  floats(y, yAt + rowFrom * out));
      return special != 0;
    } catch (Throwable e) {
      throw new AssertionError("a call of machine code threw", e);
    }
  }

  private static MemorySegment floats(float[] array, int from) {
    return MemorySegment.ofArray(array).asSlice((long) from * Float.BYTES);
  }
}
