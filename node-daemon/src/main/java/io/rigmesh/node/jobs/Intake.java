package io.rigmesh.node.jobs;

import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.Signature;

/// What became of a signed job that somebody handed in.
public sealed interface Intake {
  /// The node has taken it.
  ///
  /// @param job the job as it stands
  /// @param known true if it had been taken before
  record Accepted(JobView job, boolean known) implements Intake {}

  /// The node would take it once its money is locked, and holds a place for it meanwhile; nothing
  /// was kept.
  ///
  /// @param acceptance the node's signature with which its requester may lock the money
  record Reserved(Signature acceptance) implements Intake {}

  /// The node does not take it; nothing was kept.
  ///
  /// @param refusal why
  record Refused(Refusal refusal) implements Intake {}
}
