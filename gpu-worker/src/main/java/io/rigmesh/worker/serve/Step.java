package io.rigmesh.worker.serve;

import java.util.List;

/// One pass through the model: the next rows of any number of sequences, prompts and decodes mixed.
///
/// @param tokenIds one token a row
/// @param segments the sequences, their rows one behind the other in the order of the list and
///   together all rows; no two of them write one page
@SuppressWarnings("ArrayRecordComponent") // Never compared.
public record Step(int[] tokenIds, List<Segment> segments) {
  /// Refuses segments that do not cut the rows into pieces.
  public Step {
    segments = List.copyOf(segments);
    int row = 0;
    for (Segment segment : segments) {
      if (segment.firstRow() != row) {
        throw new IllegalArgumentException(
            "A segment starts at row %d, but the one before it ends at %d."
                .formatted(segment.firstRow(), row));
      }
      row += segment.rows();
    }
    if (row != tokenIds.length || row == 0) {
      throw new IllegalArgumentException(
          "The segments have %d rows for %d tokens; a step has at least one."
              .formatted(row, tokenIds.length));
    }
  }

  /// How many rows go through the model.
  public int rows() {
    return tokenIds.length;
  }

  /// How many rows want a result, over all segments.
  public int outputs() {
    int outputs = 0;
    for (Segment segment : segments) {
      outputs += segment.outputRows();
    }
    return outputs;
  }
}
