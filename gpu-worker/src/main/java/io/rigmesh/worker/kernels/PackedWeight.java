package io.rigmesh.worker.kernels;

import io.rigmesh.protocol.Profile;

/// The weight of a linear layer, shape `(out, in)`, in the layout that one backend multiplies
/// fastest with, and in the profile that its products follow.
///
/// Made by [Kernels#pack] and used only with the instance that made it. It is a copy: later changes
/// of the tensor do not reach it. Immutable, so threads may share it.
public interface PackedWeight {
  /// The length of an input row, the K over which the products are summed.
  int in();

  /// The length of an output row.
  int out();

  /// The profile that [Kernels#linear] follows with this weight.
  Profile profile();
}
