package io.rigmesh.worker.kernels.vector;

import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.kernels.PackedWeight;
import io.rigmesh.worker.kernels.Projection;
import io.rigmesh.worker.tensor.Tensor;
import java.util.List;

/// Linear layers of profile i8-v1, in one of the two ways that this CPU may have; the bits are the
/// same.
sealed interface ByteLayers permits NativeByteLayers, VectorByteLayers {
  /// What computes, as it is said in logs and receipts.
  String label();

  /// Quantises a weight `(N, K)` and brings it into this way's layout.
  PackedWeight pack(Tensor weight);

  /// Several layers of one input, whose shapes were checked.
  void multiply(Tensor x, List<Projection> projections);

  /// Refuses rows whose quantisation found NaN or infinity, if `bad`: their scale is NaN.
  static void checkScales(boolean bad, float[] scales, int rows) {
    for (int row = 0; bad && row < rows; row++) {
      NonFiniteException.check("quantise", row, scales[row]);
    }
  }

  /// The bias's elements, or none.
  static float[] bias(Projection projection) {
    return projection.bias().map(Tensor::toArray).orElse(new float[0]);
  }
}
