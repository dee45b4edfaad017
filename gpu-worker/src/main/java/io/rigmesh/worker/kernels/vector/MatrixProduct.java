package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Tiles.PANEL;

import io.rigmesh.worker.kernels.nativecode.FloatProducts;

/// C = A · B in the block order: A row-major `(rows, depth)`, B in panels (see [Tiles] and
/// [Panels]), C row-major `(rows, cols)`. Every element is its own sum: blocks of `block` along the
/// depth, one ascending fma chain from +0 in each, added in ascending order to the first.
///
/// @param a holds A from `ap` on, rows `lda` apart
/// @param rows the number of rows of A and C
/// @param b holds the panels from `bp` on
/// @param panelDepth how many k a panel of B holds, at least `depth`
/// @param depth the length of every sum
/// @param cols the number of columns of C
/// @param block the length of a block
/// @param c receives C from `cp` on, rows `ldc` apart
// A loop's operands, never compared: the arrays are the point.
@SuppressWarnings("ArrayRecordComponent")
record MatrixProduct(
    float[] a,
    int ap,
    int lda,
    int rows,
    float[] b,
    int bp,
    int panelDepth,
    int depth,
    int cols,
    int block,
    float[] c,
    int cp,
    int ldc)
    implements Product {

  /// The same product for machine code, which adds a bias if there is one; the panels begin where
  /// their array does, and the rows of C follow one another.
  FloatProducts.Operands operands(float[] bias) {
    if (bp != 0 || ldc != cols || panelDepth != depth) {
      throw new IllegalStateException("This product's matrices are parts of others.");
    }
    return new FloatProducts.Operands(a, ap, lda, b, depth, block, bias, cols, c, cp);
  }

  @Override
  public void compute(int rowFrom, int rowTo, int panelFrom, int panelTo, float[] scratch) {
    int full = Math.min(panelTo, cols / PANEL);
    // A row alone takes as long as a tile of rows, since either reads the panels once: so the last
    // rows that fill no tile are computed by one that begins in rows which are done already.
    int rest = (rowTo - rowFrom) % Tiles.ROWS;
    int height = rest > 4 && rowTo >= 8 ? 8 : 4;
    int apart = rest == height || rowTo < height ? 0 : height < rest ? rest - height : rest;
    int direct = rowTo - apart;
    for (int start = 0; start < depth; start += block) {
      int length = Math.min(block, depth - start);
      int row = rowFrom;
      if (Tiles.ROWS == 8) {
        for (; row + 8 <= direct; row += 8) {
          tiles8(row, panelFrom, full, start, length);
        }
      }
      for (; row + 4 <= direct; row += 4) {
        tiles4(row, panelFrom, full, start, length);
      }
      for (; row < direct; row++) {
        tiles1(row, panelFrom, full, start, length);
      }
    }
    if (apart > 0) {
      for (int panel = panelFrom; panel < full; panel++) {
        lastRows(rowTo - height, height, direct, rowTo, panel, scratch);
      }
    }
    if (panelTo > full) {
      lastPanel(rowFrom, rowTo, full, scratch);
    }
  }

  /// The last rows of a panel by a tile that begins before them: what it computes again is left in
  /// scratch.
  private void lastRows(
      int tileRow, int height, int rowFrom, int rowTo, int panel, float[] scratch) {
    for (int start = 0; start < depth; start += block) {
      tile(tileRow, height, panel, start, scratch);
    }
    for (int row = rowFrom; row < rowTo; row++) {
      System.arraycopy(scratch, (row - tileRow) * PANEL, c, cAt(row, panel), PANEL);
    }
  }

  /// One tile of 8, 4 or 1 rows and one block of its sums, in scratch.
  private void tile(int row, int height, int panel, int start, float[] scratch) {
    int length = Math.min(block, depth - start);
    int aAt = aAt(row, start);
    int bAt = bAt(panel, start);
    boolean first = start == 0;
    if (height == 8) {
      Tiles.rows8(a, aAt, lda, b, bAt, length, scratch, 0, PANEL, first);
    } else if (height == 4) {
      Tiles.rows4(a, aAt, lda, b, bAt, length, scratch, 0, PANEL, first);
    } else {
      Tiles.row1(a, aAt, b, bAt, length, scratch, 0, first);
    }
  }

  private void tiles8(int row, int panelFrom, int panelTo, int start, int length) {
    for (int panel = panelFrom; panel < panelTo; panel++) {
      Tiles.rows8(
          a,
          aAt(row, start),
          lda,
          b,
          bAt(panel, start),
          length,
          c,
          cAt(row, panel),
          ldc,
          start == 0);
    }
  }

  private void tiles4(int row, int panelFrom, int panelTo, int start, int length) {
    for (int panel = panelFrom; panel < panelTo; panel++) {
      Tiles.rows4(
          a,
          aAt(row, start),
          lda,
          b,
          bAt(panel, start),
          length,
          c,
          cAt(row, panel),
          ldc,
          start == 0);
    }
  }

  private void tiles1(int row, int panelFrom, int panelTo, int start, int length) {
    int panel = panelFrom;
    for (; panel + 4 <= panelTo; panel += 4) {
      Tiles.row1Panels4(
          a,
          aAt(row, start),
          b,
          bAt(panel, start),
          panelDepth * PANEL,
          length,
          c,
          cAt(row, panel),
          start == 0);
    }
    for (; panel < panelTo; panel++) {
      Tiles.row1(a, aAt(row, start), b, bAt(panel, start), length, c, cAt(row, panel), start == 0);
    }
  }

  /// The columns of a panel that is not full are computed in scratch and copied.
  private void lastPanel(int rowFrom, int rowTo, int panel, float[] scratch) {
    int width = cols - panel * PANEL;
    int row = rowFrom;
    while (row < rowTo) {
      int height = rowTo - row >= Tiles.ROWS ? Tiles.ROWS : rowTo - row >= 4 ? 4 : 1;
      for (int start = 0; start < depth; start += block) {
        tile(row, height, panel, start, scratch);
      }
      for (int i = 0; i < height; i++) {
        System.arraycopy(scratch, i * PANEL, c, cAt(row + i, panel), width);
      }
      row += height;
    }
  }

  private int aAt(int row, int start) {
    return ap + row * lda + start;
  }

  private int bAt(int panel, int start) {
    return bp + (panel * panelDepth + start) * PANEL;
  }

  private int cAt(int row, int panel) {
    return cp + row * ldc + panel * PANEL;
  }
}
