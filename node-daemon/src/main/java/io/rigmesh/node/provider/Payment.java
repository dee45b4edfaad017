package io.rigmesh.node.provider;

import io.rigmesh.node.jobs.RefusedException;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.Signature;
import java.time.Duration;
import java.util.Optional;

/// How a job's money comes to the node that computes it. Which way is taken, the job's kind says.
/// Safe for use by several threads.
sealed interface Payment permits EscrowPayment, ChannelPayment {
  /// Makes sure that a job's money is there, before anything of it is fetched or computed.
  ///
  /// @param channel the channel that its requester names for it
  /// @return the channel that pays, where one does; the job is then known to it until [#forget]
  /// @throws RefusedException if it is not, or not for this node, or not enough; with what to do
  Optional<ChannelTerms> requireFunds(Job job, Optional<ChannelTerms> channel);

  /// The signature with which a requester may lock the money of a job that nothing is locked for
  /// yet; empty where that is no way, or something is.
  ///
  /// @throws RefusedException if that cannot be found out now
  Optional<Signature> acceptance(Job job);

  /// A job whose money was there is not taken after all.
  void forget(Hash job);

  /// Binds the money to the work, once the job is in the store. May be called again.
  ///
  /// @return why that cannot be done any more, or empty if it is done
  Optional<Refusal> bind(JobRow row);

  /// How a run of the work is charged.
  Metering meter(JobRow row);

  /// Whether work that waited for money, and gave its device away, may go on.
  Pause pause(JobRow row);

  /// What has to happen to work before it goes on.
  sealed interface Pause {
    /// Nothing.
    record None() implements Pause {}

    /// It waits for money.
    ///
    /// @param atMost after which to ask again
    record Waiting(Duration atMost) implements Pause {}

    /// It has waited long enough.
    ///
    /// @param reason a sentence
    record Over(String reason) implements Pause {}
  }

  /// Takes one step towards the money of a job whose receipt is signed.
  Step collect(JobRow row);

  /// Takes one step to let go of the money of a job that ended without a result.
  Step giveBack(JobRow row);
}
