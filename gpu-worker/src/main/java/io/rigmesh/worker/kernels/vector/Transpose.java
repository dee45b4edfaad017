package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Lanes.FLOATS;
import static io.rigmesh.worker.kernels.vector.Lanes.WIDTH;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;

/// Transposed copies, a square of one vector's width at a time.
///
/// A square of W rows is transposed in log2(W) stages. Stage s, for s = W/2, ..., 2, 1, takes the
/// rows i and i + s and swaps the upper half of each 2s lanes of the first with the lower half of
/// the second.
final class Transpose {
  private static final int STAGES = Integer.numberOfTrailingZeros(WIDTH);

  private Transpose() {}

  /// How many floats of scratch a copy needs.
  static int scratchLength() {
    return WIDTH * WIDTH;
  }

  /// `target[c * targetStride + r] = source[r * sourceStride + c]` for `rows` rows and `cols`
  /// columns of the source.
  static void copy(
      float[] source,
      int from,
      int sourceStride,
      int rows,
      int cols,
      float[] target,
      int to,
      int targetStride,
      float[] scratch) {
    int squareRows = rows - rows % WIDTH;
    int squareCols = cols - cols % WIDTH;
    for (int r = 0; r < squareRows; r += WIDTH) {
      for (int c = 0; c < squareCols; c += WIDTH) {
        square(
            source,
            from + r * sourceStride + c,
            sourceStride,
            target,
            to + c * targetStride + r,
            targetStride,
            scratch);
      }
    }
    single(source, from, sourceStride, 0, squareRows, squareCols, cols, target, to, targetStride);
    single(source, from, sourceStride, squareRows, rows, 0, cols, target, to, targetStride);
  }

  private static void single(
      float[] source,
      int from,
      int sourceStride,
      int rowFrom,
      int rowTo,
      int colFrom,
      int colTo,
      float[] target,
      int to,
      int targetStride) {
    for (int c = colFrom; c < colTo; c++) {
      for (int r = rowFrom; r < rowTo; r++) {
        target[to + c * targetStride + r] = source[from + r * sourceStride + c];
      }
    }
  }

  private static void square(
      float[] source,
      int from,
      int sourceStride,
      float[] target,
      int to,
      int targetStride,
      float[] scratch) {
    for (int stage = 0; stage < STAGES; stage++) {
      boolean first = stage == 0;
      boolean last = stage == STAGES - 1;
      Stage s = Stage.ALL[stage];
      s.swap(
          first ? source : scratch,
          first ? from : 0,
          first ? sourceStride : WIDTH,
          last ? target : scratch,
          last ? to : 0,
          last ? targetStride : WIDTH);
    }
  }

  /// One stage: how far apart the rows of a pair are, and the lane movements that go with it.
  private static final class Stage {
    static final Stage[] ALL = new Stage[STAGES];

    static {
      Arrays.setAll(ALL, stage -> new Stage(WIDTH >> (stage + 1)));
    }

    private final int distance;
    private final VectorShuffle<Float> up;
    private final VectorShuffle<Float> down;
    private final VectorMask<Float> upper;

    private Stage(int distance) {
      this.distance = distance;
      up = VectorShuffle.fromOp(FLOATS, lane -> (lane - distance) & (WIDTH - 1));
      down = VectorShuffle.fromOp(FLOATS, lane -> (lane + distance) & (WIDTH - 1));
      boolean[] lanes = new boolean[WIDTH];
      for (int lane = 0; lane < WIDTH; lane++) {
        lanes[lane] = (lane & distance) != 0;
      }
      upper = VectorMask.fromArray(FLOATS, lanes, 0);
    }

    void swap(
        float[] source, int from, int sourceStride, float[] target, int to, int targetStride) {
      VectorShuffle<Float> upward = up;
      VectorShuffle<Float> downward = down;
      VectorMask<Float> mask = upper;
      for (int pair = 0; pair < WIDTH / 2; pair++) {
        // The pair's number with a zero bit put in at the distance's place is the number of its
        // first row.
        int i = ((pair & -distance) << 1) | (pair & (distance - 1));
        int j = i + distance;
        FloatVector a = FloatVector.fromArray(FLOATS, source, from + i * sourceStride);
        FloatVector b = FloatVector.fromArray(FLOATS, source, from + j * sourceStride);
        a.blend(b.rearrange(upward), mask).intoArray(target, to + i * targetStride);
        a.rearrange(downward).blend(b, mask).intoArray(target, to + j * targetStride);
      }
    }
  }
}
