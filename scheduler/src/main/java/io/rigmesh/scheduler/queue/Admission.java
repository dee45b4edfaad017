package io.rigmesh.scheduler.queue;

import io.rigmesh.protocol.Refusal;

/// Whether a job is taken.
public sealed interface Admission {
  /// It is.
  ///
  /// @param lease its place
  record Admitted(Lease lease) implements Admission {}

  /// It is not.
  ///
  /// @param refusal why
  record Refused(Refusal refusal) implements Admission {}
}
