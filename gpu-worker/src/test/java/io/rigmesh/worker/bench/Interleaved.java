package io.rigmesh.worker.bench;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;

/// Runs several sides of a comparison in turns, so that whatever else the machine does meets all of
/// them alike.
final class Interleaved {
  private Interleaved() {}

  /// Calls each side `warmUps` times and then `rounds` times more, in turns; returns each side's
  /// median of what it returned in those rounds.
  static double[] medians(int warmUps, int rounds, List<Callable<Double>> sides) throws Exception {
    double[][] values = new double[sides.size()][rounds];
    for (int round = -warmUps; round < rounds; round++) {
      for (int side = 0; side < values.length; side++) {
        double value = sides.get(side).call();
        if (round >= 0) {
          values[side][round] = value;
        }
      }
    }
    double[] medians = new double[values.length];
    for (int side = 0; side < values.length; side++) {
      Arrays.sort(values[side]);
      medians[side] = (values[side][(rounds - 1) / 2] + values[side][rounds / 2]) / 2;
    }
    return medians;
  }
}
