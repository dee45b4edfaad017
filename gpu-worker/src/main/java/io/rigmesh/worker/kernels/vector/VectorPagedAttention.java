package io.rigmesh.worker.kernels.vector;

import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.kernels.PagedSpan;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Arrays;

/// Attention over pages for some rows of one span and one key-value head, as `ScalarPagedAttention`
/// defines it.
///
/// Rows are those of one head, or the heads of a group at one position. Scores are computed for all
/// keys of a page side by side; a weighted sum keeps the chains of a row's components in registers
/// over a page and in scratch between the pages of a split. Keys that a row does not see get the
/// weight +0, which changes no chain that starts from +0. Each worker has its own instance.
final class VectorPagedAttention {
  /// How many rows share the pages they look at.
  static final int ROWS = 16;

  private static final int PAGE = KeyValuePages.PAGE;

  private final SplitSums sums = new SplitSums(ROWS);
  private float[] weights = {};
  private float[] chains = {};

  /// The tensors of a call.
  ///
  /// @param window how many positions a row sees, its own counted
  record Call(
      Tensor q, KeyValuePages pages, int layer, HeadLayout layout, int window, Tensor out) {}

  /// All rows of a span, for the query heads of one key-value head.
  void forward(Call call, PagedSpan span, int kvHead) {
    HeadLayout layout = call.layout();
    int d = layout.headDim();
    int group = layout.group();
    int first = kvHead * group;
    if (span.queryRows() == 1) {
      // The heads of the group lie one after the other, like rows of headDim.
      for (int from = 0; from < group; from += ROWS) {
        int at = span.queryRow() * call.q().cols() + (first + from) * d;
        forward(call, span, kvHead, at, d, 0, Math.min(ROWS, group - from), 0);
      }
      return;
    }
    for (int head = first; head < first + group; head++) {
      for (int row = 0; row < span.queryRows(); row += ROWS) {
        int at = (span.queryRow() + row) * call.q().cols() + head * d;
        int rows = Math.min(ROWS, span.queryRows() - row);
        forward(call, span, kvHead, at, call.q().cols(), row, rows, 1);
      }
    }
  }

  /// Row i lies at `at + i * stride` in q and out and is the span's row `row + i * step`.
  private void forward(
      Call call, PagedSpan span, int kvHead, int at, int stride, int row, int rows, int step) {
    int firstPage = span.firstVisible(row, call.window()) / PAGE;
    int base = firstPage * PAGE;
    int seen = span.position(row + (rows - 1) * step) + 1;
    int pageCount = KeyValuePages.pagesFor(seen) - firstPage;
    int leading = pageCount * PAGE;
    weights = VectorAttention.grown(weights, ROWS * leading);
    scores(call, span, kvHead, at, stride, rows, firstPage, pageCount);
    float scale = call.layout().scoreScale();
    for (int i = 0; i < rows; i++) {
      int own = row + i * step;
      int from = span.firstVisible(own, call.window()) - base;
      int to = span.position(own) + 1 - base;
      int p = i * leading;
      float max =
          VectorAttention.scaled(weights, p + from, scale, to - from, span.queryRow() + own);
      VectorElementary.exp(weights, p + from, max, weights, p + from, to - from);
      Arrays.fill(weights, p, p + from, 0f);
      Arrays.fill(weights, p + to, p + leading, 0f);
    }
    sums.compute(weights, 0, leading, rows, base, seen - base);
    weighted(call, span, kvHead, at, stride, rows, firstPage, pageCount);
    float[] out = call.out().data();
    for (int i = 0; i < rows; i++) {
      int to = call.out().offset() + at + i * stride;
      ElementLoops.divide(out, to, sums.sum(i), out, to, call.layout().headDim());
    }
  }

