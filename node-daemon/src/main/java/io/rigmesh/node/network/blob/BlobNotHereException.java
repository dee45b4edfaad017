package io.rigmesh.node.network.blob;

/// A peer does not hand out a blob that was asked for.
public final class BlobNotHereException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean passing;

  /// @param passing whether asking again later may help
  BlobNotHereException(boolean passing, String message) {
    super(message);
    this.passing = passing;
  }

  /// Whether asking again later may help.
  public boolean isPassing() {
    return passing;
  }
}
