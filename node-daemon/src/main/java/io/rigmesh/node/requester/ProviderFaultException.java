package io.rigmesh.node.requester;

/// The provider answered something that it must not answer. Trying again does not help.
public final class ProviderFaultException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// What was asked and what came.
  public ProviderFaultException(String message) {
    super(message);
  }

  /// What was asked and what came.
  public ProviderFaultException(String message, Throwable cause) {
    super(message, cause);
  }
}
