package io.rigmesh.worker.ptx;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.kernels.PagedSpan;
import io.rigmesh.worker.kernels.QuantisedRows;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/// Checks of the kernels of a step of one row: products that make the row which they read, and the
/// scores of a row whose keys are not in their page yet.
final class OneRowChecks {
  private static final Kernels SCALAR = new ScalarKernels();
  private static final float EPSILON = 1e-5f;
  private static final int THREADS = 256;
  private static final int WARPS = 8;
  private static final int PLAIN = 0;
  private static final int RESIDUAL = 1;
  private static final int SWIGLU = 2;

  /// The longest row that the shared memory of every device takes, and no multiple of anything.
  private static final int DEPTH_MAX = 47_099;

  /// A product's shape and what follows it.
  private record Shape(int n, int k, boolean bias, int mode) {
    int columnsOut() {
      return mode == SWIGLU ? n / 2 : n;
    }

    int pitch() {
      return QuantisedTarget.pitch(k);
    }
  }

  /// One query's place among its keys.
  private record Place(HeadLayout layout, int share, int position, int window, boolean turned) {}

  private OneRowChecks() {}

  static void addTo(Map<String, Consumer<KernelStage>> checks) {
    for (int rows : new int[] {2, 4}) {
      checks.put("linear_i8_row_norm_" + rows, stage -> norm(stage, rows));
      checks.put("linear_i8_row_attention_" + rows, stage -> attention(stage, rows));
      checks.put("linear_i8_row_plain_" + rows, stage -> plain(stage, rows));
    }
    checks.put("attention_scores_one", OneRowChecks::scores);
  }

  private static Extent grid(Shape shape, int rows) {
    return Extent.of((shape.n() + WARPS * rows - 1) / (WARPS * rows));
  }

  private static void norm(KernelStage stage, int rows) {
    List<Shape> shapes =
        stage.kind() == Numbers.Kind.ORDINARY
            ? List.of(
                new Shape(1, 1, false, PLAIN),
                new Shape(37, 300, true, PLAIN),
                // More than a thread has under way at once.
                new Shape(9, 4500, false, PLAIN),
                new Shape(3, DEPTH_MAX, true, PLAIN),
                new Shape(2, 40, false, SWIGLU),
                new Shape(90, 777, true, SWIGLU))
            : List.of(new Shape(70, 90, true, SWIGLU), new Shape(35, 530, false, PLAIN));
    for (Shape shape : shapes) {
      if (stage.reported()) {
        return;
      }
      Tensor x = stage.numbers().matrix(1, shape.k());
      Tensor gain = stage.numbers().vector(shape.k());
      Tensor w = stage.numbers().finite(shape.n(), shape.k());
      Tensor bias = stage.numbers().vector(shape.n());
      QuantisedRows qw = QuantisedRows.of(w);
      boolean wantsNorm = shape.mode() == PLAIN;
      DeviceBuffer normed = stage.poisoned("normed", shape.k());
      DeviceBuffer y = stage.poisoned("y", shape.columnsOut() + 1);
      DeviceBuffer largest = stage.bytes("largest", KernelStage.longs(0));
      DeviceBuffer weight = stage.bytes("w", QuantisedTarget.padded(qw));
      stage.launch(
          grid(shape, rows),
          THREADS,
          shape.pitch(),
          stage.floats("x", x),
          stage.floats("gain", gain),
          EPSILON,
          wantsNorm ? normed : Long.valueOf(0),
          shape.k(),
          weight,
          stage.bytes("w scales", KernelStage.littleEndian(qw.scales())),
          shape.bias() ? stage.floats("bias", bias) : Long.valueOf(0),
          y,
          shape.n(),
          shape.pitch(),
          shape.mode(),
          largest,
          weight,
          (long) weight.size(),
          stage.fault(),
          KernelStage.OP);
      Tensor row = Tensor.zeros(1, shape.k());
      stage
          .expected(
              List.of(
                  "rmsNorm sum of squares",
                  "rmsNorm",
                  "linear",
                  "addBias",
                  shape.mode() == SWIGLU ? "swiglu" : "add"),
              () -> {
                SCALAR.rmsNorm(x, gain, EPSILON, row);
                return product(shape, row, w, bias, row);
              })
          .ifPresent(result -> {
            stage.same(y, result.cols() + 1, result);
            if (wantsNorm) {
              stage.same(normed, shape.k(), row);
              assertThat(~(int) stage.word(largest, 0)).isEqualTo(SCALAR.argmax(result)[0]);
            } else {
              assertThat(stage.word(largest, 0)).isEqualTo(bitsOfLargest(result));
            }
          });
    }
  }

