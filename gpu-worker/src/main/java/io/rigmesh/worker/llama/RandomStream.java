package io.rigmesh.worker.llama;

/// What a random number of [io.rigmesh.worker.kernels.Philox] is drawn for. Each purpose has
/// streams of its own, so that one job seed serves all of them and no draw is used twice. The
/// numbers are part of the numerics and never change.
public enum RandomStream {
  /// Initial weights: the lane is the parameter's index in the fixed order, the position the
  /// element's index.
  WEIGHTS(1),
  /// Training windows: the lane is the row of the batch, the position the step.
  BATCHES(2),
  /// Sampled tokens: the lane is 0, the position the token's absolute position in its sequence.
  SAMPLING(3);

  private final long number;

  RandomStream(long number) {
    this.number = number;
  }

  /// The stream of a lane of this purpose: the purpose in the upper 32 bits, the lane in the lower.
  public long lane(int lane) {
    return number << 32 | Integer.toUnsignedLong(lane);
  }
}
