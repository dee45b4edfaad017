package io.rigmesh.worker.kernels;

/// Consecutive rows of one sequence whose keys and values lie in [KeyValuePages]: row r of the span
/// has position `firstPosition + r` and sees the keys up to its own position, or the last few of
/// those where a sliding window is given.
///
/// Entry p of the page table is the page of the positions `p * PAGE` to `p * PAGE + PAGE - 1`. The
/// table may be longer than the sequence, and its entries for pages that no row of the span sees
/// are never looked at, so pages that fell out of a window can be given away.
///
/// @param queryRow the first row in the query and output tensors, and in the key and value tensors
///   that are stored
/// @param queryRows how many rows
/// @param firstPosition the position of the first row
/// @param pageTable the sequence's pages; not copied, so it must not change during a call
// A call's operand, never compared: the array is the point.
@SuppressWarnings("ArrayRecordComponent")
public record PagedSpan(int queryRow, int queryRows, int firstPosition, int[] pageTable) {
  /// Refuses empty and impossible spans.
  public PagedSpan {
    if (queryRow < 0 || queryRows < 1 || firstPosition < 0) {
      throw new IllegalArgumentException(
          "A span has a first row and a first position of at least 0 and at least one row, unlike queryRow=%d, queryRows=%d, firstPosition=%d."
              .formatted(queryRow, queryRows, firstPosition));
    }
    long pages = ((long) firstPosition + queryRows - 1) / KeyValuePages.PAGE + 1;
    if (pages > pageTable.length) {
      throw new IllegalArgumentException(
          "Positions up to %d need %d pages, but the page table has %d."
              .formatted((long) firstPosition + queryRows - 1, pages, pageTable.length));
    }
  }

  /// The position of row `row` of this span, 0 being the span's first.
  public int position(int row) {
    return firstPosition + row;
  }

  /// The first position that row `row` sees in a window of so many positions, its own counted.
  public int firstVisible(int row, int window) {
    return Math.max(0, position(row) - (window - 1));
  }

  /// How many keys lie up to the span's last row.
  public int positions() {
    return firstPosition + queryRows;
  }

  /// The page that holds a position.
  public int page(int position) {
    return pageTable[position / KeyValuePages.PAGE];
  }
}
