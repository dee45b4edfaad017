package io.rigmesh.worker.ptx;

import org.jspecify.annotations.Nullable;

/// A compiled instruction: what it does to the registers of the threads of a warp.
///
/// Registers are rows of 32 lanes, so that an operand is the index of a row's first lane; a
/// predicate is one int with a bit for each lane.
abstract class Op {
  /// How the warp treats an instruction.
  enum Kind {
    /// Every thread that reaches it runs it alone.
    PLAIN,
    BRANCH,
    EXIT,
    /// The threads that [#required] names run it together.
    COLLECTIVE,
    /// All threads of the warp come together, then the block is asked.
    BARRIER,
    /// As PLAIN, but other warps get their turn after it.
    YIELDING
  }

  private final Instruction source;
  private final Kind kind;
  private final int guard;
  private final int guardFlip;

  /// The buffer that this instruction touched last, so that it need not be searched again.
  @Nullable DeviceBuffer lastBuffer;

  @Nullable Shadow lastShadow;
  long lastLaunch = -1;

  Op(Instruction source, Kind kind) {
    this.source = source;
    this.kind = kind;
    this.guard = source.guard().map(g -> g.predicate().index()).orElse(-1);
    this.guardFlip = source.guard().map(Instruction.Guard::negated).orElse(false) ? -1 : 0;
  }

  Op(Instruction source) {
    this(source, Kind.PLAIN);
  }

  final Instruction source() {
    return source;
  }

  final Kind kind() {
    return kind;
  }

  /// Those of `active` whose guard lets them run this.
  final int guarded(Warp warp, int active) {
    return guard < 0 ? active : active & (warp.predicates[guard] ^ guardFlip);
  }

  /// Runs this for the threads in `mask`, which is not empty.
  abstract void run(Warp warp, int mask);

  /// For a collective: the threads that have to run it with thread `lane`.
  int required(Warp warp, int lane) {
    return -1;
  }

  /// For a branch: the index of its target.
  int target() {
    throw new IllegalStateException(source + " is no branch");
  }
}
