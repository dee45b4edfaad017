package io.rigmesh.worker.cuda;

/// How large the parts of a step are at most; the exact numbers stand in the step's input, so one
/// plan serves every step that fits its shape.
///
/// @param rows of the step
/// @param listed how many rows' attention is computed row by row
/// @param tiles how many tiles of attention there are
/// @param outputs how many rows want a result
/// @param context the longest sequence after the step, a multiple of 1024
record StepShape(int rows, int listed, int tiles, int outputs, int context) {
  /// The least context of a shape, and the split of attention.
  static final int CONTEXT_MIN = 1024;

  /// The shape of a decode, rounded up so that few shapes serve all: rows, and outputs as many, to
  /// a power of two, the context to one from 1024 on.
  static StepShape decode(int rows, StepMemory.Limits limits, int context) {
    int most = Math.min(powerOfTwo(rows), limits.rowsMax());
    return new StepShape(
        most,
        most,
        0,
        Math.min(most, limits.outputsMax()),
        Math.min(powerOfTwo(Math.max(context, CONTEXT_MIN)), limits.contextMax()));
  }

  /// The shape of any other step.
  static StepShape exact(int rows, int listed, int tiles, int outputs, int context) {
    return new StepShape(
        rows, listed, tiles, outputs, LinearLaunch.pieces(context, CONTEXT_MIN) * CONTEXT_MIN);
  }

  static int powerOfTwo(int count) {
    return count <= 1 ? 1 : Integer.highestOneBit(count - 1) << 1;
  }
}
