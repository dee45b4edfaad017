package io.rigmesh.worker.selftest;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Map;

/// What a device shows of its work.
///
/// @param words the words of memory that were asked for
/// @param products the whole result of the product of each profile that was asked for
// Compared by the verifier alone, element by element.
@SuppressWarnings("ArrayRecordComponent")
public record SelfTestAnswer(int[] words, Map<Profile, Tensor> products) {
  /// Copies the map.
  public SelfTestAnswer {
    products = Map.copyOf(products);
  }
}
