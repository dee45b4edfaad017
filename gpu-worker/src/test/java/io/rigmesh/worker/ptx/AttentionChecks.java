package io.rigmesh.worker.ptx;

import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.kernels.PagedSpan;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Checks of attention over pages: row by row, as decoding has it, and in tiles of queries.
final class AttentionChecks {
  private static final Kernels SCALAR = new ScalarKernels();

  /// A step's attention: one sequence with keys before its rows, and its layout.
  private record Case(HeadLayout layout, int share, int rows, int firstPosition, int window) {}

  private AttentionChecks() {}

  static void addTo(Map<String, Consumer<KernelStage>> checks) {
    for (String entry : List.of("attention_scores", "attention_values", "attention_combine")) {
      checks.put(entry, AttentionChecks::byRows);
    }
    checks.put("attention_combine_i8", AttentionChecks::byRows);
    checks.put("attention_tiles_64", stage -> byTiles(stage, 64, 33_024));
    checks.put("attention_tiles_128", stage -> byTiles(stage, 128, 57_600));
  }

  private static List<Case> cases(KernelStage stage, int headDim) {
    HeadLayout grouped = new HeadLayout(4, 2, headDim);
    if (stage.kind() != Numbers.Kind.ORDINARY) {
      return List.of(new Case(grouped, 2, 3, 38, 0));
    }
    return List.of(
        new Case(new HeadLayout(1, 1, 1), 1, 1, 0, 0),
        new Case(grouped, 2, 5, 30, 0),
        new Case(new HeadLayout(4, 1, 3), 4, 2, 1030, 0),
        new Case(new HeadLayout(4, 1, 3), 4, 3, 1100, 90),
        new Case(new HeadLayout(3, 3, 5), 1, 40, 0, 7));
  }

  /// The lengths of heads that real models have, where every component of a tile is in use.
  private static List<Case> realHeads(KernelStage stage, int... headDims) {
    List<Case> cases = new ArrayList<>();
    for (int headDim : headDims) {
      if (stage.kind() == Numbers.Kind.ORDINARY) {
        cases.add(new Case(new HeadLayout(4, 1, headDim), 4, 18, 30, 0));
        cases.add(new Case(new HeadLayout(2, 2, headDim), 1, 6, 60, 33));
      } else if (stage.kind() == Numbers.Kind.FAR_APART) {
        cases.add(new Case(new HeadLayout(2, 1, headDim), 2, 2, 38, 0));
      }
    }
    return cases;
  }

  private static List<Case> all(List<Case> some, List<Case> others) {
    return Stream.concat(some.stream(), others.stream()).toList();
  }

  /// The sequence of a case, and one of another length before it, so that tables and rows differ.
  private static final class Scene {
    private final Case one;
    private final KeyValuePages pages;
    private final Tensor q;
    private final List<PagedSpan> spans;
    private final int tablePitch;
    private final int[] tables;
    private final int poolFloats;

    Scene(KernelStage stage, Case one) {
      this.one = one;
      int positions = one.firstPosition() + one.rows();
      this.tablePitch = KeyValuePages.pagesFor(positions) + 1;
      int pageCount = tablePitch + 2;
      List<Integer> order = new ArrayList<>(IntStream.range(0, pageCount).boxed().toList());
      Collections.shuffle(order, stage.numbers().random());
      int[] first = {order.get(0), order.get(0)};
      int[] second = IntStream.range(0, tablePitch).map(p -> order.get(1 + p)).toArray();
      this.tables = new int[2 * tablePitch];
      System.arraycopy(first, 0, tables, 0, Math.min(2, tablePitch));
      System.arraycopy(second, 0, tables, tablePitch, tablePitch);
      this.pages = new KeyValuePages(1, one.layout(), pageCount);
      java.util.Arrays.fill(pages.keys(0), Float.NaN);
      java.util.Arrays.fill(pages.values(0), Float.NaN);
      this.q = stage.numbers().matrix(2 + one.rows(), one.layout().queryCols());
      this.spans =
          List.of(
              new PagedSpan(0, 2, 3, first),
              new PagedSpan(2, one.rows(), one.firstPosition(), second));
      this.poolFloats = pages.keys(0).length;
      for (PagedSpan span : List.of(new PagedSpan(0, 5, 0, first), whole(second, positions))) {
        Tensor rows = stage.numbers().matrix(span.queryRows(), one.layout().keyCols());
        SCALAR.storeKeys(rows, pages, 0, List.of(span));
        // The product that made them was looked through; a key that a tile has and a query does not
        // see counts 0 times its value.
        rows = stage.numbers().finite(span.queryRows(), one.layout().keyCols());
        SCALAR.storeValues(rows, pages, 0, List.of(span));
      }
    }

    private static PagedSpan whole(int[] table, int positions) {
      return new PagedSpan(0, positions, 0, table);
    }

    int rows() {
      return 2 + one.rows();
    }

    int[] positions() {
      return IntStream.range(0, rows())
          .map(row -> row < 2 ? 3 + row : one.firstPosition() + row - 2)
          .toArray();
    }

    int[] sequences() {
      return IntStream.range(0, rows()).map(row -> row < 2 ? 0 : 1).toArray();
    }

    int context() {
      return one.firstPosition() + one.rows() + 5;
    }

    Tensor reference() {
      Tensor out = Tensor.zeros(rows(), one.layout().queryCols());
      OptionalInt window = one.window() == 0 ? OptionalInt.empty() : OptionalInt.of(one.window());
      SCALAR.attention(q, pages, 0, one.layout(), spans, window, out);
      return out;
    }
  }

