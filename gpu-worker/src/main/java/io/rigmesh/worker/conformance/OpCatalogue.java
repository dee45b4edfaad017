package io.rigmesh.worker.conformance;

import io.rigmesh.worker.kernels.AdamW;
import io.rigmesh.worker.kernels.AttentionSpan;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.kernels.PagedSpan;
import io.rigmesh.worker.kernels.QuantisedRows;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/// How every operation of the suite is run: in which order its inputs are drawn and its results are
/// hashed. docs/conformance.md says the same in words.
final class OpCatalogue {
  static final float EPSILON = 1e-5f;
  static final float FACTOR = 0.37f;
  private static final double THETA = 10_000;

  /// One run of an operation.
  @FunctionalInterface
  interface Run {
    OpResults run(Kernels kernels, OpVector vector, ConformanceInputs inputs);
  }

  private static final Map<String, Run> RUNS = runs();

  private OpCatalogue() {}

  static Run of(String op) {
    Run run = RUNS.get(op);
    if (run == null) {
      throw new IllegalArgumentException("The conformance suite has no operation " + op + ".");
    }
    return run;
  }

  /// The names of all operations.
  static List<String> names() {
    return List.copyOf(RUNS.keySet());
  }

  private static Map<String, Run> runs() {
    Map<String, Run> runs = new TreeMap<>();
    addLinear(runs);
    addElements(runs);
    addRows(runs);
    addAttention(runs);
    GenerationOps.addTo(runs);
    runs.put("training", TrainingOp::run);
    return runs;
  }

  private static Tensor x(OpVector v, ConformanceInputs in) {
    return in.matrix(v.size("rows"), v.size("cols"));
  }

  private static Tensor like(Tensor tensor) {
    return Tensor.zeros(tensor.shape());
  }

  /// Runs `op` with a result of `shape`.
  private static OpResults into(Consumer<Tensor> op, int... shape) {
    Tensor y = Tensor.zeros(shape);
    op.accept(y);
    return new OpResults().add(y);
  }

  private static void addLinear(Map<String, Run> runs) {
    runs.put(
        "linear",
        (k, v, in) -> {
          Tensor x = in.matrix(v.size("rows"), v.size("in"));
          Tensor w = in.matrix(v.size("out"), v.size("in"));
          return into(y -> k.linear(x, k.pack(w, v.profile()), y), v.size("rows"), v.size("out"));
        });
    runs.put(
        "linearWithBias",
        (k, v, in) -> {
          Tensor x = in.matrix(v.size("rows"), v.size("in"));
          Tensor w = in.matrix(v.size("out"), v.size("in"));
          Tensor bias = in.vector(v.size("out"));
          return into(
              y -> k.linear(x, k.pack(w, v.profile()), bias, y), v.size("rows"), v.size("out"));
        });
    runs.put(
        "quantise",
        (k, v, in) -> {
          QuantisedRows rows = QuantisedRows.of(x(v, in));
          return new OpResults().add(Tensor.of(rows.scales(), rows.rows())).add(rows.values());
        });
    runs.put(
        "linearInputGradient",
        (k, v, in) -> {
          Tensor dy = in.matrix(v.size("rows"), v.size("out"));
          Tensor w = in.matrix(v.size("out"), v.size("in"));
          return into(dx -> k.linearInputGradient(dy, w, dx), v.size("rows"), v.size("in"));
        });
    runs.put(
        "linearWeightGradient",
        (k, v, in) -> {
          Tensor dy = in.matrix(v.size("rows"), v.size("out"));
          Tensor x = in.matrix(v.size("rows"), v.size("in"));
          return into(dw -> k.linearWeightGradient(dy, x, dw), v.size("out"), v.size("in"));
        });
    runs.put(
        "biasGradient",
        (k, v, in) -> {
          Tensor dy = x(v, in);
          return into(db -> k.biasGradient(dy, db), v.size("cols"));
        });
  }

