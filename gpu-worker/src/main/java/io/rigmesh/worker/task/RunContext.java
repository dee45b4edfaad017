package io.rigmesh.worker.task;

import io.rigmesh.worker.kernels.Kernels;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// What every kind of job runs with.
///
/// @param kernels what computes
/// @param shelf the language model that the device holds
/// @param events gets what happens
/// @param cancelled whether someone wants no more of it
record RunContext(
    Kernels kernels, ModelShelf shelf, Consumer<RunEvent> events, BooleanSupplier cancelled) {
  /// Ends the job if someone wants that; asked before every step.
  ///
  /// @throws CancellationException then
  void refuseIfCancelled() {
    if (cancelled.getAsBoolean()) {
      throw new CancellationException("The job was cancelled.");
    }
  }

  void send(RunEvent event) {
    events.accept(event);
  }
}
