package io.rigmesh.worker.task;

import io.rigmesh.worker.kernels.Kernels;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// Runs jobs, one at a time, on one device.
public final class JobEngine {
  private final Kernels kernels;

  /// @param kernels what computes; it stays the caller's to close
  public JobEngine(Kernels kernels) {
    this.kernels = kernels;
  }

  /// Runs a job to its end, whatever that is.
  ///
  /// @param events gets every event but the last, on this thread
  /// @param cancelled asked before every step
  public RunEvent.End run(
      RunRequest request, Consumer<RunEvent> events, BooleanSupplier cancelled) {
    return new RunEvent.Failed(
        FailureCode.INTERNAL, "no task of this kind runs yet on " + kernels.name());
  }
}
