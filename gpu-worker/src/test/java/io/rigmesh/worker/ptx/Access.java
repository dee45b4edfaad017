package io.rigmesh.worker.ptx;

/// What a thread does with a piece of memory.
enum Access {
  READ,
  /// A load by the non-coherent path: nothing may write there during the launch.
  READ_CONSTANT,
  WRITE,
  /// A read-modify-write, which other atomics may meet.
  ATOMIC
}
