package io.rigmesh.worker.kernels;

import io.rigmesh.worker.tensor.Tensor;
import java.util.List;
import java.util.OptionalInt;

/// The shape rules of the operations, one method each, shared by all backends so that they refuse
/// the same calls.
public final class OpShapes {
  private OpShapes() {}

  /// x `(T, in)`, y `(T, out)`.
  public static void linear(Tensor x, int in, int out, Tensor y) {
    require(
        x.cols() == in, "linear: x %s has rows of another length than the weight's in=%s", x, in);
    require(
        y.cols() == out && y.rowCount() == x.rowCount(),
        "linear: y %s is not (rows of x, out) for x %s",
        y,
        x);
  }

  /// A weight `(out, in)`.
  public static void weight(String op, Tensor weight) {
    require(weight.rank() == 2, "%s: the weight must have shape (out, in), but is %s", op, weight);
  }

  /// A weight `(out, in)` whose integer products fit an int32.
  public static void byteWeight(Tensor weight) {
    weight("pack", weight);
    require(
        weight.dim(1) <= QuantisedRows.COLS_MAX,
        "pack: rows of %s are longer than %s, the most that i8-v1 sums",
        weight,
        QuantisedRows.COLS_MAX);
  }

  /// dy `(T, N)`, weight `(N, K)`, dx `(T, K)`.
  public static void linearInputGradient(Tensor dy, Tensor weight, Tensor dx) {
    weight("linearInputGradient", weight);
    require(
        dy.cols() == weight.dim(0) && dx.cols() == weight.dim(1) && dx.rowCount() == dy.rowCount(),
        "linearInputGradient: dy %s, weight %s and dx %s do not fit",
        dy,
        weight,
        dx);
  }

  /// dy `(T, N)`, x `(T, K)`, dWeight `(N, K)`.
  public static void linearWeightGradient(Tensor dy, Tensor x, Tensor dWeight) {
    weight("linearWeightGradient", dWeight);
    require(
        dWeight.dim(0) == dy.cols() && dWeight.dim(1) == x.cols() && dy.rowCount() == x.rowCount(),
        "linearWeightGradient: dy %s, x %s and dWeight %s do not fit",
        dy,
        x,
        dWeight);
  }

  /// A vector as long as the rows of x.
  public static void rowVector(String op, Tensor x, Tensor vector) {
    require(vector.size() == x.cols(), "%s: %s is not as long as the rows of %s", op, vector, x);
  }

  /// Tensors with as many elements and the same row length.
  public static void same(String op, Tensor a, Tensor b) {
    require(a.size() == b.size() && a.cols() == b.cols(), "%s: %s and %s differ", op, a, b);
  }

  /// Ids of table rows, one for each row of y.
  public static void embedding(Tensor table, int[] ids, Tensor y) {
    require(
        y.rowCount() == ids.length && y.cols() == table.cols(),
        "embedding: y %s is not (ids, cols) for table %s",
        y,
        table);
    int vocabulary = table.rowCount();
    for (int i = 0; i < ids.length; i++) {
      require(
          ids[i] >= 0 && ids[i] < vocabulary,
          "embedding: id %s at index %s is not below the table's row count",
          ids[i],
          i);
    }
  }

  /// Targets, one for each row of logits, of which at least one counts; returns how many count.
  public static int targets(Tensor logits, int[] targets, int ignoredTarget) {
    require(
        targets.length == logits.rowCount(),
        "crossEntropy: %s targets for logits %s",
        targets.length,
        logits);
    int counted = 0;
    for (int i = 0; i < targets.length; i++) {
      if (targets[i] != ignoredTarget) {
        require(
            targets[i] >= 0 && targets[i] < logits.cols(),
            "crossEntropy: target %s of row %s is not below the row length",
            targets[i],
            i);
        counted++;
      }
    }
    require(
        counted > 0,
        "crossEntropy: all %s targets are the ignored one, %s",
        targets.length,
        ignoredTarget);
    return counted;
  }

