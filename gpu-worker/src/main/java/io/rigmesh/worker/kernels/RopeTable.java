package io.rigmesh.worker.kernels;

import io.rigmesh.worker.tensor.Tensor;

/// Cosines and sines of rotary position embedding, one row per absolute position and one column per
/// pair of components.
///
/// Made with StrictMath in double and rounded to binary32 once, so every machine has the same
/// table.
public final class RopeTable {
  private final Tensor cos;
  private final Tensor sin;

  private RopeTable(Tensor cos, Tensor sin) {
    this.cos = cos;
    this.sin = sin;
  }

  /// The usual table: pair i of a head turns by `position * theta^(-2i/headDim)`.
  public static RopeTable of(int headDim, int positions, double theta) {
    if (headDim < 2 || headDim % 2 != 0) {
      throw new IllegalArgumentException("headDim must be even, but is " + headDim + ".");
    }
    double[] frequencies = new double[headDim / 2];
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] = StrictMath.pow(theta, -2.0 * i / headDim);
    }
    return of(frequencies, positions);
  }

  /// A table for given angular frequencies in radians per position, one per pair of components.
  public static RopeTable of(double[] frequencies, int positions) {
    return of(frequencies, positions, 1.0);
  }

  /// As [#of(double\[\], int)], cosines and sines multiplied by an amplitude before they are
  /// rounded.
  public static RopeTable of(double[] frequencies, int positions, double amplitude) {
    Tensor cos = Tensor.zeros(positions, frequencies.length);
    Tensor sin = Tensor.zeros(positions, frequencies.length);
    int index = 0;
    for (int position = 0; position < positions; position++) {
      for (double frequency : frequencies) {
        double angle = position * frequency;
        cos.set(index, (float) (amplitude * StrictMath.cos(angle)));
        sin.set(index, (float) (amplitude * StrictMath.sin(angle)));
        index++;
      }
    }
    return new RopeTable(cos, sin);
  }

  /// Cosines, shape `(positions, headDim / 2)`; not to be written.
  public Tensor cos() {
    return cos;
  }

  /// Sines, shape `(positions, headDim / 2)`; not to be written.
  public Tensor sin() {
    return sin;
  }

  /// How many positions the table knows.
  public int positions() {
    return cos.dim(0);
  }

  /// The head length the table is for.
  public int headDim() {
    return 2 * cos.dim(1);
  }
}
