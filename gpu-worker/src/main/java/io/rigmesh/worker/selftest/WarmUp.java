package io.rigmesh.worker.selftest;

/// Decides when a device is warm: a JVM interprets what it runs first, for seconds a run, and then
/// compiles it in several steps; a GPU loads its kernels and raises its clock. So the first run
/// counts for nothing, and the others are taken in rounds until one is hardly faster than the
/// fastest before it.
final class WarmUp {
  /// The least time after the first run.
  private static final double SECONDS_MIN = 0.4;

  /// Whoever gains for so long is timed as he is.
  private static final double SECONDS_MAX = 8;

  private static final double ROUND_SECONDS = 0.1;
  private static final int ROUND_RUNS = 3;

  /// A round that takes more than this much of the fastest one's time for a run gains nothing.
  private static final double GAIN = 0.9;

  private boolean first = true;
  private double secondsTotal;
  private double roundSeconds;
  private int roundRuns;
  private double fastest = Double.MAX_VALUE;
  private boolean gained = true;

  /// Takes note of how long a run took.
  void ran(double seconds) {
    if (first) {
      first = false;
      return;
    }
    secondsTotal += seconds;
    roundSeconds += seconds;
    roundRuns++;
    if (roundRuns >= ROUND_RUNS && roundSeconds >= ROUND_SECONDS) {
      double run = roundSeconds / roundRuns;
      gained = run < GAIN * fastest;
      fastest = Math.min(fastest, run);
      roundSeconds = 0;
      roundRuns = 0;
    }
  }

  /// Whether it can be timed.
  boolean done() {
    return secondsTotal >= SECONDS_MAX || (secondsTotal >= SECONDS_MIN && !gained);
  }
}
