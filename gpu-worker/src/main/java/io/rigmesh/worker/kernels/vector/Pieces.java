package io.rigmesh.worker.kernels.vector;

/// Shares out matrix products of the same rows in pieces of some rows by some panels.
final class Pieces {
  /// Rows and panels of one piece: a block of the panels stays in the second-level cache.
  private static final int ROWS = 64;

  private static final int PANELS = 8;

  /// Pieces for each thread, if the panels suffice: few of few rows, whose time is that of the
  /// weight's way from memory, which comes faster in long runs.
  private static final int PIECES_MIN = 8;

  private static final int PIECES_MIN_FEW_ROWS = 4;
  private static final int FEW_ROWS = 16;

  /// Computes the rows `rowFrom` to `rowTo` of the panels `panelFrom` to `panelTo`, the ends
  /// excluded, of one product; returns whether a result is NaN or infinite. `panelNext` is the
  /// panel that this thread is likely to begin with next, or -1 where that is another product's.
  interface Body {
    boolean compute(
        int worker, int product, int rowFrom, int rowTo, int panelFrom, int panelTo, int panelNext);
  }

  private Pieces() {}

  /// Runs the body over all pieces of products that have `rows` rows and so many panels each;
  /// returns whether any reported a bad result.
  static boolean run(Workers workers, int rows, int[] panels, Body body) {
    int rowPieces = (rows + ROWS - 1) / ROWS;
    int wide = PANELS;
    int least = (rows <= FEW_ROWS ? PIECES_MIN_FEW_ROWS : PIECES_MIN) * workers.threads();
    // Narrower where there would not be enough pieces to share out: at the end a thread waits for
    // as
    // much as a piece of another.
    while (wide > 1 && workers.threads() > 1 && rowPieces * columnPieces(panels, wide) < least) {
      wide /= 2;
    }
    int panelsEach = wide;
    int threads = workers.threads();
    return workers.run(
        rowPieces * columnPieces(panels, wide),
        1,
        (worker, from, to) -> {
          boolean seen = false;
          for (int piece = from; piece < to; piece++) {
            int row = piece % rowPieces * ROWS;
            int column = piece / rowPieces;
            int product = 0;
            while (column >= columnPieces(panels[product], panelsEach)) {
              column -= columnPieces(panels[product], panelsEach);
              product++;
            }
            int panel = column * panelsEach;
            int panelTo = Math.min(panels[product], panel + panelsEach);
            // Threads take pieces in turn; the rows of a panel follow each other.
            int next = panel + (piece % rowPieces + threads) / rowPieces * panelsEach;
            seen |=
                body.compute(
                    worker,
                    product,
                    row,
                    Math.min(rows, row + ROWS),
                    panel,
                    panelTo,
                    next == panel || next >= panels[product] ? -1 : next);
          }
          return seen;
        });
  }

  private static int columnPieces(int[] panels, int wide) {
    int pieces = 0;
    for (int count : panels) {
      pieces += columnPieces(count, wide);
    }
    return pieces;
  }

  private static int columnPieces(int panels, int wide) {
    return (panels + wide - 1) / wide;
  }
}
