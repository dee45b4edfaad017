package io.rigmesh.worker.bert;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.kernels.AttentionSpan;
import io.rigmesh.worker.kernels.HeadLayout;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.PackedWeight;
import io.rigmesh.worker.kernels.Projection;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;
import java.util.Optional;

/// One encoder layer: self-attention and a feed-forward network, each followed by the residual and
/// a norm.
final class BertLayer {

  /// A linear layer: weight `(out, in)`, bias `(out)`.
  private record Linear(PackedWeight weight, Tensor bias) {
    Projection to(Tensor y) {
      return new Projection(weight, Optional.of(bias), y);
    }

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

  BertLayer(BertConfig config, BertWeights.Layer weights, Kernels kernels, Profile profile) {
    this.kernels = kernels;
    this.heads = config.headLayout();
    this.epsilon = config.layerNormEpsilon();
    this.query = linear(weights.query(), profile);
    this.key = linear(weights.key(), profile);
    this.value = linear(weights.value(), profile);
    this.attentionOutput = linear(weights.attentionOutput(), profile);
    this.attentionNorm = BertNorm.of(weights.attentionNorm());
    this.intermediate = linear(weights.intermediate(), profile);
    this.output = linear(weights.output(), profile);
    this.outputNorm = BertNorm.of(weights.outputNorm());
  }

  private Linear linear(BertWeights.Linear layer, Profile profile) {
    return new Linear(kernels.pack(layer.weight().read(), profile), layer.bias().read());
  }

  /// Replaces the tokens' vectors x `(T, hidden)` by those of the next layer.
  void apply(Tensor x, List<AttentionSpan> spans, BertWorkspace.Rows rows) {
    kernels.linear(x, List.of(query.to(rows.query()), key.to(rows.key()), value.to(rows.value())));
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