  private static long bitsOfLargest(Tensor row) {
    float most = 0;
    for (int i = 0; i < row.size(); i++) {
      most = Math.max(most, Math.abs(row.get(i)));
    }
    return Float.floatToRawIntBits(most);
  }

  private static Tensor product(Shape shape, Tensor row, Tensor w, Tensor bias, Tensor residual) {
    return LinearChecks.reference(
        Profile.I8_V1,
        new LinearChecks.Shape(1, shape.n(), shape.k(), shape.bias(), shape.mode()),
        row,
        w,
        bias,
        residual);
  }

  private static List<Shape> residualShapes(KernelStage stage, int k) {
    if (k == DEPTH_MAX) {
      return List.of(new Shape(3, k, false, RESIDUAL));
    }
    return stage.kind() == Numbers.Kind.ORDINARY
        ? List.of(new Shape(1, k, true, RESIDUAL), new Shape(70, k, false, RESIDUAL))
        : List.of(new Shape(37, k, true, RESIDUAL));
  }

  private static void attention(KernelStage stage, int rows) {
    for (int window : new int[] {0, 100}) {
      HeadLayout layout = new HeadLayout(3, 3, 22);
      int position = 2050;
      int splits = 3;
      int start = window > 0 ? (position + 1 - window) / 1024 : 0;
      for (Shape shape : residualShapes(stage, layout.queryCols())) {
        if (stage.reported()) {
          return;
        }
        int line = layout.headDim() + 1;
        Tensor chains = stage.numbers().matrix(layout.heads() * splits, line);
        for (int i = 0; i < chains.rowCount(); i++) {
          // A sum of weights is above 0; what lies before the window was never computed.
          chains.set(i * line + line - 1, 0.5f + i);
          if (i % splits < start) {
            chains.rows(i, i + 1).fill(Float.NaN);
          }
        }
        residual(
            stage,
            rows,
            shape,
            shape.pitch() + 4 * layout.heads() * line,
            new Object[] {
              stage.floats("chains", chains),
              stage.ints("positions", position),
              layout.heads(),
              layout.headDim(),
              splits,
              window
            },
            List.of("attention", "linear", "addBias", "add"),
            () -> combined(chains, layout, splits, start));
      }
    }
  }

  /// The end of attention as docs/numerics.md has it.
  private static Tensor combined(Tensor chains, HeadLayout layout, int splits, int start) {
    int d = layout.headDim();
    Tensor row = Tensor.zeros(1, layout.queryCols());
    for (int i = 0; i < layout.queryCols(); i++) {
      int first = i / d * splits;
      float total = chains.get(first + start, i % d);
      float z = chains.get(first + start, d);
      for (int split = start + 1; split < splits; split++) {
        total += chains.get(first + split, i % d);
        z += chains.get(first + split, d);
      }
      float value = (total + 0f) / z;
      if (!Float.isFinite(value)) {
        throw new NonFiniteException("attention", i, value);
      }
      row.set(i, value);
    }
    return row;
  }

