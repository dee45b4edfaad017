package io.rigmesh.worker.bert;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.tensor.Tensor;

/// The gain and bias of a layer norm, both `(hidden)`.
record BertNorm(Tensor gain, Tensor bias) {

  static BertNorm of(BertWeights.Norm norm) {
    return new BertNorm(norm.gain().read(), norm.bias().read());
  }

  /// Normalises every row of x in place.
  void apply(Kernels kernels, Tensor x, float epsilon) {
    kernels.layerNorm(x, gain, bias, epsilon, x);
  }
}
