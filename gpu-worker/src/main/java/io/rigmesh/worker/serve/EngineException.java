package io.rigmesh.worker.serve;

/// An engine does not take a sequence, or lost it.
public final class EngineException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final Reason reason;

  /// Why.
  public enum Reason {
    /// Too many wait already; later there is room.
    BUSY,
    /// It can never fit into the pages of this engine.
    TOO_LONG,
    /// The engine is closed, or its device failed.
    CLOSED
  }

  EngineException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  EngineException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  /// Why.
  public Reason reason() {
    return reason;
  }
}
