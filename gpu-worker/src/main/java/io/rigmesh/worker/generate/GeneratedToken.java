package io.rigmesh.worker.generate;

import io.rigmesh.worker.tensor.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/// One generated token and the evidence for it.
///
/// @param index 0 for the first token after the prompt
/// @param position the token's absolute position: the prompt's length plus `index`
/// @param tokenId the token
/// @param hiddenState the last hidden state that the token was chosen from: the row of position
///   `position - 1` after the final norm, D numbers; a copy that belongs to the receiver
public record GeneratedToken(int index, int position, int tokenId, Tensor hiddenState) {
  /// The bytes of [#hiddenState], little-endian, as commitments hash them.
  public byte[] hiddenStateBytes() {
    ByteBuffer bytes =
        ByteBuffer.allocate(hiddenState.size() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(hiddenState.toArray());
    return bytes.array();
  }
}