  private void scores(
      Call call,
      PagedSpan span,
      int kvHead,
      int at,
      int stride,
      int rows,
      int firstPage,
      int pageCount) {
    float[] q = call.q().data();
    float[] keys = call.pages().keys(call.layer());
    int d = call.layout().headDim();
    int leading = pageCount * PAGE;
    for (int page = 0; page < pageCount; page++) {
      int keysAt = call.pages().at(span.pageTable()[firstPage + page], kvHead);
      int i = 0;
      for (; i + 4 <= rows; i += 4) {
        PageTiles.scores4(
            q,
            call.q().offset() + at + i * stride,
            stride,
            keys,
            keysAt,
            d,
            weights,
            i * leading + page * PAGE,
            leading);
      }
      for (; i < rows; i++) {
        PageTiles.scores1(
            q,
            call.q().offset() + at + i * stride,
            keys,
            keysAt,
            d,
            weights,
            i * leading + page * PAGE);
      }
    }
  }

  /// Writes the split dots of weights and values to out.
  private void weighted(
      Call call,
      PagedSpan span,
      int kvHead,
      int at,
      int stride,
      int rows,
      int firstPage,
      int pageCount) {
    float[] out = call.out().data();
    float[] values = call.pages().values(call.layer());
    int outAt = call.out().offset() + at;
    int d = call.layout().headDim();
    int leading = pageCount * PAGE;
    int splitPages = Kernels.SPLIT / PAGE;
    chains = VectorAttention.grown(chains, ROWS * d);
    int page = 0;
    while (page < pageCount) {
      int end = Math.min(pageCount, ((firstPage + page) / splitPages + 1) * splitPages - firstPage);
      boolean firstSplit = page == 0;
      float[] target = firstSplit ? out : chains;
      int targetAt = firstSplit ? outAt : 0;
      int targetStride = firstSplit ? stride : d;
      for (int i = 0; i < rows; i++) {
        Arrays.fill(target, targetAt + i * targetStride, targetAt + i * targetStride + d, 0f);
      }
      for (; page < end; page++) {
        int valuesAt = call.pages().at(span.pageTable()[firstPage + page], kvHead);
        int i = 0;
        for (; i + 4 <= rows; i += 4) {
          PageTiles.weighted4(
              weights,
              i * leading + page * PAGE,
              leading,
              values,
              valuesAt,
              d,
              target,
              targetAt + i * targetStride,
              targetStride);
        }
        for (; i < rows; i++) {
          PageTiles.weighted1(
              weights,
              i * leading + page * PAGE,
              values,
              valuesAt,
              d,
              target,
              targetAt + i * targetStride);
        }
      }
      if (!firstSplit) {
        for (int i = 0; i < rows; i++) {
          ElementLoops.add(out, outAt + i * stride, chains, i * d, out, outAt + i * stride, d);
        }
      }
    }
  }

  /// Writes rows of keys into their slots of one head's pages.
  static void storeKeys(Tensor rows, KeyValuePages pages, int layer, PagedSpan span, int kvHead) {
    float[] target = pages.keys(layer);
    float[] source = rows.data();
    int d = pages.headDim();
    for (int row = 0; row < span.queryRows(); row++) {
      int position = span.position(row);
      int to = pages.at(span.page(position), kvHead) + position % PAGE;
      int from = rows.offset() + (span.queryRow() + row) * rows.cols() + kvHead * d;
      for (int c = 0; c < d; c++) {
        target[to + c * PAGE] = source[from + c];
      }
    }
  }

  /// Writes rows of values into their slots of one head's pages.
  static void storeValues(Tensor rows, KeyValuePages pages, int layer, PagedSpan span, int kvHead) {
    int d = pages.headDim();
    for (int row = 0; row < span.queryRows(); row++) {
      int position = span.position(row);
      System.arraycopy(
          rows.data(),
          rows.offset() + (span.queryRow() + row) * rows.cols() + kvHead * d,
          pages.values(layer),
          pages.at(span.page(position), kvHead) + position % PAGE * d,
          d);
    }
  }
}
