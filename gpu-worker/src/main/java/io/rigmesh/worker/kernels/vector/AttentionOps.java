package io.rigmesh.worker.kernels.vector;

import io.rigmesh.worker.kernels.AttentionSpan;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.kernels.OpShapes;
import io.rigmesh.worker.kernels.PagedSpan;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;
import java.util.OptionalInt;

/// Attention over contiguous keys and over pages, a span and a key-value head at a time.
final class AttentionOps {
  private final Workers workers;

  AttentionOps(Workers workers) {
    this.workers = workers;
  }

  void attention(
      Tensor q,
      Tensor keys,
      Tensor values,
      HeadLayout layout,
      List<AttentionSpan> spans,
      Tensor out) {
    OpShapes.attention(q, keys, values, layout, spans, out);
    VectorAttention.Call call =
        new VectorAttention.Call(q, keys, values, layout, out, out, out, out, out);
    int kvHeads = layout.kvHeads();
    boolean bad;
    try {
      bad =
          workers.run(
              spans.size() * kvHeads,
              1,
              (worker, from, to) -> {
                boolean seen = false;
                for (int unit = from; unit < to; unit++) {
                  AttentionSpan span = spans.get(unit / kvHeads);
                  workers.scratch(worker).attention.forward(call, span, unit % kvHeads);
                  seen |=
                      nonFiniteHeads(
                          out, layout, span.queryRow(), span.queryRows(), unit % kvHeads);
                }
                return seen;
              });
    } catch (NonFiniteException e) {
      // Threads meet bad scores in any order; the reference names the first row.
      new ScalarKernels().attention(q, keys, values, layout, spans, out);
      throw e;
    }
    Workers.locate(bad, "attention", out);
  }

  private static boolean nonFiniteHeads(
      Tensor out, HeadLayout layout, int firstRow, int rows, int kvHead) {
    int width = layout.group() * layout.headDim();
    boolean bad = false;
    for (int row = firstRow; row < firstRow + rows; row++) {
      bad |= Workers.nonFinite(out, row * out.cols() + kvHead * width, width);
    }
    return bad;
  }

  void storeKeys(Tensor keys, KeyValuePages pages, int layer, List<PagedSpan> spans) {
    OpShapes.store("storeKeys", keys, pages, layer, spans);
    eachHead(
        spans,
        pages.kvHeads(),
        (span, kvHead) -> VectorPagedAttention.storeKeys(keys, pages, layer, span, kvHead));
  }

  void storeValues(Tensor values, KeyValuePages pages, int layer, List<PagedSpan> spans) {
    OpShapes.store("storeValues", values, pages, layer, spans);
    eachHead(
        spans,
        pages.kvHeads(),
        (span, kvHead) -> VectorPagedAttention.storeValues(values, pages, layer, span, kvHead));
  }

  private interface SpanHead {
    void compute(PagedSpan span, int kvHead);
  }

  private static void eachHead(List<PagedSpan> spans, int kvHeads, SpanHead body) {
    for (PagedSpan span : spans) {
      for (int kvHead = 0; kvHead < kvHeads; kvHead++) {
        body.compute(span, kvHead);
      }
    }
  }

  void attention(
      Tensor q,
      KeyValuePages pages,
      int layer,
      HeadLayout layout,
      List<PagedSpan> spans,
      OptionalInt window,
      Tensor out) {
    OpShapes.attention(q, pages, layer, layout, spans, window, out);
    VectorPagedAttention.Call call =
        new VectorPagedAttention.Call(
            q, pages, layer, layout, window.orElse(Integer.MAX_VALUE), out);
    int kvHeads = layout.kvHeads();
    boolean bad;
    try {
      bad =
          workers.run(
              spans.size() * kvHeads,
              1,
              (worker, from, to) -> {
                boolean seen = false;
                for (int unit = from; unit < to; unit++) {
                  PagedSpan span = spans.get(unit / kvHeads);
                  workers.scratch(worker).pagedAttention.forward(call, span, unit % kvHeads);
                  seen |=
                      nonFiniteHeads(
                          out, layout, span.queryRow(), span.queryRows(), unit % kvHeads);
                }
                return seen;
              });
    } catch (NonFiniteException e) {
      // Threads meet bad scores in any order; the reference names the first row.
      new ScalarKernels().attention(q, pages, layer, layout, spans, window, out);
      throw e;
    }
    Workers.locate(bad, "attention", out);
  }

  void attentionBackward(
      Tensor q,
      Tensor keys,
      Tensor values,
      HeadLayout layout,
      List<AttentionSpan> spans,
      Tensor out,
      Tensor dOut,
      Tensor dQ,
      Tensor dKeys,
      Tensor dValues) {
    OpShapes.attention(q, keys, values, layout, spans, out);
    OpShapes.attention(dQ, dKeys, dValues, layout, spans, dOut);
    VectorAttention.Call call =
        new VectorAttention.Call(q, keys, values, layout, out, dOut, dQ, dKeys, dValues);
    int kvHeads = layout.kvHeads();
    try {
      workers.run(
          spans.size() * kvHeads,
          1,
          (worker, from, to) -> {
            for (int unit = from; unit < to; unit++) {
              workers
                  .scratch(worker)
                  .attention
                  .backward(call, spans.get(unit / kvHeads), unit % kvHeads);
            }
            return false;
          });
    } catch (NonFiniteException e) {
      // Threads meet bad scores in any order; the reference names the first row.
      new ScalarKernels()
          .attentionBackward(q, keys, values, layout, spans, out, dOut, dQ, dKeys, dValues);
      throw e;
    }
    workers.checkFinite("attentionBackward", dQ);
    workers.checkFinite("attentionBackward", dKeys);
    workers.checkFinite("attentionBackward", dValues);
  }
}
