package io.rigmesh.worker.task;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MerkleTree;
import io.rigmesh.worker.tensor.Tensor;
import io.rigmesh.worker.train.TrainingState;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// The commitment to a training state: the Merkle root over tiles of 64 KiB of all its tensors.
///
/// The tensors come in the order of [TrainingState#tensors]: all parameters, all first moments, all
/// second moments. Each tensor is cut on its own, row-major, binary32 little-endian; its last tile
/// may be shorter. A leaf is one tile's bytes.
public final class StateRoot {
  /// Bytes of a tile, but for a tensor's last.
  public static final int TILE_BYTES = 64 << 10;

  private static final int TILE_FLOATS = TILE_BYTES / Float.BYTES;

  private StateRoot() {}

  /// The root of a state.
  public static Hash of(TrainingState state) {
    List<Hash> leaves = new ArrayList<>();
    for (Tensor tensor : state.tensors().values()) {
      for (int from = 0; from < tensor.size(); from += TILE_FLOATS) {
        int floats = Math.min(TILE_FLOATS, tensor.size() - from);
        ByteBuffer tile = ByteBuffer.allocate(floats * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        tile.asFloatBuffer().put(tensor.data(), tensor.offset() + from, floats);
        leaves.add(MerkleTree.leaf(tile.array()));
      }
    }
    return MerkleTree.root(leaves);
  }
}
