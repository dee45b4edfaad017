package io.rigmesh.worker.kernels;

/// Which query rows of an attention call look at which key rows: one sequence, or a piece of it.
///
/// The key rows hold the absolute positions 0, 1, ... of the sequence, without gaps. A causal
/// span's query rows are the last positions among them: query row r has position `keyRows -
/// queryRows + r` and sees the keys up to its own position. In a span that is not causal every
/// query row sees all key rows, so padding is left out by not counting it in `keyRows`.
///
/// @param queryRow the first row in the query and output tensors
/// @param queryRows how many query rows
/// @param keyRow the row of position 0 in the key and value tensors
/// @param keyRows how many key rows
/// @param causal whether a query sees only keys up to its own position
public record AttentionSpan(int queryRow, int queryRows, int keyRow, int keyRows, boolean causal) {
  /// Refuses empty and impossible spans.
  public AttentionSpan {
    if (queryRow < 0 || keyRow < 0 || queryRows < 1 || keyRows < 1) {
      throw new IllegalArgumentException(
          "A span has first rows of at least 0 and at least one row of each kind, unlike queryRow=%d, queryRows=%d, keyRow=%d, keyRows=%d."
              .formatted(queryRow, queryRows, keyRow, keyRows));
    }
    if (causal && queryRows > keyRows) {
      throw new IllegalArgumentException(
          "A causal span needs a key row for every query row, but has %d for %d."
              .formatted(keyRows, queryRows));
    }
  }

  /// A whole sequence attending to itself causally, its queries and keys in the same rows.
  public static AttentionSpan causal(int row, int rows) {
    return new AttentionSpan(row, rows, row, rows, true);
  }

  /// Queries that continue a sequence: their keys are already written as the last of `keyRows`
  /// cached rows.
  public static AttentionSpan cached(int queryRow, int queryRows, int keyRows) {
    return new AttentionSpan(queryRow, queryRows, 0, keyRows, true);
  }

  /// A sequence of `queryRows` rows of which only the first `keyRows` are no padding, each row
  /// seeing all of those.
  public static AttentionSpan bidirectional(int row, int queryRows, int keyRows) {
    return new AttentionSpan(row, queryRows, row, keyRows, false);
  }

  /// How many keys query row `row` of this span (0 being the span's first) sees: always the first
  /// so many.
  public int visible(int row) {
    return causal ? keyRows - queryRows + row + 1 : keyRows;
  }

  /// The first query row of this span that sees key `key`.
  public int firstQuerySeeing(int key) {
    return causal ? Math.max(0, key - (keyRows - queryRows)) : 0;
  }
}
