package io.rigmesh.worker.cuda;

import io.rigmesh.worker.kernels.Kernels;

/// Where the scratch memory of choosing tokens lies on the device, for D draws at most of V logits.
///
/// @param drawsMax the most draws at once
/// @param vocabularySize how many logits a row has
/// @param input what the host writes before: 32-bit words, see [SamplingInput]
/// @param scaled `(D, V)` binary32, the logits after changes and temperature
/// @param norms `(D, 2)` binary32
/// @param totals `(D, ceil(V / 512))` binary32
/// @param keys `(D, keysPerDraw)` 64-bit words, what the first round of the tournament leaves
/// @param nextKeys a quarter as many, for the second; later rounds take turns
record SamplingMemory(
    int drawsMax,
    int vocabularySize,
    long input,
    long scaled,
    long norms,
    long totals,
    long keys,
    long nextKeys) {
  /// How many of the most likely tokens are ranked.
  static final int RANKED = 256;

  /// How many keys one block of the tournament sorts.
  static final int PIECE = 1024;

  /// How many tokens whose logits change all draws can have together.
  static final int CHANGES_MAX = 1 << 16;

  /// How many keys the first round leaves of a draw.
  int keysPerDraw() {
    return keysAfter(vocabularySize);
  }

  int blocks() {
    return LinearLaunch.pieces(vocabularySize, Kernels.BLOCK);
  }

  /// How many keys a round leaves of so many values or keys.
  static int keysAfter(int count) {
    return LinearLaunch.pieces(count, PIECE) * RANKED;
  }

  static SamplingMemory take(Arena arena, int vocabularySize, int drawsMax) {
    long draws = drawsMax;
    int keys = keysAfter(vocabularySize);
    return new SamplingMemory(
        drawsMax,
        vocabularySize,
        arena.takeWords(SamplingInput.words(drawsMax)),
        arena.takeWords(draws * vocabularySize),
        arena.takeWords(2 * draws),
        arena.takeWords(draws * LinearLaunch.pieces(vocabularySize, Kernels.BLOCK)),
        arena.take(draws * keys * Long.BYTES),
        arena.take(draws * keysAfter(keys) * Long.BYTES));
  }
}
