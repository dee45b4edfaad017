package io.rigmesh.worker.verify;

/// How much of the work was recomputed, all of it with the same bits.
///
/// @param checked steps, tokens or sentences
/// @param total of how many
/// @param unit what they are called, in the plural
/// @param seconds how long the model took for them, without reading and loading
record Recomputed(long checked, long total, String unit, double seconds) {
  private static final double NANOS_PER_SECOND = 1e9;

  static double secondsSince(long startNanos) {
    return (System.nanoTime() - startNanos) / NANOS_PER_SECOND;
  }
}