  private static void addElements(Map<String, Run> runs) {
    put(runs, "gelu", (k, x, y) -> k.gelu(x, y));
    put(runs, "tanh", (k, x, y) -> k.tanh(x, y));
    put(runs, "scale", (k, x, y) -> k.scale(x, FACTOR, y));
    put(runs, "softmax", (k, x, y) -> k.softmax(x, y));
    runs.put(
        "add",
        (k, v, in) -> {
          Tensor a = x(v, in);
          Tensor b = x(v, in);
          return into(y -> k.add(a, b, y), a.shape());
        });
    runs.put(
        "addBias",
        (k, v, in) -> {
          Tensor a = x(v, in);
          Tensor bias = in.vector(a.cols());
          return into(y -> k.addBias(a, bias, y), a.shape());
        });
    runs.put(
        "swiglu",
        (k, v, in) -> {
          Tensor gate = x(v, in);
          Tensor up = x(v, in);
          return into(y -> k.swiglu(gate, up, y), gate.shape());
        });
    runs.put(
        "swigluBackward",
        (k, v, in) -> {
          Tensor gate = x(v, in);
          Tensor up = x(v, in);
          Tensor dy = x(v, in);
          Tensor dGate = like(gate);
          Tensor dUp = like(up);
          k.swigluBackward(gate, up, dy, dGate, dUp);
          return new OpResults().add(dGate).add(dUp);
        });
    runs.put(
        "embedding",
        (k, v, in) -> {
          Tensor table = in.matrix(v.size("table"), v.size("cols"));
          int[] ids = in.integers(v.size("rows"), v.size("table"));
          return into(y -> k.embedding(table, ids, y), v.size("rows"), v.size("cols"));
        });
    runs.put(
        "embeddingGradient",
        (k, v, in) -> {
          Tensor dy = x(v, in);
          int[] ids = in.integers(v.size("rows"), v.size("table"));
          return into(d -> k.embeddingGradient(ids, dy, d), v.size("table"), v.size("cols"));
        });
    runs.put(
        "adamW",
        (k, v, in) -> {
          Tensor gradient = x(v, in);
          Tensor parameter = x(v, in);
          Tensor moment1 = x(v, in);
          Tensor moment2 = x(v, in);
          // The second moment is a mean of squares.
          for (int i = 0; i < moment2.size(); i++) {
            moment2.set(i, Math.abs(moment2.get(i)));
          }
          AdamW step = AdamW.step(3, 1e-3, 0.9, 0.95, 1e-8, 0.1, 0.5f);
          k.adamW(step, gradient, parameter, moment1, moment2);
          return new OpResults().add(parameter).add(moment1).add(moment2);
        });
  }

  /// An operation from one tensor to another of the same shape.
  @FunctionalInterface
  private interface Unary {
    void apply(Kernels kernels, Tensor x, Tensor y);
  }

  private static void put(Map<String, Run> runs, String name, Unary op) {
    runs.put(
        name,
        (k, v, in) -> {
          Tensor x = x(v, in);
          return into(y -> op.apply(k, x, y), x.shape());
        });
  }

  private static void addRows(Map<String, Run> runs) {
    runs.put(
        "rmsNorm",
        (k, v, in) -> {
          Tensor x = x(v, in);
          Tensor gain = in.vector(x.cols());
          return into(y -> k.rmsNorm(x, gain, EPSILON, y), x.shape());
        });
    runs.put(
        "rmsNormBackward",
        (k, v, in) -> {
          Tensor x = x(v, in);
          Tensor gain = in.vector(x.cols());
          Tensor dy = x(v, in);
          Tensor dx = like(x);
          Tensor dGain = like(gain);
          k.rmsNormBackward(x, gain, EPSILON, dy, dx, dGain);
          return new OpResults().add(dx).add(dGain);
        });
    runs.put(
        "layerNorm",
        (k, v, in) -> {
          Tensor x = x(v, in);
          Tensor gain = in.vector(x.cols());
          Tensor bias = in.vector(x.cols());
          return into(y -> k.layerNorm(x, gain, bias, EPSILON, y), x.shape());
        });
    runs.put("argmax", (k, v, in) -> new OpResults().add(k.argmax(x(v, in))));
    runs.put("laneSum", (k, v, in) -> new OpResults().add(k.laneSum(x(v, in))));
    runs.put("laneSumOfSquares", (k, v, in) -> new OpResults().add(k.laneSumOfSquares(x(v, in))));
    runs.put(
        "crossEntropy",
        (k, v, in) -> {
          Tensor logits = x(v, in);
          int[] targets = in.integers(logits.rowCount(), logits.cols());
          targets[logits.rowCount() - 1] = -1;
          Tensor gradient = like(logits);
          float loss = k.crossEntropyBackward(logits, targets, -1, gradient);
          return new OpResults().add(loss).add(gradient);
        });
  }