  private static void byRows(KernelStage stage) {
    for (Case one : all(cases(stage, 10), realHeads(stage, 64, 128))) {
      if (stage.reported()) {
        return;
      }
      Scene scene = new Scene(stage, one);
      HeadLayout layout = one.layout();
      int rows = scene.rows();
      int context = scene.context();
      int pieces = (context + 127) / 128;
      int splits = (context + 1023) / 1024;
      int d = layout.headDim();
      int stride = layout.queryCols() + 3;
      DeviceBuffer keys = stage.floats("keys", Tensor.of(scene.pages.keys(0), scene.poolFloats));
      DeviceBuffer values =
          stage.floats("values", Tensor.of(scene.pages.values(0), scene.poolFloats));
      DeviceBuffer tables = stage.ints("page tables", scene.tables);
      DeviceBuffer positions = stage.ints("positions", scene.positions());
      DeviceBuffer sequences = stage.ints("sequences", scene.sequences());
      DeviceBuffer scores = stage.unwritten("scores", rows * layout.heads() * context * 4);
      DeviceBuffer maxima = stage.unwritten("maxima", rows * layout.heads() * pieces * 4);
      DeviceBuffer chains = stage.unwritten("chains", rows * layout.heads() * splits * (d + 1) * 4);
      DeviceBuffer out = stage.poisoned("out", rows * layout.queryCols());
      boolean quantised = stage.entry().equals("attention_combine_i8");
      QuantisedTarget target = QuantisedTarget.of(stage, rows, 0, layout.queryCols());
      DeviceBuffer list = stage.ints("list", IntStream.range(0, rows).toArray());
      DeviceBuffer count = stage.ints("count", rows);
      DeviceBuffer q = stage.floats("q", scene.q, stride);
      // In two launches, as a plan does whose scratch memory holds fewer rows.
      int half = (rows + 1) / 2;
      for (int first : new int[] {0, half}) {
        scores.forget();
        maxima.forget();
        chains.forget();
        stage.launch(
            "attention_scores",
            new Extent(half, layout.heads() / one.share(), pieces),
            128,
            16 * d,
            q,
            stride,
            keys,
            tables,
            scene.tablePitch,
            positions,
            sequences,
            scores,
            maxima,
            list,
            count,
            first,
            layout.heads(),
            layout.kvHeads(),
            d,
            one.share(),
            one.window(),
            context,
            layout.scoreScale(),
            stage.fault(),
            KernelStage.OP);
        stage.launch(
            "attention_values",
            new Extent(half, layout.heads() / one.share() * ((d + 31) / 32), splits),
            256,
            4096 * one.share(),
            scores,
            maxima,
            values,
            tables,
            scene.tablePitch,
            positions,
            sequences,
            chains,
            list,
            count,
            first,
            layout.heads(),
            layout.kvHeads(),
            d,
            one.share(),
            one.window(),
            context,
            0L,
            0L);
        if (quantised) {
          stage.launch(
              Extent.of(half),
              128,
              4 * layout.heads() * (d + 1),
              chains,
              positions,
              target.bytes(),
              target.scales(),
              target.pitch(),
              list,
              count,
              first,
              layout.heads(),
              d,
              splits,
              one.window(),
              stage.fault(),
              KernelStage.OP + 1);
          continue;
        }
        stage.launch(
            "attention_combine",
            new Extent(half, layout.heads(), 1),
            32,
            0,
            chains,
            positions,
            out,
            list,
            count,
            first,
            layout.heads(),
            d,
            splits,
            one.window(),
            stage.fault(),
            KernelStage.OP + 1);
      }
      if (quantised) {
        stage
            .expected(List.of("attention score", "attention"), scene::reference)
            .ifPresent(result -> target.same(stage, result));
      } else {
        compare(stage, scene, out);
      }
    }
  }

  private static void byTiles(KernelStage stage, int headMax, int sharedBytes) {
    for (Case one : all(cases(stage, headMax == 64 ? 10 : 70), realHeads(stage, headMax))) {
      if (stage.reported()) {
        return;
      }
      Scene scene = new Scene(stage, one);
      HeadLayout layout = one.layout();
      int stride = layout.queryCols() + 1;
      int tileRows = 64 / one.share();
      List<Integer> tiles = new ArrayList<>(List.of(0, 2));
      for (int row = 0; row < one.rows(); row += tileRows) {
        tiles.add(2 + row);
        tiles.add(Math.min(tileRows, one.rows() - row));
      }
      DeviceBuffer out = stage.poisoned("out", scene.rows() * layout.queryCols());
      stage.launch(
          new Extent(tiles.size() / 2 + 1, layout.heads() / one.share(), 1),
          128,
          sharedBytes,
          stage.floats("q", scene.q, stride),
          stride,
          stage.floats("keys", Tensor.of(scene.pages.keys(0), scene.poolFloats)),
          stage.floats("values", Tensor.of(scene.pages.values(0), scene.poolFloats)),
          stage.ints("page tables", scene.tables),
          scene.tablePitch,
          stage.ints("positions", scene.positions()),
          stage.ints("sequences", scene.sequences()),
          stage.ints("tiles", tiles.stream().mapToInt(i -> i).toArray()),
          stage.ints("count of tiles", tiles.size() / 2),
          out,
          layout.heads(),
          layout.kvHeads(),
          layout.headDim(),
          one.share(),
          one.window(),
          layout.scoreScale(),
          stage.fault(),
          KernelStage.OP);
      compare(stage, scene, out);
    }
  }

  private static void compare(KernelStage stage, Scene scene, DeviceBuffer out) {
    stage
        .expected(List.of("attention score", "attention"), scene::reference)
        .ifPresent(result -> stage.same(out, result.cols(), result));
  }
}
