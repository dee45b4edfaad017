package io.rigmesh.worker.ptx;

import java.util.Optional;

/// `bar.sync`, `bar.arrive` and `bar.red`, aligned or not.
final class BarrierOp extends Op {
  /// What `bar.red` makes of the block's predicates.
  enum Reduction {
    NONE,
    AND,
    OR,
    COUNT
  }

  private final int id;
  private final int threads;
  private final boolean waits;
  private final Reduction reduction;
  private final int predicate;
  private final boolean negated;
  private final int result;

  /// @param id the row of the barrier's number
  /// @param threads the row of the number of threads, or -1 for all of the block
  /// @param predicate the predicate that is reduced, and `result` the predicate or row of the
  ///   result; -1 where nothing is reduced
  BarrierOp(
      Instruction source,
      int id,
      Optional<Integer> threads,
      boolean waits,
      Reduction reduction,
      int predicate,
      boolean negated,
      int result) {
    super(source, Kind.BARRIER);
    this.id = id;
    this.threads = threads.orElse(-1);
    this.waits = waits;
    this.reduction = reduction;
    this.predicate = predicate;
    this.negated = negated;
    this.result = result;
  }

  @Override
  void run(Warp warp, int mask) {
    int lane = Integer.numberOfTrailingZeros(mask);
    int number = warp.words[id + lane];
    if (number < 0 || number > 15) {
      throw warp.fault(this, lane, "there is no barrier " + number);
    }
    int trues = 0;
    if (reduction != Reduction.NONE) {
      int bits = warp.predicates[predicate];
      trues = Integer.bitCount((negated ? ~bits : bits) & mask);
    }
    int count = threads < 0 ? 0 : warp.words[threads + lane];
    if (count % Warp.LANES != 0) {
      throw warp.fault(this, lane, "a barrier is for whole warps, not for " + count + " threads");
    }
    warp.block().barrier(number).arrive(warp, this, count, trues, waits);
  }

  /// Gives a warp the result of the reduction.
  void passed(Warp warp, int trues, int all) {
    switch (reduction) {
      case NONE -> {}
      case AND -> warp.predicates[result] = trues == all ? -1 : 0;
      case OR -> warp.predicates[result] = trues > 0 ? -1 : 0;
      case COUNT -> {
        for (int lane = 0; lane < Warp.LANES; lane++) {
          warp.words[result + lane] = trues;
        }
      }
    }
  }
}
