package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.llama.LlamaConfig;
import java.util.ArrayList;
import java.util.List;

/// Where the pages and the scratch memory of a model's steps lie on the device, with R rows and O
/// outputs at most.
///
/// @param limits what it is laid out for
/// @param input what the host writes before a step
/// @param results the fault word, and behind it one 64-bit word for each output, as argmax.cu
///   leaves it
/// @param keys each layer's pool of keys, `(pages, kvHeads, d, 32)` binary32
/// @param values each layer's pool of values, `(pages, kvHeads, 32, d)`
/// @param residual `(R, D)`
/// @param rows what the next linear layer reads; f32-v1: `(R, D)` binary32; i8-v1: `(R, pitch)`
///   bytes
/// @param rowScales i8-v1: `(R)`
/// @param qkv `(R, Q + 2K)`
/// @param mixed `(R, Q)`, what attention gives
/// @param gateUp f32-v1: `(R, 2F)`
/// @param inner `(R, F)`
/// @param hidden `(O, D)`, right behind the results, so that one copy brings both
/// @param logits `(O, V)`
/// @param scores of attention, row by row of keys
/// @param scoreCount how many scores there is room for
/// @param maxima of each 128 scores
/// @param chains of each 1024 scores and component
/// @param largest one 64-bit word, in whose low half the bits of the largest magnitude of `inner`
///   stand where a step has one row
record StepMemory(
    Limits limits,
    Input input,
    long results,
    List<Long> keys,
    List<Long> values,
    long residual,
    long rows,
    long rowScales,
    long qkv,
    long mixed,
    long gateUp,
    long inner,
    long hidden,
    long logits,
    long scores,
    long scoreCount,
    long maxima,
    long chains,
    long largest) {
  /// Attention's scores take at most this, unless one row alone needs more.
  private static final long SCORE_COUNT = 64L << 20;

  /// What a thread loads at once at most, which everything must be aligned to.
  private static final int VECTOR_BYTES = 16;

  /// Keys are scored 128 at a time and summed 1024 at a time.
  static final int PIECE = 128;

  /// The fault word.
  long fault() {
    return results;
  }

  /// The words of argmax.
  long best() {
    return results + Long.BYTES;
  }

  StepMemory {
    keys = List.copyOf(keys);
    values = List.copyOf(values);
  }

  /// What a layout is for.
  ///
  /// @param pages of keys and values
  /// @param rowsMax the most rows of a step
  /// @param outputsMax the most rows that want a result
  /// @param positions the longest sequence
  /// @param logits whether the head runs
  record Limits(int pages, int rowsMax, int outputsMax, int positions, boolean logits) {
    /// The longest sequence, in whole splits.
    int contextMax() {
      return LinearLaunch.pieces(positions, StepShape.CONTEXT_MIN) * StepShape.CONTEXT_MIN;
    }

    /// How many entries all page tables of one step can have together.
    long tableEntriesMax() {
      return (long) rowsMax * LinearLaunch.pieces(positions, KeyValuePages.PAGE);
    }
  }

  /// What the host writes before every step: 32-bit words, one part behind the other, so that one
  /// copy brings all that is used.
  ///
  /// @param address of the first word
  /// @param limits what it is laid out for
  record Input(long address, Limits limits) {
    static final int ROWS = 0;
    static final int OUTPUTS = 1;
    static final int TILES = 2;
    static final int LISTED = 3;
    private static final int HEADER = 4;

    /// Words up to the page tables.
    int fixedWords() {
      return HEADER + 6 * limits.rowsMax() + limits.outputsMax();
    }

    int tokens() {
      return HEADER;
    }

    int positions() {
      return HEADER + limits.rowsMax();
    }

    /// Where each row's page table begins among all.
    int sequences() {
      return HEADER + 2 * limits.rowsMax();
    }

    /// The rows whose attention is computed row by row.
    int list() {
      return HEADER + 3 * limits.rowsMax();
    }

    /// First row and number of rows of each tile of attention.
    int tiles() {
      return HEADER + 4 * limits.rowsMax();
    }

    int outputRows() {
      return HEADER + 6 * limits.rowsMax();
    }

    int tables() {
      return fixedWords();
    }

    long at(int word) {
      return address + 4L * word;
    }
  }

  /// Takes the memory.
  static StepMemory take(Arena arena, LlamaConfig config, Profile profile, Limits limits) {
    boolean int8 = profile == Profile.I8_V1;
    int rowsMax = limits.rowsMax();
    int outputs = limits.outputsMax();
    int width = config.hiddenSize();
    int inner = config.feedForwardSize();
    int qkvCols = config.queryCols() + 2 * config.keyCols();
    long inputs = Math.max(rowsMax, outputs);
    int widest = Math.max(width, Math.max(inner, config.queryCols()));
    long oneRow = (long) config.heads() * limits.contextMax();
    long scores = Math.max(oneRow, Math.min(SCORE_COUNT, oneRow * rowsMax));
    long splits = (scores + StepShape.CONTEXT_MIN - 1) / StepShape.CONTEXT_MIN;
    Input input = new Input(0, limits);
    long inputAddress = arena.takeWords(input.fixedWords() + limits.tableEntriesMax());
    List<Long> keys = new ArrayList<>();
    List<Long> values = new ArrayList<>();
    long resultBytes = (1L + outputs) * Long.BYTES;
    long resultsPadded = (resultBytes + VECTOR_BYTES - 1) / VECTOR_BYTES * VECTOR_BYTES;
    long results = arena.take(resultsPadded + 4L * outputs * width);
    for (int layer = 0; layer < config.layers(); layer++) {
      long words = (long) limits.pages() * config.keyCols() * KeyValuePages.PAGE;
      keys.add(arena.takeWords(words));
      values.add(arena.takeWords(words));
    }
    return new StepMemory(
        limits,
        new Input(inputAddress, limits),
        results,
        keys,
        values,
        arena.takeWords((long) rowsMax * width),
        int8 ? arena.take(inputs * DeviceMatrix.i8Pitch(widest)) : arena.takeWords(inputs * width),
        int8 ? arena.takeWords(inputs) : 0,
        arena.takeWords((long) rowsMax * qkvCols),
        arena.takeWords((long) rowsMax * config.queryCols()),
        int8 ? 0 : arena.takeWords(2L * rowsMax * inner),
        arena.takeWords((long) rowsMax * inner),
        results + resultsPadded,
        arena.takeWords(limits.logits() ? (long) outputs * config.vocabularySize() : 0),
        arena.takeWords(scores),
        scores,
        arena.takeWords(scores / PIECE),
        arena.takeWords(splits * (config.headDim() + 1)),
        arena.take(Long.BYTES));
  }
}