  private static HeadLayout layout(OpVector v) {
    return new HeadLayout(v.size("heads"), v.size("kvHeads"), v.size("headDim"));
  }

  private static void addAttention(Map<String, Run> runs) {
    runs.put("rope", (k, v, in) -> rope(k::rope, v, in));
    runs.put("ropeBackward", (k, v, in) -> rope(k::ropeBackward, v, in));
    runs.put("attention", OpCatalogue::paged);
    runs.put(
        "attentionBidirectional",
        (k, v, in) -> {
          HeadLayout layout = layout(v);
          int rows = v.size("rows");
          Tensor q = in.matrix(rows, layout.queryCols());
          Tensor keys = in.matrix(rows, layout.keyCols());
          Tensor values = in.matrix(rows, layout.keyCols());
          return into(
              out ->
                  k.attention(
                      q,
                      keys,
                      values,
                      layout,
                      List.of(AttentionSpan.bidirectional(0, rows, rows)),
                      out),
              rows,
              layout.queryCols());
        });
    runs.put("attentionBackward", OpCatalogue::attentionBackward);
  }

  /// [Kernels#rope] or its gradient.
  @FunctionalInterface
  private interface Turn {
    void apply(Tensor x, int[] positions, RopeTable table, Tensor y);
  }

  private static OpResults rope(Turn op, OpVector v, ConformanceInputs in) {
    int headDim = v.size("headDim");
    RopeTable table = RopeTable.of(headDim, v.size("positions"), THETA);
    Tensor x = in.matrix(v.size("rows"), v.size("heads") * headDim);
    int[] positions = in.integers(v.size("rows"), v.size("positions"));
    return into(y -> op.apply(x, positions, table, y), x.shape());
  }

  /// Causal attention of the last `rows` of `keys` positions, in pages that lie backwards.
  private static OpResults paged(Kernels k, OpVector v, ConformanceInputs in) {
    HeadLayout layout = layout(v);
    int rows = v.size("rows");
    int positions = v.size("keys");
    int window = v.size("window");
    Tensor q = in.matrix(rows, layout.queryCols());
    Tensor keys = in.matrix(positions, layout.keyCols());
    Tensor values = in.matrix(positions, layout.keyCols());
    int count = KeyValuePages.pagesFor(positions);
    int[] table = new int[count];
    for (int page = 0; page < count; page++) {
      table[page] = count - 1 - page;
    }
    KeyValuePages pages = new KeyValuePages(1, layout, count);
    List<PagedSpan> all = List.of(new PagedSpan(0, positions, 0, table));
    k.storeKeys(keys, pages, 0, all);
    k.storeValues(values, pages, 0, all);
    List<PagedSpan> last = List.of(new PagedSpan(0, rows, positions - rows, table));
    OptionalInt limit = window == 0 ? OptionalInt.empty() : OptionalInt.of(window);
    BiConsumer<Kernels, Tensor> op =
        (kernels, out) -> kernels.attention(q, pages, 0, layout, last, limit, out);
    return into(out -> op.accept(k, out), rows, layout.queryCols());
  }

  private static OpResults attentionBackward(Kernels k, OpVector v, ConformanceInputs in) {
    HeadLayout layout = layout(v);
    int rows = v.size("rows");
    Tensor q = in.matrix(rows, layout.queryCols());
    Tensor keys = in.matrix(rows, layout.keyCols());
    Tensor values = in.matrix(rows, layout.keyCols());
    Tensor dOut = in.matrix(rows, layout.queryCols());
    List<AttentionSpan> spans = List.of(AttentionSpan.causal(0, rows));
    Tensor out = like(q);
    k.attention(q, keys, values, layout, spans, out);
    Tensor dQ = like(q);
    Tensor dKeys = like(keys);
    Tensor dValues = like(values);
    k.attentionBackward(q, keys, values, layout, spans, out, dOut, dQ, dKeys, dValues);
    return new OpResults().add(dQ).add(dKeys).add(dValues);
  }
}
