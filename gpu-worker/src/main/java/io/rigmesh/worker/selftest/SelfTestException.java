package io.rigmesh.worker.selftest;

/// A device did not do what it said, or cannot do what it is asked; the message says what is wrong.
public final class SelfTestException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// Says what is wrong.
  public SelfTestException(String message) {
    super(message);
  }
}
