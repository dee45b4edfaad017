package io.rigmesh.worker.tensor;

/// The element type of a [Tensor].
public enum DType {
  /// IEEE-754 binary32, four bytes, little-endian wherever it is written out.
  F32;

  /// The size of one element in bytes.
  public int bytes() {
    return 4;
  }
}
