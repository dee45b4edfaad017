package io.rigmesh.worker.kernels.vector;

import static io.rigmesh.worker.kernels.vector.Lanes.FLOATS;
import static io.rigmesh.worker.kernels.vector.Lanes.WIDTH;
import static jdk.incubator.vector.FloatVector.fromArray;

import io.rigmesh.worker.kernels.Kernels;
import java.util.Arrays;

/// Lane sums: the 256 lanes lie in an array of the caller's, a vector takes as many of them at a
/// time as it is wide, and the halving tree goes on element by element below the vector's width.
final class LaneSums {
  private static final int LANES = Kernels.LANES;

  private LaneSums() {}

  static float sum(float[] x, int offset, int count, float[] lanes) {
    Arrays.fill(lanes, 0, LANES, 0f);
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      int lane = i & (LANES - 1);
      fromArray(FLOATS, lanes, lane).add(fromArray(FLOATS, x, offset + i)).intoArray(lanes, lane);
    }
    for (; i < count; i++) {
      lanes[i & (LANES - 1)] += x[offset + i];
    }
    return tree(lanes);
  }

  static float dot(float[] x, int offsetX, float[] y, int offsetY, int count, float[] lanes) {
    Arrays.fill(lanes, 0, LANES, 0f);
    int i = 0;
    for (; i + WIDTH <= count; i += WIDTH) {
      int lane = i & (LANES - 1);
      fromArray(FLOATS, x, offsetX + i)
          .fma(fromArray(FLOATS, y, offsetY + i), fromArray(FLOATS, lanes, lane))
          .intoArray(lanes, lane);
    }
    for (; i < count; i++) {
      int lane = i & (LANES - 1);
      lanes[lane] = Math.fma(x[offsetX + i], y[offsetY + i], lanes[lane]);
    }
    return tree(lanes);
  }

  private static float tree(float[] lanes) {
    int half = LANES / 2;
    for (; half >= WIDTH; half /= 2) {
      for (int j = 0; j < half; j += WIDTH) {
        fromArray(FLOATS, lanes, j).add(fromArray(FLOATS, lanes, j + half)).intoArray(lanes, j);
      }
    }
    for (; half > 0; half /= 2) {
      for (int j = 0; j < half; j++) {
        lanes[j] += lanes[j + half];
      }
    }
    return lanes[0];
  }
}
