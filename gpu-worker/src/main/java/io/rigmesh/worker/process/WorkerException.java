package io.rigmesh.worker.process;

/// Talking to a worker failed: it is busy, cannot be reached, or was lost. A lost worker may have
/// gone on with the job for a while; its work folder tells how far, to the next run.
public final class WorkerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// What kind of failure.
  public enum Reason {
    /// It runs another job.
    BUSY,
    /// The connection was refused or broke off; the process is gone or was never there.
    LOST,
    /// It did not answer in time.
    TIMED_OUT,
    /// It answered something that cannot be.
    FAULTY
  }

  private final Reason reason;

  /// Says why.
  public WorkerException(Reason reason, String message) {
    super(message);
    this.reason = reason;
  }

  /// Says why, and what was thrown.
  public WorkerException(Reason reason, String message, Throwable cause) {
    super(message, cause);
    this.reason = reason;
  }

  /// What kind of failure.
  public Reason reason() {
    return reason;
  }
}