  /// Rows of whole heads, with a position in the table for each.
  public static void rope(Tensor x, int[] positions, RopeTable table, Tensor y) {
    same("rope", x, y);
    require(
        x.cols() % table.headDim() == 0,
        "rope: the rows of %s are not made of heads of %s",
        x,
        table.headDim());
    require(positions.length == x.rowCount(), "rope: %s positions for %s", positions.length, x);
    for (int i = 0; i < positions.length; i++) {
      require(
          positions[i] >= 0 && positions[i] < table.positions(),
          "rope: position %s of row %s is not in the table; make a longer one",
          positions[i],
          i);
    }
  }

  /// Query, key and value rows that fit the layout and hold every span.
  public static void attention(
      Tensor q,
      Tensor keys,
      Tensor values,
      HeadLayout layout,
      List<AttentionSpan> spans,
      Tensor out) {
    same("attention", q, out);
    same("attention", keys, values);
    require(
        q.cols() == layout.queryCols() && keys.cols() == layout.keyCols(),
        "attention: q %s or keys %s do not fit the head layout",
        q,
        keys);
    for (AttentionSpan span : spans) {
      require(
          (long) span.queryRow() + span.queryRows() <= q.rowCount()
              && (long) span.keyRow() + span.keyRows() <= keys.rowCount(),
          "attention: %s does not lie in q %s and the keys",
          span,
          q);
    }
  }

  /// Key or value rows that hold every span, and pages that hold their positions.
  public static void store(
      String op, Tensor rows, KeyValuePages pages, int layer, List<PagedSpan> spans) {
    require(
        rows.cols() == pages.kvHeads() * pages.headDim(),
        "%s: the rows of %s do not fit the pages",
        op,
        rows);
    layer(op, pages, layer);
    for (PagedSpan span : spans) {
      rowsOf(op, span, rows);
      pagesOf(op, span, span.firstPosition(), pages);
    }
  }

  /// Query rows that fit the layout, the pages and every span.
  public static void attention(
      Tensor q,
      KeyValuePages pages,
      int layer,
      HeadLayout layout,
      List<PagedSpan> spans,
      OptionalInt window,
      Tensor out) {
    same("attention", q, out);
    layer("attention", pages, layer);
    require(
        q.cols() == layout.queryCols()
            && pages.kvHeads() == layout.kvHeads()
            && pages.headDim() == layout.headDim(),
        "attention: q %s or the pages do not fit the head layout",
        q);
    int width = window.orElse(Integer.MAX_VALUE);
    require(width > 0, "attention: a window of %s positions sees nothing", width);
    for (PagedSpan span : spans) {
      rowsOf("attention", span, q);
      pagesOf("attention", span, span.firstVisible(0, width), pages);
    }
  }

  private static void layer(String op, KeyValuePages pages, int layer) {
    require(
        layer >= 0 && layer < pages.layers(),
        "%s: layer %s is not one of the %s that the pages have",
        op,
        layer,
        pages.layers());
  }

  private static void rowsOf(String op, PagedSpan span, Tensor rows) {
    require(
        (long) span.queryRow() + span.queryRows() <= rows.rowCount(),
        "%s: the span's rows %s to %s are not all in %s",
        op,
        span.queryRow(),
        (long) span.queryRow() + span.queryRows(),
        rows);
  }

  private static void pagesOf(String op, PagedSpan span, int fromPosition, KeyValuePages pages) {
    int last = (span.positions() - 1) / KeyValuePages.PAGE;
    for (int entry = fromPosition / KeyValuePages.PAGE; entry <= last; entry++) {
      int page = span.pageTable()[entry];
      require(
          page >= 0 && page < pages.pages(),
          "%s: entry %s of the page table is %s, but the pool has pages 0 to %s",
          op,
          entry,
          page,
          pages.pages() - 1);
    }
  }

  /// A rule that every operation may state: `message` has %s for each of `details`.
  @SuppressWarnings("AnnotateFormatMethod")
  public static void require(boolean holds, String message, Object... details) {
    if (!holds) {
      throw new IllegalArgumentException(message.formatted(details) + ".");
    }
  }
}
