package io.rigmesh.worker.bert;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.AttentionSpan;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.PackedWeight;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;

/// One encoder layer: self-attention and a feed-forward network, each followed by the residual and
/// a norm.
final class BertLayer {

  /// A linear layer: weight `(out, in)`, bias `(out)`.
  private record Linear(PackedWeight weight, Tensor bias) {
    void apply(Kernels kernels, Tensor x, Tensor y) {
      kernels.linear(x, weight, bias, y);
    }
  }

  private final Kernels kernels;
  private final HeadLayout heads;
  private final float epsilon;
  private final Linear query;
  private final Linear key;
  private final Linear value;
  private final Linear attentionOutput;
  private final BertNorm attentionNorm;
  private final Linear intermediate;
  private final Linear output;
  private final BertNorm outputNorm;

  BertLayer(BertWeights weights, int layer, Kernels kernels, Profile profile) {
    BertConfig config = weights.config();
    this.kernels = kernels;
    this.heads =
        new HeadLayout(config.heads(), config.heads(), config.hiddenSize() / config.heads());
    this.epsilon = config.layerNormEpsilon();
    this.query = linear(weights, layer, BertTensors.QUERY, profile);
    this.key = linear(weights, layer, BertTensors.KEY, profile);
    this.value = linear(weights, layer, BertTensors.VALUE, profile);
    this.attentionOutput = linear(weights, layer, BertTensors.ATTENTION_OUTPUT, profile);
    this.attentionNorm =
        BertNorm.load(weights, BertTensors.layer(layer, BertTensors.ATTENTION_NORM));
    this.intermediate = linear(weights, layer, BertTensors.INTERMEDIATE, profile);
    this.output = linear(weights, layer, BertTensors.OUTPUT, profile);
    this.outputNorm = BertNorm.load(weights, BertTensors.layer(layer, BertTensors.OUTPUT_NORM));
  }

  private Linear linear(BertWeights weights, int layer, String part, Profile profile) {
    String name = BertTensors.layer(layer, part);
    return new Linear(
        kernels.pack(weights.tensor(name + ".weight"), profile), weights.tensor(name + ".bias"));
  }

  /// Replaces the tokens' vectors x `(T, hidden)` by those of the next layer.
  void apply(Tensor x, List<AttentionSpan> spans, BertWorkspace.Rows rows) {
    query.apply(kernels, x, rows.query());
    key.apply(kernels, x, rows.key());
    value.apply(kernels, x, rows.value());
    kernels.attention(rows.query(), rows.key(), rows.value(), heads, spans, rows.context());
    attentionOutput.apply(kernels, rows.context(), rows.query());
    kernels.add(rows.query(), x, x);
    attentionNorm.apply(kernels, x, epsilon);

    intermediate.apply(kernels, x, rows.intermediate());
    kernels.gelu(rows.intermediate(), rows.intermediate());
    output.apply(kernels, rows.intermediate(), rows.query());
    kernels.add(rows.query(), x, x);
    outputNorm.apply(kernels, x, epsilon);
  }
}
