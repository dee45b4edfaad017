package io.rigmesh.worker.task;

import io.rigmesh.worker.kernels.Kernels;
import java.util.concurrent.CancellationException;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// What every kind of job runs with.
///
/// @param kernels what computes
/// @param shelf the language model that the device holds
/// @param events gets what happens
/// @param wanted what is wanted of it
/// @param allowance how many tokens it may use
record RunContext(
    Kernels kernels,
    ModelShelf shelf,
    Consumer<RunEvent> events,
    Supplier<Wanted> wanted,
    Allowance allowance) {
  /// Whether the job shall end with what it has.
  boolean isConcluded() {
    return wanted.get() == Wanted.CONCLUDED;
  }

  /// Ends the job without a result if someone wants it ended; asked before every step.
  ///
  /// @throws CancellationException then
  void refuseIfCancelled() {
    if (wanted.get() != Wanted.WHOLE) {
      throw new CancellationException("The job was cancelled.");
    }
  }

  void send(RunEvent event) {
    events.accept(event);
  }
}
