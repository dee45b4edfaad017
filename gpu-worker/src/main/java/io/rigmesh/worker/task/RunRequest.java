package io.rigmesh.worker.task;

import io.rigmesh.protocol.Job;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;

/// What a worker is given to run a job: the job, and paths in place of the blobs it names.
///
/// @param job the job; its signature was checked by whoever accepted it
/// @param modelFolder the Hugging Face folder whose root is the job's model; empty for a new model
/// @param inputFile the file whose blob root is the job's input
/// @param workFolder where checkpoints and partial results lie, so that a run after a crash goes on
///   from them; made if need be, and deleted by whoever asked once the job has ended for good
/// @param outputFolder where the result is written; complete when [RunEvent.Done] is sent
/// @param tokensAllowed how many tokens it may use before it is allowed more ([Allowance]); empty
///   for all
public record RunRequest(
    Job job,
    Optional<Path> modelFolder,
    Path inputFile,
    Path workFolder,
    Path outputFolder,
    OptionalLong tokensAllowed) {
  /// A job that may go to its end.
  public RunRequest(
      Job job, Optional<Path> modelFolder, Path inputFile, Path workFolder, Path outputFolder) {
    this(job, modelFolder, inputFile, workFolder, outputFolder, OptionalLong.empty());
  }

  /// The same, of which at first so many tokens may be used.
  public RunRequest allowed(long tokens) {
    return new RunRequest(
        job, modelFolder, inputFile, workFolder, outputFolder, OptionalLong.of(tokens));
  }
}
