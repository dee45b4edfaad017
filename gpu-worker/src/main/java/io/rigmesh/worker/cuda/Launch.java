package io.rigmesh.worker.cuda;

import java.util.List;

/// One launch of a kernel: all that a driver or an interpreter needs to run it.
///
/// @param what for people: the operation and where in the model it is, such as `layer 3 gate and
///   up`
/// @param entry the kernel's entry point; [PtxManifest#moduleOf] has its module
/// @param gridX blocks across
/// @param gridY blocks down
/// @param gridZ blocks deep
/// @param threads of a block
/// @param sharedBytes shared memory that the launch adds to the kernel's own
/// @param arguments in the order of the kernel's signature
/// @param faults the operation that each fault number of this launch names, counted from the number
///   that the kernel was given
/// @param work what it has to do
public record Launch(
    String what,
    String entry,
    int gridX,
    int gridY,
    int gridZ,
    int threads,
    int sharedBytes,
    List<Argument> arguments,
    List<String> faults,
    Work work) {
  /// The most blocks down or deep that CUDA has.
  static final int GRID_MAX = 65_535;

  /// Refuses what no device can launch.
  public Launch {
    arguments = List.copyOf(arguments);
    faults = List.copyOf(faults);
    if (gridX < 1 || gridY < 1 || gridZ < 1 || gridY > GRID_MAX || gridZ > GRID_MAX) {
      throw new IllegalArgumentException(
          "%s: a grid of %d x %d x %d blocks cannot be launched."
              .formatted(what, gridX, gridY, gridZ));
    }
    if (threads < 1 || threads > 1024) {
      throw new IllegalArgumentException(
          "%s: a block of %d threads cannot be launched.".formatted(what, threads));
    }
  }
}
