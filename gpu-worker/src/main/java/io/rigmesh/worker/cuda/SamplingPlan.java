package io.rigmesh.worker.cuda;

import io.rigmesh.worker.kernels.Kernels;
import java.util.List;

/// Writes the launches that choose tokens from the logits of a step; sampling.cu says what each
/// does.
final class SamplingPlan {
  private static final int THREADS = 256;
  private static final int BLOCK_THREADS = 128;
  private static final int SORT_THREADS = 512;
  private static final int ELEMENTS_PER_BLOCK = 1024;
  private static final int PIECES_MAX = 64;
  private static final int CHANGE_PIECES = 8;

  /// What one plan serves.
  ///
  /// @param draws the most draws
  /// @param ranks whether any of them may need the most likely tokens in order
  record Shape(int draws, boolean ranks) {
    /// The shape of so many draws, rounded up to a power of two so that few shapes serve all.
    static Shape of(int draws, boolean ranks, int drawsMax) {
      int rounded = draws <= 1 ? 1 : Integer.highestOneBit(draws - 1) << 1;
      return new Shape(Math.min(rounded, drawsMax), ranks);
    }
  }

  private final SamplingMemory memory;
  private final SamplingInput input;
  private final long logits;
  private final Shape shape;
  private final LaunchPlan.Builder plan;

  private SamplingPlan(SamplingMemory memory, SamplingInput input, long logits, Shape shape) {
    this.memory = memory;
    this.input = input;
    this.logits = logits;
    this.shape = shape;
    this.plan = new LaunchPlan.Builder("sampling of " + shape);
  }

  static LaunchPlan of(SamplingMemory memory, SamplingInput input, long logits, Shape shape) {
    return new SamplingPlan(memory, input, logits, shape).write();
  }

  private LaunchPlan write() {
    int cols = memory.vocabularySize();
    int pieces = Math.clamp(LinearLaunch.pieces(cols, ELEMENTS_PER_BLOCK), 1, PIECES_MAX);
    long row = 4L * shape.draws() * cols;
    add(
        "sample_scale",
        pieces,
        THREADS,
        new Arguments()
            .at(logits)
            .ints(cols)
            .at(input.draws(), memory.input(), memory.scaled(), input.tokens()),
        Work.moving(row, row));
    add(
        "sample_change",
        CHANGE_PIECES,
        THREADS,
        new Arguments()
            .at(logits)
            .ints(cols)
            .at(input.draws(), input.changes(), memory.input(), memory.scaled(), input.tokens()),
        Work.moving(0, 0));
    add(
        "argmax",
        pieces,
        THREADS,
        new Arguments().at(memory.scaled(), input.best(), memory.input()).ints(cols),
        Work.moving(row, 0));
    add(
        "sample_norm",
        1,
        THREADS,
        values().at(input.best(), memory.input(), memory.norms()),
        Work.moving(row, 0));
    add(
        "sample_blocks",
        memory.blocks(),
        BLOCK_THREADS,
        values().at(input.best(), memory.input(), memory.norms(), memory.totals()),
        Work.moving(row, row / Kernels.BLOCK));
    long ranked = shape.ranks() ? rank() : memory.keys();
    int stride = ranked == memory.keys() ? memory.keysPerDraw() : nextStride();
    add(
        "sample_choose",
        1,
        THREADS,
        values()
            .at(input.best(), memory.input(), memory.norms(), memory.totals(), ranked)
            .ints(stride)
            .at(input.tokens()),
        Work.moving(row / Kernels.BLOCK, 0));
    return plan.build();
  }

  private int nextStride() {
    return SamplingMemory.keysAfter(memory.keysPerDraw());
  }

  /// The tournament; gives where its last round's keys lie.
  private long rank() {
    int keys = memory.keysPerDraw();
    add(
        "top_first",
        keys / SamplingMemory.RANKED,
        SORT_THREADS,
        values().at(memory.input(), memory.keys()).ints(keys),
        Work.moving(4L * shape.draws() * memory.vocabularySize(), 8L * shape.draws() * keys));
    long from = memory.keys();
    int fromStride = keys;
    while (keys > SamplingMemory.RANKED) {
      boolean second = from == memory.keys();
      long to = second ? memory.nextKeys() : memory.keys();
      int toStride = second ? nextStride() : memory.keysPerDraw();
      int left = SamplingMemory.keysAfter(keys);
      add(
          "top_next",
          left / SamplingMemory.RANKED,
          SORT_THREADS,
          new Arguments()
              .at(from)
              .ints(fromStride, keys)
              .at(input.draws(), memory.input(), to)
              .ints(toStride),
          Work.moving(8L * shape.draws() * keys, 8L * shape.draws() * left));
      from = to;
      fromStride = toStride;
      keys = left;
    }
    return from;
  }

  private Arguments values() {
    return new Arguments().at(memory.scaled()).ints(memory.vocabularySize()).at(input.draws());
  }

  private void add(String entry, int pieces, int threads, Arguments arguments, Work work) {
    plan.add(
        new Launch(
            "sampling",
            entry,
            shape.draws(),
            pieces,
            1,
            threads,
            0,
            arguments.list(),
            List.of(),
            work));
  }
}
