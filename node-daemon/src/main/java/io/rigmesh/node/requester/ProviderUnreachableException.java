package io.rigmesh.node.requester;

/// The provider cannot be reached, or is too busy to answer; what was asked of it may or may not
/// have happened. Trying again later is safe.
public final class ProviderUnreachableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// What was tried and what happened.
  public ProviderUnreachableException(String message) {
    super(message);
  }

  /// What was tried and what happened.
  public ProviderUnreachableException(String message, Throwable cause) {
    super(message, cause);
  }
}
