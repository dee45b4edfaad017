package io.rigmesh.node.blob;

/// The blob folder cannot be read or written: this machine's fault, such as a full disk.
public final class BlobException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// What failed and what would help.
  public BlobException(String message, Throwable cause) {
    super(message, cause);
  }
}
