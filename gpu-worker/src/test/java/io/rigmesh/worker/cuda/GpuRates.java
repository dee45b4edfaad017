package io.rigmesh.worker.cuda;

/// The rates that floors are computed from, per second.
///
/// @param source measured here, or assumed and from where
/// @param bytes that the device's memory moves
/// @param float32 operations of the scalar units
/// @param int8 operations of the tensor cores
record GpuRates(String source, double bytes, double float32, double int8) {
  /// For an H200, from the design notes: copy and fp32 as once measured, int8 by the datasheet.
  static final GpuRates H200 =
      new GpuRates("assumed, for an H200 (nothing measured)", 4.3e12, 60e12, 1_979e12);

  /// The seconds below which no implementation gets: every weight, and every key and value that is
  /// seen, read once; the operations of the plan at the ceilings of their units.
  ///
  /// @param bytesRead of the weights, keys and values
  double floor(LaunchPlan plan, long bytesRead) {
    double arithmetic =
        plan.operations(Work.Unit.FLOAT32) / float32 + plan.operations(Work.Unit.INT8) / int8;
    return Math.max(bytesRead / bytes, arithmetic);
  }
}
