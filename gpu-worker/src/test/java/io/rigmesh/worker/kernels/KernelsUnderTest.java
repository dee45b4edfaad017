package io.rigmesh.worker.kernels;

import java.util.stream.Stream;

/// Every backend that must give the same bits, with one thread and with several; whoever takes one
/// closes it.
public final class KernelsUnderTest {
  private KernelsUnderTest() {}

  /// New instances of all of them, the reference first.
  public static Stream<Kernels> all() {
    return Stream.of(new ScalarKernels());
  }
}
