package io.rigmesh.worker.llama;

import io.rigmesh.worker.kernels.AttentionSpan;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// The mean cross entropy of a batch of equally long sequences, and its gradient for every
/// parameter, written by hand.
///
/// With B sequences of T tokens, R = B * T rows; row b * T + t is token t of sequence b. The
/// forward pass keeps, for each layer, what its backward pass cannot recompute cheaply; norms and
/// the SwiGLU product are computed a second time, which gives the same bits. All memory is taken by
/// the constructor ([#bytes]) and reused by every call. Serves one thread at a time.
public final class LlamaLoss {
  /// A target that counts for nothing; no batch here has one.
  private static final int NO_TARGET = -1;

  private final Kernels kernels;
  private final LlamaConfig config;
  private final HeadLayout layout;
  private final RopeTable rope;
  private final int rows;
  private final int[] positions;
  private final List<AttentionSpan> spans;

  private final List<Kept> kept = new ArrayList<>();
  private final Tensor last; // (R, D): the residual after the last block
  private final Tensor logits; // (R, V), then their gradient in the same memory
  private final Tensor normed; // (R, D): scratch for a norm's result, then its gradient
  private final Tensor branch; // (R, D): scratch
  private final Tensor dResidual; // (R, D): the gradient on the residual stream
  private final Tensor product; // (R, F): the SwiGLU product, then its gradient
  private final Tensor dGate; // (R, F)
  private final Tensor dUp; // (R, F)
  private final Tensor dMixed; // (R, heads * headDim)
  private final Tensor dQuery; // (R, heads * headDim)
  private final Tensor dKey; // (R, kvHeads * headDim)
  private final Tensor dValue; // (R, kvHeads * headDim)
  private final Tensor dTable; // (V, D): the embedding's part of a tied table's gradient

  /// What the forward pass of one layer leaves for the backward pass.
  ///
  /// @param input the residual before attention, `(R, D)`
  /// @param query rotated, `(R, heads * headDim)`
  /// @param key rotated, `(R, kvHeads * headDim)`
  /// @param value `(R, kvHeads * headDim)`
  /// @param mixed the result of attention before the output projection, `(R, heads * headDim)`
  /// @param middle the residual between attention and the SwiGLU block, `(R, D)`
  /// @param gate `(R, F)`
  /// @param up `(R, F)`
  private record Kept(
      Tensor input,
      Tensor query,
      Tensor key,
      Tensor value,
      Tensor mixed,
      Tensor middle,
      Tensor gate,
      Tensor up) {}

  /// @param kernels what computes; it stays the caller's to close
  /// @param batch the number of sequences, B
  /// @param length the tokens of each, T, at most the config's positions
  public LlamaLoss(Kernels kernels, LlamaConfig config, int batch, int length) {
    if (length < 1 || length > config.positionsMax() || batch < 1) {
      throw new IllegalArgumentException(
          "A batch has at least one sequence of 1 to %d tokens, unlike batch=%d, length=%d."
              .formatted(config.positionsMax(), batch, length));
    }
    this.kernels = kernels;
    this.config = config;
    this.layout = config.headLayout();
    this.rope = config.ropeTable(length);
    this.rows = Math.multiplyExact(batch, length);
    this.positions = new int[rows];
    List<AttentionSpan> sequences = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      positions[row] = row % length;
      if (positions[row] == 0) {
        sequences.add(AttentionSpan.causal(row, length));
      }
    }
    this.spans = List.copyOf(sequences);

