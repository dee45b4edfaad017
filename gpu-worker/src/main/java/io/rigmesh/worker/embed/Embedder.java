package io.rigmesh.worker.embed;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.bert.BertEncoder;
import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.tensor.Tensor;
import io.rigmesh.worker.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// Sentences to vectors, by the model of a sentence-transformers style folder with a BERT encoder.
///
/// A sentence's vector is the same bits alone and in any company. Texts longer than the folder's
/// `max_seq_length` are cut to it, as sentence-transformers does. Not safe for use by several
/// threads; the kernels stay the caller's to close.
public final class Embedder implements AutoCloseable {

  /// Tokens of one pass: enough to keep the matrix product busy, few enough for the activations to
  /// stay in the cache.
  private static final int PASS_TOKENS = 512;

  /// The least length that a vector is divided by, as sentence-transformers has it.
  private static final float NORM_MIN = 1e-12f;

  private final EmbeddingConfig config;
  private final Tokenizer tokenizer;
  private final BertEncoder encoder;
  private final Kernels kernels;

  private Embedder(
      EmbeddingConfig config, Tokenizer tokenizer, BertEncoder encoder, Kernels kernels) {
    this.config = config;
    this.tokenizer = tokenizer;
    this.encoder = encoder;
    this.kernels = kernels;
  }

  /// Loads a folder's model.
  ///
  /// @param profile what the linear layers compute in
  /// @throws io.rigmesh.worker.format.ModelFormatException when a file is missing or malformed, or
  ///   the tokenizer knows tokens that the encoder does not
  public static Embedder open(Path path, Kernels kernels, Profile profile) {
    BertEncoder encoder;
    EmbeddingConfig config;
    JsonField vocabularySize;
    try (ModelFolder folder = ModelFolder.open(path)) {
      config = EmbeddingConfig.read(path, BertConfig.read(folder.config()).positionsMax());
      encoder =
          BertEncoder.load(folder, kernels, profile, Math.max(PASS_TOKENS, config.tokensMax()));
      vocabularySize = folder.config().member("vocab_size");
    }
    Tokenizer tokenizer =
        Tokenizer.openTruncating(path.resolve("tokenizer.json"), config.tokensMax());
    if (tokenizer.vocabularySize() > encoder.config().vocabularySize()) {
      int tokens = tokenizer.vocabularySize();
      tokenizer.close();
      throw vocabularySize.unfit("is less than the " + tokens + " tokens of tokenizer.json");
    }
    return new Embedder(config, tokenizer, encoder, kernels);
  }

  /// What the folder says on pooling, normalisation and length.
  public EmbeddingConfig config() {
    return config;
  }

  /// The length of the vectors.
  public int dimensions() {
    return encoder.config().hiddenSize();
  }

  /// The tokens that stand for a text: special ones included, cut to the model's length.
  public int[] tokens(String text) {
    return tokenizer.encode(text, true);
  }

  /// The vectors of texts, in their order.
  public List<float[]> embed(List<String> texts) {
    List<int[]> sequences = new ArrayList<>(texts.size());
    for (String text : texts) {
      sequences.add(tokens(text));
    }
    return embedTokens(sequences);
  }

  /// The vectors of token sequences, as [#tokens] gives them.
  ///
  /// @throws IllegalArgumentException when a sequence is empty, longer than
  ///   [EmbeddingConfig#tokensMax()], or has a token that is not in the vocabulary
  public List<float[]> embedTokens(List<int[]> sequences) {
    List<float[]> vectors = new ArrayList<>(sequences.size());
    int from = 0;
    while (from < sequences.size()) {
      int tokens = sequences.get(from).length;
      int to = from + 1;
      while (to < sequences.size() && tokens + sequences.get(to).length <= encoder.rowsMax()) {
        tokens += sequences.get(to).length;
        to++;
      }
      embedPass(sequences.subList(from, to), tokens, vectors);
      from = to;
    }
    return vectors;
  }

  private void embedPass(List<int[]> sequences, int tokens, List<float[]> vectors) {
    int[] ids = new int[tokens];
    int[] lengths = new int[sequences.size()];
    int filled = 0;
    for (int i = 0; i < lengths.length; i++) {
      int[] sequence = sequences.get(i);
      if (sequence.length > config.tokensMax()) {
        throw new IllegalArgumentException(
            "a sequence has " + sequence.length + " tokens, at most " + config.tokensMax());
      }
      System.arraycopy(sequence, 0, ids, filled, sequence.length);
      lengths[i] = sequence.length;
      filled += sequence.length;
    }
    Tensor hidden = encoder.encode(ids, lengths);
    int row = 0;
    for (int length : lengths) {
      float[] vector =
          switch (config.pooling()) {
            case MEAN -> mean(hidden, row, length);
            case CLS -> hidden.rows(row, row + 1).toArray();
          };
      if (config.normalized()) {
        normalize(vector);
      }
      kernels.checkFinite("embedding", Tensor.of(vector, vector.length));
      vectors.add(vector);
      row += length;
    }
  }

  /// The mean of rows: an ascending sum from the first row, then one division by their number.
  private static float[] mean(Tensor hidden, int row, int rows) {
    int columns = hidden.cols();
    float[] data = hidden.data();
    float[] mean = hidden.rows(row, row + 1).toArray();
    for (int r = row + 1; r < row + rows; r++) {
      int start = hidden.offset() + r * columns;
      for (int c = 0; c < columns; c++) {
        mean[c] += data[start + c];
      }
    }
    for (int c = 0; c < columns; c++) {
      mean[c] /= rows;
    }
    return mean;
  }

  /// Divides by the square root of the lane sum of squares.
  private void normalize(float[] vector) {
    float norm =
        Math.max(
            NORM_MIN,
            (float) Math.sqrt(kernels.laneSumOfSquares(Tensor.of(vector, vector.length))));
    for (int i = 0; i < vector.length; i++) {
      vector[i] /= norm;
    }
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
