package io.rigmesh.worker.conformance;

import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// What an operation gave, in the order of docs/conformance.md.
final class OpResults {
  private static final int BEGINS_MAX = 4;

  private final Digest digest = new Digest();
  private final List<String> begins = new ArrayList<>();

  OpResults add(Tensor tensor) {
    digest.floats(tensor);
    for (int i = 0; i < tensor.size() && begins.size() < BEGINS_MAX; i++) {
      begins.add("%08x".formatted(Float.floatToRawIntBits(tensor.get(i))));
    }
    return this;
  }

  OpResults add(float value) {
    return add(Tensor.of(new float[] {value}, 1));
  }

  OpResults add(int[] values) {
    digest.integers(values);
    for (int i = 0; i < values.length && begins.size() < BEGINS_MAX; i++) {
      begins.add("%08x".formatted(values[i]));
    }
    return this;
  }

  OpResults add(byte[] values) {
    digest.bytes(values);
    return this;
  }

  String sha256() {
    return digest.hex();
  }

  List<String> begins() {
    return List.copyOf(begins);
  }
}
