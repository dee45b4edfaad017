package io.rigmesh.worker.kernels;

import io.rigmesh.worker.tensor.Tensor;
import java.util.List;

/// Attention over pages, one query position and head after the other: [ScalarAttention]'s sums, the
/// keys and values being looked up through the page table, and with a window only those of the
/// visible positions.
///
/// A split is the 1024 positions with the same quotient by 1024, counted from position 0 whatever
/// the window; positions that are not visible are left out of its chains, and a split that has no
/// visible one is left out of the sum of splits.
final class ScalarPagedAttention {
  private final KeyValuePages pages;
  private final int layer;
  private final HeadLayout layout;
  private final int window;

  /// @param window how many positions a row sees, its own counted
  ScalarPagedAttention(KeyValuePages pages, int layer, HeadLayout layout, int window) {
    this.pages = pages;
    this.layer = layer;
    this.layout = layout;
    this.window = window;
  }

  /// Writes rows of keys into their slots.
  void storeKeys(Tensor rows, PagedSpan span) {
    for (int row = 0; row < span.queryRows(); row++) {
      for (int kvHead = 0; kvHead < layout.kvHeads(); kvHead++) {
        for (int c = 0; c < layout.headDim(); c++) {
          pages.keys(layer)[keyAt(span, span.position(row), kvHead, c)] =
              rows.get(span.queryRow() + row, kvHead * layout.headDim() + c);
        }
      }
    }
  }

  /// Writes rows of values into their slots.
  void storeValues(Tensor rows, PagedSpan span) {
    for (int row = 0; row < span.queryRows(); row++) {
      for (int kvHead = 0; kvHead < layout.kvHeads(); kvHead++) {
        for (int c = 0; c < layout.headDim(); c++) {
          pages.values(layer)[valueAt(span, span.position(row), kvHead, c)] =
              rows.get(span.queryRow() + row, kvHead * layout.headDim() + c);
        }
      }
    }
  }

  void forward(Tensor q, List<PagedSpan> spans, Tensor out) {
    for (PagedSpan span : spans) {
      for (int row = 0; row < span.queryRows(); row++) {
        for (int head = 0; head < layout.heads(); head++) {
          forward(q, span, row, head, out);
        }
      }
    }
  }

  private void forward(Tensor q, PagedSpan span, int row, int head, Tensor out) {
    int from = span.firstVisible(row, window);
    int to = span.position(row) + 1;
    int kvHead = head / layout.group();
    int rowAt = (span.queryRow() + row) * q.cols() + head * layout.headDim();
    float[] p = new float[to];
    float max = Float.NEGATIVE_INFINITY;
    for (int j = from; j < to; j++) {
      float dot = 0f;
      for (int c = 0; c < layout.headDim(); c++) {
        float key = pages.keys(layer)[keyAt(span, j, kvHead, c)];
        dot = Math.fma(q.get(rowAt + c), key, dot);
      }
      p[j] =
          NonFiniteException.check(
              "attention score", span.queryRow() + row, dot * layout.scoreScale());
      max = Math.max(max, p[j]);
    }
    for (int j = from; j < to; j++) {
      p[j] = Elementary.exp(p[j] - max);
    }
    float z = 0f;
    for (int start = splitOf(from); start < to; start += Kernels.SPLIT) {
      float chain = 0f;
      for (int j = Math.max(from, start); j < Math.min(to, start + Kernels.SPLIT); j++) {
        chain = chain + p[j];
      }
      z = start == splitOf(from) ? chain : z + chain;
    }
    for (int c = 0; c < layout.headDim(); c++) {
      float total = 0f;
      for (int start = splitOf(from); start < to; start += Kernels.SPLIT) {
        float chain = 0f;
        for (int j = Math.max(from, start); j < Math.min(to, start + Kernels.SPLIT); j++) {
          chain = Math.fma(p[j], pages.values(layer)[valueAt(span, j, kvHead, c)], chain);
        }
        total = start == splitOf(from) ? chain : total + chain;
      }
      out.set(rowAt + c, (total + 0f) / z);
    }
  }

  private static int splitOf(int position) {
    return position / Kernels.SPLIT * Kernels.SPLIT;
  }

  private int keyAt(PagedSpan span, int position, int kvHead, int component) {
    return pages.at(span.page(position), kvHead)
        + component * KeyValuePages.PAGE
        + position % KeyValuePages.PAGE;
  }

  private int valueAt(PagedSpan span, int position, int kvHead, int component) {
    return pages.at(span.page(position), kvHead)
        + position % KeyValuePages.PAGE * layout.headDim()
        + component;
  }
}