  private static void plain(KernelStage stage, int rows) {
    for (int k :
        stage.kind() == Numbers.Kind.ORDINARY
            ? new int[] {1, 100, 4500, DEPTH_MAX}
            : new int[] {77}) {
      for (Shape shape : residualShapes(stage, k)) {
        // The launch before has looked through it.
        Tensor x = stage.numbers().finite(1, k);
        if (stage.reported() || !Float.isFinite(Float.intBitsToFloat((int) bitsOfLargest(x)))) {
          return;
        }
        residual(
            stage,
            rows,
            shape,
            shape.pitch(),
            new Object[] {
              stage.floats("x", x), stage.bytes("largest", KernelStage.longs(bitsOfLargest(x))), k
            },
            List.of("linear", "addBias", "add"),
            () -> x);
      }
    }
  }

  /// A product that is added to what lies where it goes.
  ///
  /// @param source the first arguments, which say what the row is made of
  private static void residual(
      KernelStage stage,
      int rows,
      Shape shape,
      int sharedBytes,
      Object[] source,
      List<String> ops,
      Supplier<Tensor> row) {
    Tensor w = stage.numbers().finite(shape.n(), shape.k());
    Tensor bias = stage.numbers().vector(shape.n());
    Tensor residual = stage.numbers().matrix(1, shape.n());
    QuantisedRows qw = QuantisedRows.of(w);
    DeviceBuffer y = stage.floats("residual and y", residual, shape.n() + 2);
    DeviceBuffer clear = stage.bytes("clear", KernelStage.longs(77));
    List<Object> arguments = new ArrayList<>(Arrays.asList(source));
    arguments.addAll(
        List.of(
            stage.bytes("w", QuantisedTarget.padded(qw)),
            stage.bytes("w scales", KernelStage.littleEndian(qw.scales())),
            shape.bias() ? stage.floats("bias", bias) : Long.valueOf(0),
            y,
            shape.n(),
            shape.pitch(),
            clear,
            0L,
            0L,
            stage.fault(),
            KernelStage.OP));
    stage.launch(grid(shape, rows), THREADS, sharedBytes, arguments.toArray());
    assertThat(stage.word(clear, 0)).isZero();
    stage
        .expected(ops, () -> product(shape, row.get(), w, bias, residual))
        .ifPresent(result -> stage.same(y, shape.n() + 2, result));
  }

  private static List<Place> places(KernelStage stage) {
    HeadLayout grouped = new HeadLayout(4, 2, 10);
    if (stage.kind() != Numbers.Kind.ORDINARY) {
      return List.of(new Place(grouped, 2, 38, 0, true));
    }
    return List.of(
        new Place(new HeadLayout(1, 1, 2), 1, 0, 0, true),
        new Place(grouped, 2, 128, 0, false),
        new Place(new HeadLayout(4, 1, 4), 4, 1030, 0, true),
        new Place(new HeadLayout(4, 1, 4), 4, 1100, 90, true),
        // Several blocks of one key head, and components that fill no load.
        new Place(new HeadLayout(6, 2, 70), 1, 130, 0, true),
        // The heads of real models.
        new Place(new HeadLayout(4, 1, 64), 4, 40, 0, true),
        new Place(new HeadLayout(2, 1, 128), 2, 35, 33, true));
  }

  private static void scores(KernelStage stage) {
    for (Place place : places(stage)) {
      if (stage.reported()) {
        return;
      }
      score(stage, place);
    }
  }

