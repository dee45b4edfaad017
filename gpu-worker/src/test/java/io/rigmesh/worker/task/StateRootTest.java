package io.rigmesh.worker.task;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MerkleTree;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.tensor.Tensor;
import io.rigmesh.worker.train.TrainingState;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class StateRootTest {
  /// Its embedding has more than one tile and ends within one.
  private static final LlamaConfig CONFIG =
      new LlamaConfig(
          700, 40, 1, 2, 1, 20, 24, 16, 10_000.0, 1e-5f, true, OptionalInt.empty(), List.of());

  @Test
  void theRootIsTheMerkleRootOfTheTilesAsThePageSays() {
    TrainingState state = TrainingState.initial(CONFIG, 3);
    state.moment1().embedding().set(5, 0.25f);
    List<Hash> leaves = new ArrayList<>();
    for (Tensor tensor : state.tensors().values()) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      for (float value : tensor.toArray()) {
        int bits = Float.floatToRawIntBits(value);
        for (int shift = 0; shift < 32; shift += 8) {
          bytes.write(bits >> shift);
        }
      }
      byte[] all = bytes.toByteArray();
      for (int from = 0; from < all.length; from += 65_536) {
        leaves.add(
            MerkleTree.leaf(Arrays.copyOfRange(all, from, Math.min(all.length, from + 65_536))));
      }
    }
    assertThat(StateRoot.of(state)).isEqualTo(MerkleTree.root(leaves));
    assertThat(leaves).hasSizeGreaterThan(state.tensors().size());
  }

  @Test
  void everyTensorCounts() {
    TrainingState state = TrainingState.initial(CONFIG, 3);
    Hash before = StateRoot.of(state);
    for (Tensor tensor : state.tensors().values()) {
      int last = tensor.size() - 1;
      float value = tensor.get(last);
      tensor.set(last, Float.intBitsToFloat(Float.floatToRawIntBits(value) ^ 1));
      assertThat(StateRoot.of(state)).isNotEqualTo(before);
      tensor.set(last, value);
    }
    assertThat(StateRoot.of(state)).isEqualTo(before);
  }
}
