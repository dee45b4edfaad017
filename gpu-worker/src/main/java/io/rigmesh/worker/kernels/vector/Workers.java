package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Tiles.PANEL;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.tensor.Tensor;

/// The threads of [VectorKernels], what each of them owns, and the shapes of loop that the
/// operations share out among them. Every piece of output is looked through for NaN and infinity
/// while it is still in the cache.
final class Workers implements AutoCloseable {
  /// Elements in one item of an element-wise loop, and items in one chunk.
  private static final int ELEMENTS = 1024;

  private static final int ELEMENT_CHUNK = 16;

  /// Fewer than so many items of a loop are not worth another thread.
  private static final int ELEMENT_CHUNK_MIN = 12;

  /// Elements that a chunk of rows holds, roughly, and the least of few rows.
  private static final int ROW_CHUNK_ELEMENTS = 8192;

  private static final int ROW_CHUNK_ELEMENTS_MIN = 2048;

  /// Chunks for each thread where there is little to share out: at the end a thread waits for as
  /// much as a chunk of another.
  private static final int CHUNKS = 2;

  /// What each thread owns.
  static final class Scratch {
    final float[] lanes = new float[Kernels.LANES];
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

  /// Starts `threads - 1` helper threads.
  Workers(int threads) {
    parallel = new ParallelFor(threads);
    scratch = new Scratch[threads];
    for (int i = 0; i < threads; i++) {
      scratch[i] = new Scratch();
    }
  }

  int threads() {
    return parallel.threads();
  }

  /// What thread `worker` owns.
  Scratch scratch(int worker) {
    return scratch[worker];
  }

  /// As [ParallelFor#run].
  boolean run(int count, int chunkItems, ParallelFor.Body body) {
    return parallel.run(count, chunkItems, body);
  }

  /// Throws if x holds NaN or infinity, naming `what`.
  void checkFinite(String what, Tensor x) {
    locate(pieces(x.size(), (worker, at, count) -> nonFinite(x, at, count)), what, x);
  }

  @Override
  public void close() {
    parallel.close();
  }

  interface Piece {
    void compute(int worker, int at, int count);
  }

  interface CheckedPiece {
    boolean compute(int worker, int at, int count);
  }

  interface Row {
    void compute(int worker, int row);
  }

  interface Columns {
    void compute(int worker, int from, int count);
  }

  void elements(String op, Tensor y, Piece piece) {
    boolean bad =
        pieces(
            y.size(),
            (worker, at, count) -> {
              piece.compute(worker, at, count);
              return nonFinite(y, at, count);
            });
    locate(bad, op, y);
  }

  boolean pieces(int size, CheckedPiece piece) {
    int items = (size - 1) / ELEMENTS + 1;
    return parallel.run(
        items,
        Math.clamp(share(items), ELEMENT_CHUNK_MIN, ELEMENT_CHUNK),
        (worker, from, to) -> {
          boolean bad = false;
          for (int item = from; item < to; item++) {
            int at = item * ELEMENTS;
            bad |= piece.compute(worker, at, Math.min(ELEMENTS, size - at));
          }
          return bad;
        });
  }

  void rows(String op, Tensor y, Row body) {
    int cols = y.cols();
    boolean bad =
        parallel.run(
            y.rowCount(),
            rowChunk(y.rowCount(), cols),
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

  void eachRow(int rows, int cols, Row body) {
    parallel.run(
        rows,
        rowChunk(rows, cols),
        (worker, from, to) -> {
          for (int row = from; row < to; row++) {
            body.compute(worker, row);
          }
          return false;
        });
  }

  void columns(int cols, Columns body) {
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

  static void addBlock(float[] sum, Tensor total, int from, int count, boolean first) {
    int at = total.offset() + from;
    if (first) {
      System.arraycopy(sum, 0, total.data(), at, count);
    } else {
      ElementLoops.add(total.data(), at, sum, 0, total.data(), at, count);
    }
  }

  float[] rowScratch(int worker, int length) {
    Scratch own = scratch[worker];
    own.row = VectorAttention.grown(own.row, length);
    return own.row;
  }

  /// How many rows make a chunk where a row takes no longer than to be copied.
  static int rowChunk(int cols) {
    return Math.max(1, ROW_CHUNK_ELEMENTS / cols);
  }

  /// How many of so many rows make a chunk.
  private int rowChunk(int rows, int cols) {
    int least = Math.max(1, ROW_CHUNK_ELEMENTS_MIN / cols);
    return Math.clamp(share(rows), least, Math.max(least, rowChunk(cols)));
  }

  private int share(int items) {
    int chunks = CHUNKS * threads();
    return (items + chunks - 1) / chunks;
  }

  static boolean nonFinite(Tensor x, int at, int count) {
    return Lanes.anyNonFinite(x.data(), x.offset() + at, count);
  }

  static void locate(boolean bad, String op, Tensor y) {
    if (bad) {
      NonFiniteException.check(op, y);
    }
  }
}
