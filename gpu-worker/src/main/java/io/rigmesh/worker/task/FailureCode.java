package io.rigmesh.worker.task;

/// Why a job ended without a result.
public enum FailureCode {
  /// Someone asked for it.
  CANCELLED,
  /// The job, its model or its input cannot be run; running it again fails again.
  INVALID_INPUT,
  /// It needs more memory than the worker has; the worker's process ends after saying so.
  OUT_OF_MEMORY,
  /// A fault of the worker or its machine.
  INTERNAL
}
