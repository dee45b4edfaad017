package io.rigmesh.worker.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Stream;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/// Attention over pages gives the bits of attention over contiguous keys, wherever the pages lie,
/// and the same bits on every backend; so does a sliding window.
class PagedAttentionPropertyTest {
  private static final List<Kernels> BACKENDS =
      List.of(
          new ScalarKernels(), new VectorKernels(1), new VectorKernels(2), new VectorKernels(3));
  private static final int LAYERS = 2;
  private static final int LAYER = 1;

  @Property(tries = 40)
  void pagesInAnyOrderGiveTheContiguousBits(
      @ForAll @IntRange(min = 1, max = 3) int kvHeads,
      @ForAll @IntRange(min = 1, max = 5) int group,
      @ForAll @IntRange(min = 1, max = 40) int headDim,
      @ForAll long seed) {
    Random random = new Random(seed);
    HeadLayout layout = new HeadLayout(kvHeads * group, kvHeads, headDim);
    List<Sequence> sequences = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int rows = 1 + random.nextInt(i == 0 ? 45 : 3);
      sequences.add(new Sequence(layout, rows + random.nextInt(70), rows, random));
    }
    agree(layout, sequences, random);
  }

  @Property(tries = 2)
  void severalSplitsGiveTheContiguousBits(@ForAll long seed) {
    Random random = new Random(seed);
    HeadLayout layout = new HeadLayout(2, 1, 6);
    agree(layout, List.of(new Sequence(layout, 2_100, 3, random)), random);
    agree(layout, List.of(new Sequence(layout, 1_100, 120, random)), random);
  }

  @Property(tries = 40)
  void aWindowGivesTheSameBitsOnEveryBackend(
      @ForAll @IntRange(min = 1, max = 2) int kvHeads,
      @ForAll @IntRange(min = 1, max = 3) int group,
      @ForAll @IntRange(min = 1, max = 40) int headDim,
      @ForAll @IntRange(min = 1, max = 100) int window,
      @ForAll long seed) {
    Random random = new Random(seed);
    HeadLayout layout = new HeadLayout(kvHeads * group, kvHeads, headDim);
    int rows = 1 + random.nextInt(50);
    windowed(
        layout, new Sequence(layout, rows + random.nextInt(150), rows, random), window, random);
  }

  @Property(tries = 2)
  void aWindowOverTheBordersOfSplitsGivesTheSameBits(@ForAll long seed) {
    Random random = new Random(seed);
    HeadLayout layout = new HeadLayout(1, 1, 5);
    windowed(layout, new Sequence(layout, 1_100, 90, random), 50, random);
    windowed(layout, new Sequence(layout, 2_080, 60, random), 1_030, random);
  }

  @Property(tries = 10)
  void aWindowOfFewKeysIsAttentionToThoseAlone(
      @ForAll @IntRange(min = 1, max = 30) int window, @ForAll long seed) {
    // Inside the first split a window's keys, taken alone, have the same chains.
    Random random = new Random(seed);
    HeadLayout layout = new HeadLayout(2, 1, 7);
    Sequence sequence = new Sequence(layout, 120, 1, random);
    Tensor alone = Tensor.zeros(1, layout.queryCols());
    BACKENDS
        .get(0)
        .attention(
            sequence.q,
            sequence.keys.rows(120 - window, 120),
            sequence.values.rows(120 - window, 120),
            layout,
            List.of(AttentionSpan.cached(0, 1, window)),
            alone);
    for (Kernels kernels : BACKENDS) {
      Pool pool = new Pool(layout, List.of(sequence), kernels, random);
      Tensor out = Tensor.zeros(1, layout.queryCols());
      kernels.attention(
          sequence.q, pool.pages, LAYER, layout, pool.spans, OptionalInt.of(window), out);
      assertThat(bits(out)).isEqualTo(bits(alone));
    }
  }

  @Example
  void pagesOutsideTheWindowAreNeverLookedAt() {
    Random random = new Random(5);
    HeadLayout layout = new HeadLayout(2, 1, 8);
    Sequence sequence = new Sequence(layout, 200, 3, random);
    for (Kernels kernels : BACKENDS) {
      Pool pool = new Pool(layout, List.of(sequence), kernels, random);
      Tensor out = Tensor.zeros(3, layout.queryCols());
      OptionalInt window = OptionalInt.of(40);
      kernels.attention(sequence.q, pool.pages, LAYER, layout, pool.spans, window, out);
      int[] table = pool.spans.get(0).pageTable().clone();
      Arrays.fill(table, 0, 158 / KeyValuePages.PAGE, -1);
      Tensor again = Tensor.zeros(3, layout.queryCols());
      List<PagedSpan> spans = List.of(new PagedSpan(0, 3, 197, table));
      kernels.attention(sequence.q, pool.pages, LAYER, layout, spans, window, again);
      assertThat(bits(again)).isEqualTo(bits(out));
      assertThatThrownBy(() ->
              kernels.attention(
                  sequence.q,
                  pool.pages,
                  LAYER,
                  layout,
                  spans,
                  OptionalInt.empty(),
                  Tensor.zeros(3, layout.queryCols())))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("entry 0 of the page table is -1");
    }
  }

  @Example
  void whatAnEarlierOwnerLeftInAPageDoesNotMatter() {
    Random random = new Random(6);
    HeadLayout layout = new HeadLayout(3, 1, 9);
    Sequence sequence = new Sequence(layout, 41, 2, random);
    for (Kernels kernels : BACKENDS) {
      Pool clean = new Pool(layout, List.of(sequence), kernels, random);
      Tensor expected = clean.attend(layout, List.of(sequence), kernels, OptionalInt.empty());
      KeyValuePages used = new KeyValuePages(LAYERS, layout, clean.pages.pages());
      Arrays.fill(used.keys(LAYER), 3e38f);
      Arrays.fill(used.values(LAYER), -3e38f);
      Pool dirty = new Pool(used, layout, List.of(sequence), kernels, random);
      Tensor actual = dirty.attend(layout, List.of(sequence), kernels, OptionalInt.empty());
      assertThat(bits(actual)).isEqualTo(bits(expected));
    }
  }

  @Example
  void anOverflowingScoreNamesItsRow() {
    HeadLayout layout = new HeadLayout(1, 1, 4);
    for (Kernels kernels : BACKENDS) {
      KeyValuePages pages = new KeyValuePages(1, layout, 1);
      List<PagedSpan> spans = List.of(new PagedSpan(0, 3, 0, new int[] {0}));
      Tensor keys = Tensor.zeros(3, 4);
      keys.rows(2, 3).fill(-3e38f);
      kernels.storeKeys(keys, pages, 0, spans);
      Tensor q = Tensor.zeros(3, 4);
      q.fill(3e38f);
      assertThatThrownBy(() ->
              kernels.attention(
                  q, pages, 0, layout, spans, OptionalInt.empty(), Tensor.zeros(3, 4)))
          .isInstanceOf(NonFiniteException.class)
          .hasMessageContaining("attention score")
          .satisfies(e -> assertThat(((NonFiniteException) e).index()).isEqualTo(2));
    }
  }

  @Example
  void whatDoesNotFitIsRefused() {
    HeadLayout layout = new HeadLayout(2, 1, 4);
    KeyValuePages pages = new KeyValuePages(1, layout, 2);
    Kernels kernels = BACKENDS.get(1);
    assertThatThrownBy(() -> new PagedSpan(0, 2, 31, new int[] {0}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("need 2 pages");
    List<PagedSpan> outside = List.of(new PagedSpan(0, 1, 0, new int[] {2}));
    assertThatThrownBy(() -> kernels.storeKeys(Tensor.zeros(1, 4), pages, 0, outside))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("pages 0 to 1");
    List<PagedSpan> span = List.of(new PagedSpan(0, 2, 0, new int[] {0}));
    assertThatThrownBy(() -> kernels.storeValues(Tensor.zeros(1, 4), pages, 0, span))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not all in");
    assertThatThrownBy(() -> kernels.storeValues(Tensor.zeros(2, 4), pages, 1, span))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("layer 1");
  }

  /// All keys and values of a sequence, and the queries of its last rows.
  private static final class Sequence {
    final Tensor q;
    final Tensor keys;
    final Tensor values;

    Sequence(HeadLayout layout, int positions, int rows, Random random) {
      q = random(random, rows, layout.queryCols());
      keys = random(random, positions, layout.keyCols());
      values = random(random, positions, layout.keyCols());
    }
  }

  /// Sequences stored in pages, piece by piece, the pages in random order.
  private static final class Pool {
    final KeyValuePages pages;
    final List<PagedSpan> spans = new ArrayList<>();

    Pool(HeadLayout layout, List<Sequence> sequences, Kernels kernels, Random random) {
      this(
          new KeyValuePages(
              LAYERS,
              layout,
              1
                  + sequences.stream()
                      .mapToInt(s -> KeyValuePages.pagesFor(s.keys.rowCount()))
                      .sum()),
          layout,
          sequences,
          kernels,
          random);
    }

    Pool(
        KeyValuePages pages,
        HeadLayout layout,
        List<Sequence> sequences,
        Kernels kernels,
        Random random) {
      this.pages = pages;
      List<Integer> free =
          new ArrayList<>(Stream.iterate(0, i -> i + 1).limit(pages.pages()).toList());
      Collections.shuffle(free, random);
      int row = 0;
      for (Sequence sequence : sequences) {
        int positions = sequence.keys.rowCount();
        int[] table = new int[KeyValuePages.pagesFor(positions)];
        for (int i = 0; i < table.length; i++) {
          table[i] = free.removeLast();
        }
        int from = 0;
        while (from < positions) {
          int to = Math.min(positions, from + 1 + random.nextInt(80));
          List<PagedSpan> piece = List.of(new PagedSpan(0, to - from, from, table));
          kernels.storeKeys(sequence.keys.rows(from, to), pages, LAYER, piece);
          kernels.storeValues(sequence.values.rows(from, to), pages, LAYER, piece);
          from = to;
        }
        int rows = sequence.q.rowCount();
        spans.add(new PagedSpan(row, rows, positions - rows, table));
        row += rows;
      }
      assertThat(layout.headDim()).isEqualTo(pages.headDim());
    }

    Tensor attend(
        HeadLayout layout, List<Sequence> sequences, Kernels kernels, OptionalInt window) {
      int rows = sequences.stream().mapToInt(s -> s.q.rowCount()).sum();
      Tensor q = Tensor.zeros(rows, layout.queryCols());
      int row = 0;
      for (Sequence sequence : sequences) {
        q.rows(row, row + sequence.q.rowCount()).copyFrom(sequence.q);
        row += sequence.q.rowCount();
      }
      Tensor out = Tensor.zeros(rows, layout.queryCols());
      kernels.attention(q, pages, LAYER, layout, spans, window, out);
      return out;
    }
  }

  private static void agree(HeadLayout layout, List<Sequence> sequences, Random random) {
    List<int[]> expected = new ArrayList<>();
    for (Sequence sequence : sequences) {
      int rows = sequence.q.rowCount();
      Tensor out = Tensor.zeros(rows, layout.queryCols());
      List<AttentionSpan> span = List.of(AttentionSpan.cached(0, rows, sequence.keys.rowCount()));
      BACKENDS.get(0).attention(sequence.q, sequence.keys, sequence.values, layout, span, out);
      expected.add(bits(out));
    }
    int[] together = expected.stream().flatMapToInt(Arrays::stream).toArray();
    for (Kernels kernels : BACKENDS) {
      Pool pool = new Pool(layout, sequences, kernels, random);
      Tensor out = pool.attend(layout, sequences, kernels, OptionalInt.empty());
      assertThat(bits(out)).as("%s on %s", kernels.name(), kernels.threads()).isEqualTo(together);
      OptionalInt wide = OptionalInt.of(1_000_000);
      assertThat(bits(pool.attend(layout, sequences, kernels, wide))).isEqualTo(together);
    }
  }

  private static void windowed(HeadLayout layout, Sequence sequence, int window, Random random) {
    List<Sequence> one = List.of(sequence);
    Kernels reference = BACKENDS.get(0);
    OptionalInt width = OptionalInt.of(window);
    int[] expected =
        bits(new Pool(layout, one, reference, random).attend(layout, one, reference, width));
    for (Kernels kernels : BACKENDS) {
      Tensor out = new Pool(layout, one, kernels, random).attend(layout, one, kernels, width);
      assertThat(bits(out)).as("%s on %s", kernels.name(), kernels.threads()).isEqualTo(expected);
    }
  }

  private static int[] bits(Tensor tensor) {
    int[] bits = new int[tensor.size()];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(tensor.get(i));
    }
    return bits;
  }

  /// Ordinary values, some of them zeros of either sign, or very small.
  private static Tensor random(Random random, int rows, int cols) {
    Tensor tensor = Tensor.zeros(rows, cols);
    for (int i = 0; i < tensor.size(); i++) {
      float x = (float) random.nextGaussian();
      tensor.set(
          i,
          switch (random.nextInt(12)) {
            case 0 -> 0f;
            case 1 -> -0f;
            case 2 -> x * 0x1p-140f;
            default -> x;
          });
    }
    return tensor;
  }
}
