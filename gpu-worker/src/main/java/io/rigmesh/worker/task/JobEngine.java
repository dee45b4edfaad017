package io.rigmesh.worker.task;

import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.NonFiniteException;
import java.io.UncheckedIOException;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs jobs on one device: generations with the model that it holds beside each other, anything
/// else alone.
public final class JobEngine implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(JobEngine.class);

  private final Kernels kernels;
  private final ModelShelf shelf;

  /// @param kernels what computes; it stays the caller's to close
  /// @param shelf the language model that the device holds; closed with the engine
  public JobEngine(Kernels kernels, ModelShelf shelf) {
    this.kernels = kernels;
    this.shelf = shelf;
  }

  /// An engine on the CPU.
  ///
  /// @param kernels what computes; it stays the caller's to close
  public static JobEngine onCpu(Kernels kernels) {
    return new JobEngine(kernels, ModelShelf.onCpu(kernels));
  }

  /// Runs a job to its end, whatever that is. Generations with one model and profile may run at
  /// once, each on a thread of its own; while anything else runs, nothing else may.
  ///
  /// @param events gets every event but the last, on this thread
  /// @param cancelled asked before every step
  public RunEvent.End run(
      RunRequest request, Consumer<RunEvent> events, BooleanSupplier cancelled) {
    return run(request, events, () -> cancelled.getAsBoolean() ? Wanted.CANCELLED : Wanted.WHOLE);
  }

  /// Runs a job to its end as [#run(RunRequest, Consumer, BooleanSupplier)] does.
  ///
  /// @param wanted asked before every step
  public RunEvent.End run(RunRequest request, Consumer<RunEvent> events, Supplier<Wanted> wanted) {
    return run(request, events, wanted, Allowance.unlimited());
  }

  /// Runs a job to its end as [#run(RunRequest, Consumer, Supplier)] does, no further than it is
  /// allowed: it waits where it has used that, until it is allowed more or not wanted any longer.
  ///
  /// @param allowance how many tokens it may use; a training has no use for it
  public RunEvent.End run(
      RunRequest request, Consumer<RunEvent> events, Supplier<Wanted> wanted, Allowance allowance) {
    try {
      RunContext context = new RunContext(kernels, shelf, events, wanted, allowance);
      requireProfile(request.job().task(), request.job().profile());
      if (!(request.job().task() instanceof Task.Generate)) {
        // What is no generation has the whole memory.
        shelf.clear();
      }
      return switch (request.job().task()) {
        case Task.Train task ->
            new TrainingRun(context, request, TrainingJob.of(request.job(), task)).run();
        case Task.Generate task -> new GenerationRun(context, request, task).run();
        case Task.Embed _ -> new EmbeddingRun(context, request).run();
      };
    } catch (CancellationException e) {
      return failed(FailureCode.CANCELLED, e);
    } catch (InvalidJobException | ModelFormatException | NonFiniteException e) {
      return failed(FailureCode.INVALID_INPUT, e);
    } catch (MalformedException e) {
      return new RunEvent.Failed(FailureCode.INVALID_INPUT, e.sentence());
    } catch (OutOfMemoryError e) {
      return new RunEvent.Failed(
          FailureCode.OUT_OF_MEMORY,
          "The job needs more memory than this worker has ("
              + e.getMessage()
              + "); give the worker a larger heap, or ask for a smaller batch, context or model.");
    } catch (UncheckedIOException e) {
      LOG.error("job {} failed", request.job().id(), e);
      return failed(FailureCode.INTERNAL, e);
    } catch (RuntimeException e) {
      LOG.error("job {} failed by a fault of the worker", request.job().id(), e);
      return new RunEvent.Failed(FailureCode.INTERNAL, "The worker failed: " + e);
    }
  }

  /// Refuses a task in a profile that the engine does not have it in.
  private static void requireProfile(Task task, Profile profile) {
    if (profile != Profile.F32_V1 && task instanceof Task.Train) {
      throw new InvalidJobException(
          "This engine does not train in %s; ask for %s.".formatted(profile, Profile.F32_V1));
    }
  }

  private static RunEvent.Failed failed(FailureCode code, RuntimeException e) {
    return new RunEvent.Failed(code, String.valueOf(e.getMessage()));
  }

  /// Frees the model that the device holds.
  @Override
  public void close() {
    shelf.close();
  }
}
