package io.rigmesh.worker.task;

import io.rigmesh.protocol.Job;
import java.nio.file.Path;
import java.util.Optional;

/// What a worker is given to run a job: the job, and paths in place of the blobs it names.
///
/// @param job the job; its signature was checked by whoever accepted it
/// @param modelFolder the Hugging Face folder whose root is the job's model; empty for a new model
/// @param inputFile the file whose blob root is the job's input
/// @param workFolder where checkpoints and partial results lie, so that a run after a crash goes on
///   from them; made if need be, and deleted by whoever asked once the job has ended for good
/// @param outputFolder where the result is written; complete when [RunEvent.Done] is sent
public record RunRequest(
    Job job, Optional<Path> modelFolder, Path inputFile, Path workFolder, Path outputFolder) {}
