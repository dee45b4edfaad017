package io.rigmesh.node.provider;

import io.rigmesh.node.jobs.RefusedException;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Refusal;
import java.util.Optional;

/// How a job's money comes to the node that computes it. Which way is taken, the job's kind says.
/// Safe for use by several threads.
sealed interface Payment permits EscrowPayment {
  /// Makes sure that a job's money is there, before anything of it is fetched or computed.
  ///
  /// @throws RefusedException if it is not, or not for this node, or not enough; with what to do
  void requireFunds(Job job);

  /// Binds the money to the work, once the job is in the store. May be called again.
  ///
  /// @return why that cannot be done any more, or empty if it is done
  Optional<Refusal> bind(JobRow row);

  /// Takes one step towards the money of a job whose receipt is signed.
  Step collect(JobRow row);

  /// Takes one step to let go of the money of a job that ended without a result.
  Step giveBack(JobRow row);
}
