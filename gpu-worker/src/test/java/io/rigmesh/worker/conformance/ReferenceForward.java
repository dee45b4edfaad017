package io.rigmesh.worker.conformance;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.format.ModelWeight;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.KeyValuePages;
import io.rigmesh.worker.kernels.PagedSpan;
import io.rigmesh.worker.kernels.RopeTable;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaWeights;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/// A whole text through a model in one pass, with the scalar reference and nothing of the step
/// runners: what the golden rows come from.
final class ReferenceForward {
  private final Kernels kernels = new ScalarKernels();
  private final LlamaWeights weights;
  private final LlamaConfig config;
  private final Profile profile;

  ReferenceForward(LlamaWeights weights, Profile profile) {
    this.weights = weights;
    this.config = weights.config();
    this.profile = profile;
  }

  /// The hash of every row.
  List<String> rows(List<Integer> tokens) {
    int rows = tokens.size();
    int[] positions = IntStream.range(0, rows).toArray();
    int[] table = IntStream.range(0, KeyValuePages.pagesFor(rows)).toArray();
    List<PagedSpan> spans = List.of(new PagedSpan(0, rows, 0, table));
    KeyValuePages pages = new KeyValuePages(config.layers(), config.headLayout(), table.length);
    RopeTable rope = config.ropeTable(rows);
    Tensor x = Tensor.zeros(rows, config.hiddenSize());
    kernels.embedding(weights.embedding().read(), tokens.stream().mapToInt(i -> i).toArray(), x);
    for (int index = 0; index < config.layers(); index++) {
      LlamaWeights.Layer layer = weights.layers().get(index);
      Tensor h = norm(x, layer.attentionNorm());
      Tensor q = headNorms(linear(h, layer.query(), layer.queryBias()), layer.queryNorm());
      Tensor k = headNorms(linear(h, layer.key(), layer.keyBias()), layer.keyNorm());
      Tensor v = linear(h, layer.value(), layer.valueBias());
      if (config.layerAttention().get(index).rotary()) {
        kernels.rope(q, positions, rope, q);
        kernels.rope(k, positions, rope, k);
      }
      kernels.storeKeys(k, pages, index, spans);
      kernels.storeValues(v, pages, index, spans);
      Tensor mixed = Tensor.zeros(rows, config.queryCols());
      kernels.attention(
          q,
          pages,
          index,
          config.headLayout(),
          spans,
          config.layerAttention().get(index).window(),
          mixed);
      kernels.add(x, linear(mixed, layer.output(), layer.outputBias()), x);
      Tensor f = norm(x, layer.feedForwardNorm());
      Tensor gate = linear(f, layer.gate(), Optional.empty());
      kernels.swiglu(gate, linear(f, layer.up(), Optional.empty()), gate);
      kernels.add(x, linear(gate, layer.down(), Optional.empty()), x);
    }
    Tensor hidden = norm(x, weights.finalNorm());
    Tensor logits = linear(hidden, weights.head(), Optional.empty());
    List<String> hashes = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      hashes.add(StepVectors.rowHash(hidden.rows(row, row + 1), logits.rows(row, row + 1)));
    }
    return hashes;
  }

  private Tensor norm(Tensor x, ModelWeight gain) {
    Tensor y = Tensor.zeros(x.shape());
    kernels.rmsNorm(x, gain.read(), config.normEpsilon(), y);
    return y;
  }

  private Tensor headNorms(Tensor x, Optional<ModelWeight> gain) {
    if (gain.isEmpty()) {
      return x;
    }
    return norm(x.reshape(x.size() / config.headDim(), config.headDim()), gain.get())
        .reshape(x.shape());
  }

  private Tensor linear(Tensor x, ModelWeight weight, Optional<ModelWeight> bias) {
    Tensor y = Tensor.zeros(x.rowCount(), weight.shape().getFirst());
    if (bias.isPresent()) {
      kernels.linear(x, kernels.pack(weight.read(), profile), bias.get().read(), y);
    } else {
      kernels.linear(x, kernels.pack(weight.read(), profile), y);
    }
    return y;
  }
}