    int width = config.hiddenSize();
    int inner = config.feedForwardSize();
    int queryCols = config.queryCols();
    int keyCols = config.keyCols();
    for (int layer = 0; layer < config.layers(); layer++) {
      kept.add(
          new Kept(
              Tensor.zeros(rows, width),
              Tensor.zeros(rows, queryCols),
              Tensor.zeros(rows, keyCols),
              Tensor.zeros(rows, keyCols),
              Tensor.zeros(rows, queryCols),
              Tensor.zeros(rows, width),
              Tensor.zeros(rows, inner),
              Tensor.zeros(rows, inner)));
    }
    this.last = Tensor.zeros(rows, width);
    this.logits = Tensor.zeros(rows, config.vocabularySize());
    this.normed = Tensor.zeros(rows, width);
    this.branch = Tensor.zeros(rows, width);
    this.dResidual = Tensor.zeros(rows, width);
    this.product = Tensor.zeros(rows, inner);
    this.dGate = Tensor.zeros(rows, inner);
    this.dUp = Tensor.zeros(rows, inner);
    this.dMixed = Tensor.zeros(rows, queryCols);
    this.dQuery = Tensor.zeros(rows, queryCols);
    this.dKey = Tensor.zeros(rows, keyCols);
    this.dValue = Tensor.zeros(rows, keyCols);
    this.dTable = Tensor.zeros(config.vocabularySize(), width);
  }

  /// The memory that a [LlamaLoss] of these sizes takes, parameters and gradients not counted.
  public static long bytes(LlamaConfig config, int batch, int length) {
    long width = config.hiddenSize();
    long inner = config.feedForwardSize();
    long attention = (long) config.queryCols() + config.keyCols();
    long perLayer = 2 * width + 2 * attention + 2 * inner;
    long scratch = 4 * width + 3 * inner + 2 * attention + config.vocabularySize();
    long table = config.vocabularySize() * width;
    return Float.BYTES * ((long) batch * length * (config.layers() * perLayer + scratch) + table);
  }

  /// The mean loss in nats per token of predicting `targets` from `inputs`, both R token ids.
  public float evaluate(LlamaParameters parameters, int[] inputs, int[] targets) {
    forward(parameters, inputs, targets);
    return kernels.crossEntropy(logits, targets, NO_TARGET);
  }

  /// As [#evaluate], and writes the gradient of that mean for every parameter into `gradients`.
  public float gradients(
      LlamaParameters parameters, int[] inputs, int[] targets, LlamaParameters gradients) {
    forward(parameters, inputs, targets);
    float loss = kernels.crossEntropyBackward(logits, targets, NO_TARGET, logits);
    backwardHead(parameters, gradients);
    for (int index = kept.size() - 1; index >= 0; index--) {
      LlamaParameters.Layer layer = parameters.layers().get(index);
      LlamaParameters.Layer gradient = gradients.layers().get(index);
      backwardFeedForward(kept.get(index), layer, gradient);
      backwardAttention(kept.get(index), layer, gradient);
    }
    if (config.tiedHead()) {
      kernels.embeddingGradient(inputs, dResidual, dTable);
      kernels.add(gradients.head(), dTable, gradients.head());
    } else {
      kernels.embeddingGradient(inputs, dResidual, gradients.embedding());
    }
    return loss;
  }

  /// The logits of the last [#evaluate], `(R, V)`; valid until the next call.
  public Tensor logits() {
    return logits;
  }

  private void forward(LlamaParameters parameters, int[] inputs, int[] targets) {
    check(inputs);
    check(targets);
    float epsilon = config.normEpsilon();
    kernels.embedding(parameters.embedding(), inputs, kept.getFirst().input());
    for (int index = 0; index < kept.size(); index++) {
      Kept k = kept.get(index);
      LlamaParameters.Layer layer = parameters.layers().get(index);
      Tensor output = index + 1 < kept.size() ? kept.get(index + 1).input() : last;

      kernels.rmsNorm(k.input(), layer.attentionNorm(), epsilon, normed);
      kernels.linear(normed, layer.query(), k.query());
      kernels.linear(normed, layer.key(), k.key());
      kernels.linear(normed, layer.value(), k.value());
      kernels.rope(k.query(), positions, rope, k.query());
      kernels.rope(k.key(), positions, rope, k.key());
      kernels.attention(k.query(), k.key(), k.value(), layout, spans, k.mixed());
      kernels.linear(k.mixed(), layer.output(), branch);
      kernels.add(k.input(), branch, k.middle());

      kernels.rmsNorm(k.middle(), layer.feedForwardNorm(), epsilon, normed);
      kernels.linear(normed, layer.gate(), k.gate());
      kernels.linear(normed, layer.up(), k.up());
      kernels.swiglu(k.gate(), k.up(), product);
      kernels.linear(product, layer.down(), branch);
      kernels.add(k.middle(), branch, output);
    }
    kernels.rmsNorm(last, parameters.finalNorm(), epsilon, normed);
    kernels.linear(normed, parameters.head(), logits);
  }

  /// From the gradient in [#logits] to the one in [#dResidual]; [#normed] still holds the head's
  /// input.
  private void backwardHead(LlamaParameters parameters, LlamaParameters gradients) {
    kernels.linearWeightGradient(logits, normed, gradients.head());
    kernels.linearInputGradient(logits, parameters.head(), branch);
    kernels.rmsNormBackward(
        last,
        parameters.finalNorm(),
        config.normEpsilon(),
        branch,
        dResidual,
        gradients.finalNorm());
  }

  /// y = x + down(swiglu(gate(h), up(h))) with h = norm(x): adds to [#dResidual], which is dy, what
  /// comes through h.
  private void backwardFeedForward(
      Kept k, LlamaParameters.Layer layer, LlamaParameters.Layer gradient) {
    kernels.swiglu(k.gate(), k.up(), product);
    kernels.linearWeightGradient(dResidual, product, gradient.down());
    kernels.linearInputGradient(dResidual, layer.down(), product);
    kernels.swigluBackward(k.gate(), k.up(), product, dGate, dUp);

    kernels.rmsNorm(k.middle(), layer.feedForwardNorm(), config.normEpsilon(), normed);
    kernels.linearWeightGradient(dGate, normed, gradient.gate());
    kernels.linearWeightGradient(dUp, normed, gradient.up());
    kernels.linearInputGradient(dGate, layer.gate(), normed);
    kernels.linearInputGradient(dUp, layer.up(), branch);
    kernels.add(normed, branch, normed);
    addThroughNorm(k.middle(), layer.feedForwardNorm(), gradient.feedForwardNorm());
  }

  /// y = x + output(attention(rope(query(h)), rope(key(h)), value(h))) with h = norm(x), as the
  /// method above.
  private void backwardAttention(
      Kept k, LlamaParameters.Layer layer, LlamaParameters.Layer gradient) {
    kernels.linearWeightGradient(dResidual, k.mixed(), gradient.output());
    kernels.linearInputGradient(dResidual, layer.output(), dMixed);
    kernels.attentionBackward(
        k.query(), k.key(), k.value(), layout, spans, k.mixed(), dMixed, dQuery, dKey, dValue);
    kernels.ropeBackward(dQuery, positions, rope, dQuery);
    kernels.ropeBackward(dKey, positions, rope, dKey);

    kernels.rmsNorm(k.input(), layer.attentionNorm(), config.normEpsilon(), normed);
    kernels.linearWeightGradient(dQuery, normed, gradient.query());
    kernels.linearWeightGradient(dKey, normed, gradient.key());
    kernels.linearWeightGradient(dValue, normed, gradient.value());
    kernels.linearInputGradient(dQuery, layer.query(), normed);
    kernels.linearInputGradient(dKey, layer.key(), branch);
    kernels.add(normed, branch, normed);
    kernels.linearInputGradient(dValue, layer.value(), branch);
    kernels.add(normed, branch, normed);
    addThroughNorm(k.input(), layer.attentionNorm(), gradient.attentionNorm());
  }

  /// Takes the gradient in [#normed] back through a norm of x and adds it to [#dResidual].
  private void addThroughNorm(Tensor x, Tensor gain, Tensor dGain) {
    kernels.rmsNormBackward(x, gain, config.normEpsilon(), normed, branch, dGain);
    kernels.add(dResidual, branch, dResidual);
  }

  private void check(int[] tokens) {
    if (tokens.length != rows) {
      throw new IllegalArgumentException(
          "A batch here has %d tokens, not %d.".formatted(rows, tokens.length));
    }
    for (int i = 0; i < rows; i++) {
      if (tokens[i] < 0 || tokens[i] >= config.vocabularySize()) {
        throw new IllegalArgumentException(
            "Token %d of the batch is %d, but the vocabulary runs from 0 to %d."
                .formatted(i, tokens[i], config.vocabularySize() - 1));
      }
    }
  }
}
