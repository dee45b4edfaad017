package io.rigmesh.worker.kernels;

import io.rigmesh.worker.kernels.vector.VectorKernels;
import java.util.stream.Stream;

/// Every backend that must give the same bits, with one thread and with several; whoever takes one
/// closes it.
public final class KernelsUnderTest {
  private KernelsUnderTest() {}

  /// New instances of all of them, the reference first.
  public static Stream<Kernels> all() {
    return Stream.of(
        new ScalarKernels(), new VectorKernels(1), new VectorKernels(2), new VectorKernels(3));
  }
}
