package io.rigmesh.worker.kernels;

import java.util.ArrayList;
import java.util.List;

/// One model's pool of pages for the keys and values of sequences: a page holds [#PAGE] consecutive
/// positions of one sequence in every layer, and a sequence's page table names its pages in the
/// order of their positions.
///
/// In a page, keys lie across positions, so that scores are computed for many keys side by side:
/// component c of slot s at `at(page, kvHead) + c * PAGE + s`. Values lie as rows: component c of
/// slot s at `at(page, kvHead) + s * headDim + c`. Which pages a sequence has, and in which order
/// they lie, never changes a bit. Pages are +0 at first and keep what they held when they are
/// handed on; a slot is read only through a span that covers its position. Not synchronised:
/// whoever shares pages among threads orders the calls.
public final class KeyValuePages {
  /// How many positions a page holds.
  public static final int PAGE = 32;

  private final int layers;
  private final int kvHeads;
  private final int headDim;
  private final int pages;
  private final List<float[]> keys = new ArrayList<>(); // L of (pages, kvHeads, headDim, PAGE)
  private final List<float[]> values = new ArrayList<>(); // L of (pages, kvHeads, PAGE, headDim)

  /// Takes the memory of all pages at once.
  ///
  /// @param layers how many layers the model has
  /// @param layout whose key-value heads are kept
  /// @param pages how many pages there are
  public KeyValuePages(int layers, HeadLayout layout, int pages) {
    this.layers = layers;
    this.kvHeads = layout.kvHeads();
    this.headDim = layout.headDim();
    this.pages = pages;
    long floats = (long) pages * layout.keyCols() * PAGE;
    if (layers < 1 || pages < 1 || floats > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "A pool has at least one layer and page, and at most 2^31 floats a layer, unlike %d layers of %d pages of %d floats."
              .formatted(layers, pages, layout.keyCols() * PAGE));
    }
    for (int layer = 0; layer < layers; layer++) {
      keys.add(new float[(int) floats]);
      values.add(new float[(int) floats]);
    }
  }

  /// The memory that a pool of so many pages takes.
  public static long bytes(int layers, HeadLayout layout, int pages) {
    return 2L * layers * pages * layout.keyCols() * PAGE * Float.BYTES;
  }

  /// How many pages hold so many positions.
  public static int pagesFor(int positions) {
    return (positions + PAGE - 1) / PAGE;
  }

  /// How many layers a page spans.
  public int layers() {
    return layers;
  }

  /// The number of key-value heads.
  public int kvHeads() {
    return kvHeads;
  }

  /// The length of one head.
  public int headDim() {
    return headDim;
  }

  /// How many pages there are.
  public int pages() {
    return pages;
  }

  /// The keys of a layer, all pages: `(pages, kvHeads, headDim, PAGE)`; what is written to the
  /// array is written to the pages.
  public float[] keys(int layer) {
    return keys.get(layer);
  }

  /// The values of a layer, all pages: `(pages, kvHeads, PAGE, headDim)`; what is written to the
  /// array is written to the pages.
  public float[] values(int layer) {
    return values.get(layer);
  }

  /// Where in [#keys] and in [#values] the `headDim * PAGE` floats of one head in one page begin.
  public int at(int page, int kvHead) {
    return (page * kvHeads + kvHead) * headDim * PAGE;
  }
}
