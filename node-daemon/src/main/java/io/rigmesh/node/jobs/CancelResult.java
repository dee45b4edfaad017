package io.rigmesh.node.jobs;

/// What became of a wish to cancel.
public sealed interface CancelResult {
  /// The job is called off, or will be as soon as its worker has let go of it.
  ///
  /// @param job the job as it stands
  record Cancelled(JobView job) implements CancelResult {}

  /// The job is done already, one way or another.
  ///
  /// @param job the job as it stands
  record TooLate(JobView job) implements CancelResult {}

  /// There is no such job.
  record Unknown() implements CancelResult {}
}
