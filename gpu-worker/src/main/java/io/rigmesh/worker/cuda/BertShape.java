package io.rigmesh.worker.cuda;

import io.rigmesh.worker.embed.Pooling;
import java.util.Optional;

/// What a pass of BERT is at most, rounded up so that few plans serve all; the exact numbers stand
/// in the pass's input.
///
/// @param rows tokens of all sequences
/// @param sequences how many
/// @param pooled how token vectors become a sequence's; empty where they are wanted themselves
record BertShape(int rows, int sequences, Optional<Pooled> pooled) {
  private static final int ROWS_MIN = 16;

  /// A way to pool.
  ///
  /// @param normalized whether vectors are scaled to length one
  record Pooled(Pooling pooling, boolean normalized) {}

  /// The shape that serves a pass: powers of two.
  ///
  /// @param rowsMax the most rows there ever are
  static BertShape of(int rows, int sequences, int rowsMax, Optional<Pooled> pooled) {
    int most = Math.min(StepShape.powerOfTwo(Math.max(ROWS_MIN, rows)), rowsMax);
    return new BertShape(most, Math.min(StepShape.powerOfTwo(sequences), most), pooled);
  }

  /// A shape than which none is larger.
  static BertShape largest(int rowsMax) {
    return new BertShape(rowsMax, rowsMax, Optional.empty());
  }

  /// The most tiles of attention.
  int tiles() {
    return Math.min(rows, rows / AttentionLaunches.TILE_LINES + sequences);
  }
}
