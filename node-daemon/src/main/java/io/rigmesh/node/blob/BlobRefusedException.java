package io.rigmesh.node.blob;

import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;

/// Bytes that were handed in are not what they should be, or bytes that were asked for are not
/// here: the asker's fault.
public final class BlobRefusedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final RefusalCode code;

  /// What is wrong and what would help.
  public BlobRefusedException(RefusalCode code, String message) {
    super(message);
    this.code = code;
  }

  /// Why, for whoever asked.
  public Refusal refusal() {
    return new Refusal(code, String.valueOf(getMessage()));
  }
}
