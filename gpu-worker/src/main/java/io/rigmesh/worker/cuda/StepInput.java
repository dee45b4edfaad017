package io.rigmesh.worker.cuda;

import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.serve.Segment;
import io.rigmesh.worker.serve.Step;
import java.lang.foreign.MemorySegment;

/// Writes what the device must know of a step: its tokens, positions, page tables, and which rows'
/// attention is computed row by row and which in tiles. Memory is taken once.
final class StepInput {
  /// Fewer rows of one sequence than this are computed row by row.
  private static final int TILE_ROWS_MIN = 4;

  private final StepMemory.Input layout;
  private final int tileRows;
  private final boolean tilesServe;
  private final int[] words;
  private int used;
  private int listed;
  private int tiles;
  private int context;

  StepInput(StepMemory.Input layout, HeadLayout heads, Architecture architecture) {
    this.layout = layout;
    this.tileRows = AttentionLaunches.tileRows(heads);
    this.tilesServe = AttentionLaunches.tilesServe(heads.headDim(), architecture);
    this.words = new int[Math.toIntExact(layout.fixedWords() + layout.limits().tableEntriesMax())];
  }

  /// Writes a step down and gives the words to copy, valid until the next call.
  MemorySegment write(Step step) {
    listed = 0;
    tiles = 0;
    context = 0;
    used = layout.tables();
    int outputs = 0;
    System.arraycopy(step.tokenIds(), 0, words, layout.tokens(), step.rows());
    for (Segment segment : step.segments()) {
      int table = used - layout.tables();
      int entries = (segment.endPosition() + KeyValuePages.PAGE - 1) / KeyValuePages.PAGE;
      System.arraycopy(segment.pageTable(), 0, words, used, entries);
      used += entries;
      context = Math.max(context, segment.endPosition());
      for (int row = 0; row < segment.rows(); row++) {
        words[layout.positions() + segment.firstRow() + row] = segment.firstPosition() + row;
        words[layout.sequences() + segment.firstRow() + row] = table;
      }
      attend(segment);
      int end = segment.firstRow() + segment.rows();
      for (int row = end - segment.outputRows(); row < end; row++) {
        words[layout.outputRows() + outputs++] = row;
      }
    }
    words[StepMemory.Input.ROWS] = step.rows();
    words[StepMemory.Input.OUTPUTS] = outputs;
    words[StepMemory.Input.TILES] = tiles;
    words[StepMemory.Input.LISTED] = listed;
    return MemorySegment.ofArray(words).asSlice(0, 4L * used);
  }

  private void attend(Segment segment) {
    int end = segment.firstRow() + segment.rows();
    if (!tilesServe || segment.rows() < TILE_ROWS_MIN) {
      for (int row = segment.firstRow(); row < end; row++) {
        words[layout.list() + listed++] = row;
      }
      return;
    }
    for (int row = segment.firstRow(); row < end; row += tileRows) {
      words[layout.tiles() + 2 * tiles] = row;
      words[layout.tiles() + 2 * tiles + 1] = Math.min(tileRows, end - row);
      tiles++;
    }
  }

  /// The shape of the step that was written last.
  StepShape shape(Step step) {
    StepMemory.Limits limits = layout.limits();
    boolean decode = tiles == 0 && step.outputs() == step.rows() && listed == step.rows();
    return decode
        ? StepShape.decode(step.rows(), limits, context)
        : StepShape.exact(step.rows(), listed, tiles, step.outputs(), context);
  }

  /// Whether the step that was written last is one of few shapes, whose plan is worth keeping.
  boolean repeats(Step step) {
    return tiles == 0 && step.outputs() == step.rows() && listed == step.rows();
  }
}
