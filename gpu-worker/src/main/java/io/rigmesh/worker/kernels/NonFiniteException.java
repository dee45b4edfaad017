package io.rigmesh.worker.kernels;

import io.rigmesh.worker.tensor.Tensor;

/// An operation produced NaN or infinity (invariant I4); the job that asked for it fails and
/// nothing is hashed.
public final class NonFiniteException extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final int EXPONENT_MASK = 0x7f800000;

  private final String op;
  private final int index;

  /// Names the operation, the row-major index of the first bad element of its result, and the
  /// value.
  public NonFiniteException(String op, int index, float value) {
    super(
        "Operation "
            + op
            + " produced "
            + value
            + " at element "
            + index
            + " of its result. The inputs hold values too large for f32: check the weights, or lower the learning rate.");
    this.op = op;
    this.index = index;
  }

  /// The operation's name.
  public String op() {
    return op;
  }

  /// The row-major index in the operation's result, or the row for a reduction over rows.
  public int index() {
    return index;
  }

  /// Throws if `tensor`, the result of `op`, holds a NaN or an infinity, naming the first.
  public static void check(String op, Tensor tensor) {
    float[] data = tensor.data();
    int end = tensor.offset() + tensor.size();
    for (int i = tensor.offset(); i < end; i++) {
      check(op, i - tensor.offset(), data[i]);
    }
  }

  /// Throws if `value`, element `index` of the result of `op`, is NaN or infinite; otherwise
  /// returns it.
  public static float check(String op, int index, float value) {
    if ((Float.floatToRawIntBits(value) & EXPONENT_MASK) == EXPONENT_MASK) {
      throw new NonFiniteException(op, index, value);
    }
    return value;
  }
}
