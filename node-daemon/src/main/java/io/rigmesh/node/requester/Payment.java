package io.rigmesh.node.requester;

import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.store.JobRow;

/// How a job's provider is paid. Which way is taken, the job's kind says. Safe for use by several
/// threads.
sealed interface Payment permits EscrowPayment {
  /// Whether a job's money is bound, or it was decided to bind it.
  boolean isDecided(JobRow row);

  /// Binds a job's money to its provider.
  Step fund(JobRow row);

  /// Takes one step towards the payment of a result that is here.
  Step settle(JobRow row) throws InterruptedException;

  /// Takes one step with the money of a job that this node holds to be wrong.
  Step awaitDispute(JobRow row);

  /// Takes one step to have the money of a job that ended without a result back.
  Step reclaim(JobRow row);
}
