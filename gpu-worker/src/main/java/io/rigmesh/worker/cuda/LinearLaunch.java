package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import java.util.List;

/// Chooses the kernel of a linear layer, by profile, rows and device, and what it is launched with.
/// Every choice gives the same bits; they differ in how often the weight is read and in what unit
/// multiplies.
final class LinearLaunch {
  private static final int DP4A_ROWS_MAX = 8;
  private static final int DP4A_WEIGHT_ROWS = 4;
  private static final int DP4A_THREADS = 128;
  private static final int F32_ROWS_MAX = 8;
  private static final int MMA_STAGE_BYTES = 4 * 64;
  private static final int WGMMA_STAGE_BYTES = 4 * 128;
  private static final int PROMPT_ROWS = 512;
  private static final int PROMPT_COLUMNS = 256;

  private LinearLaunch() {}

  /// What happens to a finished dot product; epilogue.cuh has the same numbers.
  enum Mode {
    /// y = dot (+ bias).
    PLAIN(0),
    /// y = residual + (dot (+ bias)).
    RESIDUAL(1),
    /// y = swiglu of the first and the second half of the columns; in i8-v1 only.
    SWIGLU(2);

    private final int number;

    Mode(int number) {
      this.number = number;
    }

    /// As the kernels know it.
    int number() {
      return number;
    }
  }

  /// A use of a weight.
  ///
  /// @param what for people
  /// @param weight the matrix
  /// @param bias `(columns)` binary32, or 0
  /// @param x i8-v1: quantised rows, as far apart as the weight's; f32-v1: `(T, depth)`
  /// @param xScales i8-v1: a scale for every row of x; otherwise 0
  /// @param y `(T, columns)`, half as wide for SWIGLU; with RESIDUAL also what is added
  /// @param rows where the number of live rows stands
  /// @param rowsMax the most that it can be
  record Use(
      String what,
      DeviceMatrix weight,
      long bias,
      long x,
      long xScales,
      long y,
      long rows,
      int rowsMax,
      Mode mode) {
    int columnsOut() {
      return mode == Mode.SWIGLU ? weight.columns() / 2 : weight.columns();
    }

    List<String> faults() {
      return List.of("linear", "addBias", mode == Mode.SWIGLU ? "swiglu" : "add");
    }
  }

  /// The kernel for i8-v1 with its tile.
  private record Tile(String entry, int rows, int columns, int threads, int sharedBytes) {
    static Tile mma(int rows, int columns, int threads) {
      return new Tile(
          "linear_i8_mma_%dx%d".formatted(rows, columns),
          rows,
          columns,
          threads,
          (rows + columns) * MMA_STAGE_BYTES);
    }

    static Tile wgmma(int columns) {
      return new Tile(
          "linear_i8_wgmma_128x" + columns, 128, columns, 256, (128 + columns) * WGMMA_STAGE_BYTES);
    }

    static Tile dp4a(int rows) {
      return new Tile("linear_i8_rows_" + rows, rows, DP4A_WEIGHT_ROWS, DP4A_THREADS, 0);
    }

    /// The number of blocks that a product takes.
    long blocks(int productRows, int productColumns) {
      return (long) pieces(productRows, rows) * pieces(productColumns, columns);
    }

    static Tile of(int rows, int columns, Architecture architecture) {
      if (rows <= DP4A_ROWS_MAX || !architecture.hasInt8Tiles()) {
        return dp4a(rows <= 1 ? 1 : rows <= 2 ? 2 : rows <= 4 ? 4 : DP4A_ROWS_MAX);
      }
      if (rows <= 16) {
        return mma(16, 32, 64);
      }
      if (rows <= 64) {
        return mma(64, 32, 128);
      }
      return architecture.hasWarpGroupProducts()
          ? warpGroups(rows, columns, architecture)
          : mma(128, 128, 256);
    }

    /// The wide tile reads less for each product, unless it leaves multiprocessors without any.
    private static Tile warpGroups(int rows, int columns, Architecture architecture) {
      Tile wide = wgmma(256);
      Tile tile = wide.blocks(rows, columns) >= architecture.multiprocessors() ? wide : wgmma(128);
      return tile.sharedBytes() <= architecture.sharedBytesMax() ? tile : mma(128, 128, 256);
    }
  }

  /// The kernel that multiplies prompts in i8-v1 on a device: the one that [#of] chooses for more
  /// rows than one tile has and a weight wide enough to fill every multiprocessor.
  static String kernelOfPrompts(Architecture architecture) {
    return Tile.of(PROMPT_ROWS, PROMPT_COLUMNS * architecture.multiprocessors(), architecture)
        .entry();
  }

  static Launch of(Use use, Architecture architecture, long fault, int firstFault) {
    return use.weight().profile() == Profile.I8_V1
        ? int8(use, architecture, fault, firstFault)
        : float32(use, fault, firstFault);
  }

  private static Launch int8(Use use, Architecture architecture, long fault, int firstFault) {
    DeviceMatrix w = use.weight();
    Tile tile = Tile.of(use.rowsMax(), w.columns(), architecture);
    return new Launch(
        use.what(),
        tile.entry(),
        pieces(w.columns(), tile.columns()),
        pieces(use.rowsMax(), tile.rows()),
        1,
        tile.threads(),
        tile.sharedBytes(),
        new Arguments()
            .at(use.x(), use.xScales(), w.address(), w.scales(), use.bias(), use.y(), use.y())
            .ints(use.columnsOut())
            .at(use.rows())
            .ints(w.columns(), w.pitch(), use.mode().number)
            .at(fault)
            .ints(firstFault)
            .list(),
        use.faults(),
        work(use, (long) use.rowsMax() * w.depth(), Work.Unit.INT8));
  }

  private static Launch float32(Use use, long fault, int firstFault) {
    if (use.mode() == Mode.SWIGLU) {
      throw new IllegalArgumentException("f32-v1 has swiglu as a launch of its own.");
    }
    DeviceMatrix w = use.weight();
    boolean few = use.rowsMax() <= F32_ROWS_MAX;
    return new Launch(
        use.what(),
        few ? "linear_f32_rows" : "linear_f32",
        pieces(w.columns(), few ? 32 : 128),
        pieces(use.rowsMax(), few ? 4 : 128),
        1,
        256,
        0,
        new Arguments()
            .at(use.x())
            .ints(w.depth())
            .at(w.address())
            .ints(w.pitch())
            .at(use.bias(), use.y(), use.y())
            .ints(w.columns())
            .at(use.rows())
            .ints(w.columns(), w.depth(), use.mode().number)
            .at(fault)
            .ints(firstFault)
            .list(),
        use.faults(),
        work(use, 4L * use.rowsMax() * w.depth(), Work.Unit.FLOAT32));
  }

  private static Work work(Use use, long inputBytes, Work.Unit unit) {
    DeviceMatrix w = use.weight();
    long outputBytes = 4L * use.rowsMax() * use.columnsOut();
    return new Work(
        w.bytes() + inputBytes + (use.mode() == Mode.RESIDUAL ? outputBytes : 0),
        outputBytes,
        2L * use.rowsMax() * w.columns() * w.depth(),
        unit);
  }

  static int pieces(int count, int size) {
    return (count + size - 1) / size;
  }
}
