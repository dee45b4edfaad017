package io.rigmesh.worker.serve;

import java.util.Arrays;

/// Rows of one sequence in a [Step]: a chunk of a prompt, or one row of a decode.
///
/// @param firstRow the step's row that the first of them is
/// @param rows how many there are, at least 1
/// @param firstPosition the absolute position of the first in its sequence; the keys and values of
///   every position before it are in the pages already
/// @param pageTable the pages of the sequence, position p in entry `p / PAGE`; it covers every
///   position of this segment, and is not written while the step runs
/// @param outputRows how many of its last rows want a result, from 0 to `rows`
@SuppressWarnings("ArrayRecordComponent") // Never compared.
public record Segment(int firstRow, int rows, int firstPosition, int[] pageTable, int outputRows) {
  /// Refuses what is no segment of any step.
  public Segment {
    if (firstRow < 0 || rows < 1 || firstPosition < 0) {
      throw new IllegalArgumentException(
          "A segment has at least one row, and rows and positions count from 0: firstRow=%d, rows=%d, firstPosition=%d."
              .formatted(firstRow, rows, firstPosition));
    }
    if (outputRows < 0 || outputRows > rows) {
      throw new IllegalArgumentException(
          "A segment of %d rows cannot have %d outputs.".formatted(rows, outputRows));
    }
  }

  /// The position after the last row.
  public int endPosition() {
    return firstPosition + rows;
  }

  @Override
  public String toString() {
    return "rows %d to %d at position %d, %d outputs, pages %s"
        .formatted(
            firstRow, firstRow + rows, firstPosition, outputRows, Arrays.toString(pageTable));
  }
}
