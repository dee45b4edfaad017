package io.rigmesh.worker.cuda;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertConfig;

/// Where the scratch memory of a BERT encoder's passes lies on the device, with R rows at most.
///
/// @param rowsMax R
/// @param input what the host writes before a pass
/// @param results the fault word, and [#VECTORS_AT] bytes behind it the sequences' vectors, `(R,
///   H)`
/// @param hidden `(R, H)`, the tokens' vectors
/// @param rows i8-v1: `(R, pitch)` bytes, what the next linear layer reads; otherwise 0
/// @param rowScales i8-v1: `(R)`; otherwise 0
/// @param qkv `(R, 3H)`
/// @param mixed `(R, H)`, what attention gives
/// @param inner `(R, F)`
record BertMemory(
    int rowsMax,
    Input input,
    long results,
    long hidden,
    long rows,
    long rowScales,
    long qkv,
    long mixed,
    long inner) {
  /// Where the vectors begin behind the fault word, so that one copy brings both.
  static final int VECTORS_AT = 256;

  /// The fault word.
  long fault() {
    return results;
  }

  /// The sequences' vectors.
  long vectors() {
    return results + VECTORS_AT;
  }

  /// What the host writes before every pass: 32-bit words, one part behind the other as closely as
  /// the shape allows, so that one short copy brings all.
  ///
  /// @param address of the first word
  record Input(long address) {
    static final int ROWS = 0;
    static final int SEQUENCES = 1;
    static final int TILES = 2;
    private static final int HEADER = 4;

    static int tokens() {
      return HEADER;
    }

    static int positions(BertShape shape) {
      return HEADER + shape.rows();
    }

    /// First row and number of rows of each sequence.
    static int spans(BertShape shape) {
      return HEADER + 2 * shape.rows();
    }

    /// First row and number of rows of each tile of attention, and of its sequence.
    static int tiles(BertShape shape) {
      return spans(shape) + 2 * shape.sequences();
    }

    static int words(BertShape shape) {
      return tiles(shape) + 4 * shape.tiles();
    }

    long at(int word) {
      return address + 4L * word;
    }
  }

  /// Takes the memory.
  static BertMemory take(Arena arena, BertConfig config, Profile profile, int rowsMax) {
    boolean int8 = profile == Profile.I8_V1;
    int width = config.hiddenSize();
    int inner = config.intermediateSize();
    BertShape largest = BertShape.largest(rowsMax);
    long cells = (long) rowsMax * width;
    return new BertMemory(
        rowsMax,
        new Input(arena.takeWords(Input.words(largest))),
        arena.take(VECTORS_AT + 4 * cells),
        arena.takeWords(cells),
        int8 ? arena.take((long) rowsMax * DeviceMatrix.i8Pitch(Math.max(width, inner))) : 0,
        int8 ? arena.takeWords(rowsMax) : 0,
        arena.takeWords(3 * cells),
        arena.takeWords(cells),
        arena.takeWords((long) rowsMax * inner));
  }
}
