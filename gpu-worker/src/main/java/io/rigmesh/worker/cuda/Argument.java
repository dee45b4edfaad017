package io.rigmesh.worker.cuda;

/// One argument of a kernel, by its type in the kernel's signature.
public sealed interface Argument {
  /// A device address; 0 is a null pointer.
  record Address(long value) implements Argument {}

  /// An `int`.
  record Int32(int value) implements Argument {}

  /// A `long long`.
  record Int64(long value) implements Argument {}

  /// A `float`.
  record Float32(float value) implements Argument {}
}