  private static void score(KernelStage stage, Place place) {
    HeadLayout layout = place.layout();
    int d = layout.headDim();
    int position = place.position();
    int pageCount = KeyValuePages.pagesFor(position + 1);
    // Descending, so that a page is not where its number says.
    int[] table = IntStream.range(0, pageCount).map(page -> pageCount - page).toArray();
    RopeTable rope = RopeTable.of(d, position + 1, 10_000);
    Tensor q = stage.numbers().matrix(1, layout.queryCols());
    Tensor k = stage.numbers().matrix(1, layout.keyCols());
    Tensor v = stage.numbers().matrix(1, layout.keyCols());
    KeyValuePages pages = new KeyValuePages(1, layout, pageCount + 1);
    Arrays.fill(pages.keys(0), Float.intBitsToFloat(0x7fc0ffff));
    Arrays.fill(pages.values(0), Float.intBitsToFloat(0x7fc0ffff));
    if (position > 0) {
      List<PagedSpan> earlier = List.of(new PagedSpan(0, position, 0, table));
      SCALAR.storeKeys(stage.numbers().matrix(position, layout.keyCols()), pages, 0, earlier);
      SCALAR.storeValues(stage.numbers().matrix(position, layout.keyCols()), pages, 0, earlier);
    }
    int poolFloats = pages.keys(0).length;
    int context = position + 5;
    int pieces = (context + 127) / 128;
    int splits = (context + 1023) / 1024;
    DeviceBuffer keys = stage.floats("keys", Tensor.of(pages.keys(0), poolFloats));
    DeviceBuffer values = stage.floats("values", Tensor.of(pages.values(0), poolFloats));
    DeviceBuffer tables = stage.ints("page table", table);
    DeviceBuffer positions = stage.ints("positions", position);
    DeviceBuffer zero = stage.ints("sequences and list", 0);
    DeviceBuffer count = stage.ints("count", 1);
    DeviceBuffer scores = stage.unwritten("scores", layout.heads() * context * 4);
    DeviceBuffer maxima = stage.unwritten("maxima", layout.heads() * pieces * 4);
    DeviceBuffer chains = stage.unwritten("chains", layout.heads() * splits * (d + 1) * 4);
    DeviceBuffer out = stage.poisoned("out", layout.queryCols());
    stage.launch(
        new Extent(1, layout.heads() / place.share(), pieces),
        128,
        4 * (place.share() + 1) * d,
        stage.floats("qkv", RowChecks.joined(q, k, v)),
        tables,
        positions,
        stage.floats("cos", rope.cos()),
        stage.floats("sin", rope.sin()),
        keys,
        values,
        scores,
        maxima,
        layout.heads(),
        layout.kvHeads(),
        d,
        place.share(),
        place.window(),
        context,
        place.turned() ? 1 : 0,
        layout.scoreScale(),
        stage.fault(),
        KernelStage.OP);
    int parts = (d + 31) / 32;
    stage.launch(
        "attention_values",
        // Two blocks more, which do nothing but read ahead.
        new Extent(1, layout.heads() / place.share() * parts + 2, splits),
        256,
        4096 * place.share(),
        scores,
        maxima,
        values,
        tables,
        0,
        positions,
        zero,
        chains,
        zero,
        count,
        0,
        layout.heads(),
        layout.kvHeads(),
        d,
        place.share(),
        place.window(),
        context,
        keys,
        (long) keys.size());
    stage.launch(
        "attention_combine",
        new Extent(1, layout.heads(), 1),
        32,
        0,
        chains,
        positions,
        out,
        zero,
        count,
        0,
        layout.heads(),
        d,
        splits,
        place.window(),
        stage.fault(),
        KernelStage.OP + 3);
    var expected =
        stage.expected(
            List.of("rope", "rope", "attention score", "attention"),
            () -> {
              Tensor turnedQ = q.copy();
              Tensor turnedK = k.copy();
              if (place.turned()) {
                SCALAR.rope(q, new int[] {position}, rope, turnedQ);
                SCALAR.rope(k, new int[] {position}, rope, turnedK);
              }
              List<PagedSpan> now = List.of(new PagedSpan(0, 1, position, table));
              SCALAR.storeKeys(turnedK, pages, 0, now);
              SCALAR.storeValues(v, pages, 0, now);
              Tensor result = Tensor.zeros(1, layout.queryCols());
              OptionalInt window =
                  place.window() == 0 ? OptionalInt.empty() : OptionalInt.of(place.window());
              SCALAR.attention(turnedQ, pages, 0, layout, now, window, result);
              return result;
            });
    if (expected.isPresent()) {
      stage.same(out, layout.queryCols(), expected.get());
      stage.same(keys, poolFloats, Tensor.of(pages.keys(0), 1, poolFloats));
      stage.same(values, poolFloats, Tensor.of(pages.values(0), 1, poolFloats));
    }
  }
}
