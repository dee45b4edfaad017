package io.rigmesh.worker.conformance;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.bert.BertWeights;
import io.rigmesh.worker.kernels.AttentionSpan;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/// A text through a BERT encoder with the scalar reference and nothing of the runners, as
/// docs/numerics.md has it: what the golden rows and vectors come from.
final class ReferenceBert {
  private final Kernels kernels = new ScalarKernels();
  private final BertWeights weights;
  private final BertConfig config;
  private final Profile profile;

  ReferenceBert(BertWeights weights, Profile profile) {
    this.weights = weights;
    this.config = weights.config();
    this.profile = profile;
  }

  /// The hashes of every row and of the text's vectors.
  BertVectors.Golden golden(List<Integer> tokens) {
    Tensor states = states(tokens);
    List<String> rows = new ArrayList<>();
    for (int row = 0; row < tokens.size(); row++) {
      rows.add(BertVectors.hash(states.rows(row, row + 1)));
    }
    return new BertVectors.Golden(
        rows,
        BertVectors.ways().stream().map(way -> BertVectors.hash(vector(states, way))).toList());
  }

  private Tensor states(List<Integer> tokens) {
    int rows = tokens.size();
    Tensor words = Tensor.zeros(rows, config.hiddenSize());
    Tensor places = Tensor.zeros(rows, config.hiddenSize());
    kernels.embedding(weights.words().read(), tokens.stream().mapToInt(i -> i).toArray(), words);
    kernels.embedding(weights.positions().read(), IntStream.range(0, rows).toArray(), places);
    Tensor typeZero = weights.types().read().rows(0, 1).reshape(config.hiddenSize());
    kernels.addBias(words, typeZero, words);
    kernels.add(words, places, words);
    Tensor x = norm(words, weights.embeddingNorm());
    for (BertWeights.Layer layer : weights.layers()) {
      Tensor mixed = Tensor.zeros(rows, config.hiddenSize());
      kernels.attention(
          linear(x, layer.query()),
          linear(x, layer.key()),
          linear(x, layer.value()),
          config.headLayout(),
          List.of(AttentionSpan.bidirectional(0, rows, rows)),
          mixed);
      Tensor attended = linear(mixed, layer.attentionOutput());
      kernels.add(attended, x, attended);
      x = norm(attended, layer.attentionNorm());
      Tensor inner = linear(x, layer.intermediate());
      kernels.gelu(inner, inner);
      Tensor fed = linear(inner, layer.output());
      kernels.add(fed, x, fed);
      x = norm(fed, layer.outputNorm());
    }
    return x;
  }

  private Tensor linear(Tensor x, BertWeights.Linear layer) {
    Tensor y = Tensor.zeros(x.rowCount(), layer.weight().shape().getFirst());
    kernels.linear(x, kernels.pack(layer.weight().read(), profile), layer.bias().read(), y);
    return y;
  }

  private Tensor norm(Tensor x, BertWeights.Norm norm) {
    Tensor y = Tensor.zeros(x.shape());
    kernels.layerNorm(x, norm.gain().read(), norm.bias().read(), config.layerNormEpsilon(), y);
    return y;
  }

  private Tensor vector(Tensor states, BertVectors.Way way) {
    int rows = states.rowCount();
    Tensor vector =
        switch (way.pooling()) {
          case MEAN -> states.rows(0, 1).copy();
          case CLS -> states.rows(0, 1).copy();
          case LAST_TOKEN -> states.rows(rows - 1, rows).copy();
        };
    for (int c = 0; c < vector.size(); c++) {
      float value = vector.get(c);
      if (way.pooling() == io.rigmesh.worker.embed.Pooling.MEAN) {
        for (int row = 1; row < rows; row++) {
          value += states.get(row, c);
        }
        vector.set(c, value / rows);
      }
    }
    if (way.normalized()) {
      float length = Math.max(1e-12f, (float) Math.sqrt(kernels.laneSumOfSquares(vector)));
      for (int c = 0; c < vector.size(); c++) {
        vector.set(c, vector.get(c) / length);
      }
    }
    return vector;
  }
}
