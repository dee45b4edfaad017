package io.rigmesh.worker.embed;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.serve.Segment;
import io.rigmesh.worker.serve.Step;
import io.rigmesh.worker.serve.StepOutput;
import io.rigmesh.worker.serve.StepRunner;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// A decoder-only model of the Llama family that reads texts forwards, as Qwen3-Embedding does: the
/// vector of a token is its last hidden state, after the final norm. Long texts go through the
/// model in pieces, short ones together.
final class DecoderTokenEncoder implements TokenEncoder {
  private static final int ROWS = 512;
  private static final int PAGES_MIN = 32;

  private final Kernels kernels;
  private final StepRunner runner;
  private final int tokensMax;

  private DecoderTokenEncoder(Kernels kernels, StepRunner runner, int tokensMax) {
    this.kernels = kernels;
    this.runner = runner;
    this.tokensMax = tokensMax;
  }

  /// @param kernels what pools; it stays the caller's to close
  /// @param weights what is packed; it can be closed afterwards
  /// @param tokensMax the longest sequence; memory for its keys and values is taken
  static DecoderTokenEncoder load(
      Kernels kernels, EncoderLoader loader, LlamaWeights weights, Profile profile, int tokensMax) {
    int pages = Math.max(PAGES_MIN, KeyValuePages.pagesFor(tokensMax));
    return new DecoderTokenEncoder(
        kernels, loader.decoder(weights, profile, pages, ROWS), tokensMax);
  }

  @Override
  public int hiddenSize() {
    return runner.config().hiddenSize();
  }

  @Override
  public int vocabularySize() {
    return runner.config().vocabularySize();
  }

  @Override
  public List<float[]> pooled(List<int[]> sequences, Pooling pooling, boolean normalized) {
    List<float[]> vectors = new ArrayList<>(sequences.size());
    int from = 0;
    while (from < sequences.size()) {
      check(sequences.get(from));
      int rows = sequences.get(from).length;
      int pages = KeyValuePages.pagesFor(rows);
      int to = from + 1;
      while (to < sequences.size()) {
        rows += sequences.get(to).length;
        pages += KeyValuePages.pagesFor(sequences.get(to).length);
        if (rows > ROWS || pages > runner.pages()) {
          break;
        }
        check(sequences.get(to));
        to++;
      }
      if (to == from + 1) {
        vectors.add(alone(sequences.get(from), pooling, normalized));
      } else {
        together(sequences.subList(from, to), pooling, normalized, vectors);
      }
      from = to;
    }
    return vectors;
  }

  private void check(int[] sequence) {
    if (sequence.length < 1 || sequence.length > tokensMax) {
      throw new IllegalArgumentException(
          "a sequence has " + sequence.length + " tokens, must have from 1 to " + tokensMax);
    }
  }

  private float[] alone(int[] sequence, Pooling pooling, boolean normalized) {
    int[] table = pages(0, KeyValuePages.pagesFor(sequence.length));
    Pool pool = new Pool(kernels, pooling, normalized);
    for (int from = 0; from < sequence.length; from += ROWS) {
      int rows = Math.min(ROWS, sequence.length - from);
      int outputs = pooling != Pooling.LAST_TOKEN ? rows : from + rows == sequence.length ? 1 : 0;
      int[] ids = new int[rows];
      System.arraycopy(sequence, from, ids, 0, rows);
      StepOutput output =
          runner.run(new Step(ids, List.of(new Segment(0, rows, from, table, outputs))));
      if (outputs > 0) {
        pool.add(output.hidden());
      }
    }
    return pool.vector();
  }

  private void together(
      List<int[]> sequences, Pooling pooling, boolean normalized, List<float[]> vectors) {
    List<Segment> segments = new ArrayList<>();
    int rows = sequences.stream().mapToInt(sequence -> sequence.length).sum();
    int[] ids = new int[rows];
    int row = 0;
    int page = 0;
    for (int[] sequence : sequences) {
      int pages = KeyValuePages.pagesFor(sequence.length);
      System.arraycopy(sequence, 0, ids, row, sequence.length);
      segments.add(
          new Segment(
              row,
              sequence.length,
              0,
              pages(page, pages),
              pooling == Pooling.LAST_TOKEN ? 1 : sequence.length));
      row += sequence.length;
      page += pages;
    }
    Tensor hidden = runner.run(new Step(ids, segments)).hidden();
    int output = 0;
    for (Segment segment : segments) {
      Pool pool = new Pool(kernels, pooling, normalized);
      pool.add(hidden.rows(output, output + segment.outputRows()));
      vectors.add(pool.vector());
      output += segment.outputRows();
    }
  }

  private static int[] pages(int first, int count) {
    int[] pages = new int[count];
    for (int i = 0; i < count; i++) {
      pages[i] = first + i;
    }
    return pages;
  }

  @Override
  public void close() {
    runner.close();
  }
}
