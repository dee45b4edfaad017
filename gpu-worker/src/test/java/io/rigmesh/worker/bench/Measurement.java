package io.rigmesh.worker.bench;

/// One line of results: a figure of ours beside the peer's from the same run.
///
/// @param bench the benchmark's name
/// @param metric what was measured, for example the shape
/// @param value ours, the median
/// @param unit the unit of both values, more being better
/// @param peer what ours is compared with
/// @param peerValue the peer's, the median
record Measurement(
    String bench, String metric, double value, String unit, String peer, double peerValue) {
  double ratio() {
    return value / peerValue;
  }
}
