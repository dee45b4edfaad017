package io.rigmesh.worker.kernels;

import io.rigmesh.worker.tensor.Tensor;
import java.util.Optional;

/// One of several linear layers of the same input x `(T, K)`: y = x · weightᵀ, plus the bias.
///
/// @param weight `(N, K)`
/// @param bias `(N)`, if the layer has one
/// @param y `(T, N)`, which receives the result
public record Projection(PackedWeight weight, Optional<Tensor> bias, Tensor y) {
  /// A layer without bias.
  public Projection(PackedWeight weight, Tensor y) {
    this(weight, Optional.empty(), y);
  }
}
