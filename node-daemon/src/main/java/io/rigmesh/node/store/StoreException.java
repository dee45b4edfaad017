package io.rigmesh.node.store;

/// The database cannot be opened, or holds what cannot be. The message names the file.
public final class StoreException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// What is wrong and what would help.
  public StoreException(String message) {
    super(message);
  }

  /// What is wrong and what would help, and what showed it.
  public StoreException(String message, Throwable cause) {
    super(message, cause);
  }
}
