package io.rigmesh.node.jobs;

import java.time.Duration;

/// What came of one step of a job.
public sealed interface Step {
  /// The job moved; take its next step at once.
  record Moved() implements Step {}

  /// Nothing can be done for now; look again after a while, or when somebody wakes the job.
  ///
  /// @param delay how long
  record Wait(Duration delay) implements Step {}

  /// Something outside failed for now; try again, with growing pauses.
  ///
  /// @param reason what, in one sentence
  record Retry(String reason) implements Step {}
}
