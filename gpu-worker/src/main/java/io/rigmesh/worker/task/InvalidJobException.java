package io.rigmesh.worker.task;

/// A job, its model or its input cannot be run as they are; running them again fails again. The
/// message says which and what would be right.
public final class InvalidJobException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// Says why.
  public InvalidJobException(String message) {
    super(message);
  }

  /// Says why, and what was thrown.
  public InvalidJobException(String message, Throwable cause) {
    super(message, cause);
  }
}
