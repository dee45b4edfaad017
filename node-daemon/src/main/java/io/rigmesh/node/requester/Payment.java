package io.rigmesh.node.requester;

import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.network.job.JobFeed;
import io.rigmesh.node.pay.Due;
import io.rigmesh.node.pay.Tariff;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.Signature;
import java.util.Optional;

/// How a job's provider is paid. Which way is taken, the job's kind says. Safe for use by several
/// threads.
sealed interface Payment permits EscrowPayment, ChannelPayment {
  /// Whether a job's money is bound, or it was decided to bind it.
  boolean isDecided(JobRow row);

  /// Whether binding it costs enough to ask the provider once more before.
  boolean isCostly();

  /// A provider has taken a job on by signature; written down before this returns.
  ///
  /// @return what is wrong with that, or empty if the money may be locked with it
  Optional<Refusal> accepted(JobRow row, Signature acceptance);

  /// Binds a job's money to its provider.
  Step fund(JobRow row);

  /// Binds a job's money anew where the provider does not find it and it cannot be found any more:
  /// what held it is being closed.
  ///
  /// @return empty if it is where it was, and the provider is only behind
  Optional<Step> fundAgain(JobRow row);

  /// The channel that is named to the provider, where one pays.
  Optional<ChannelTerms> channel(JobRow row);

  /// Makes sure that a provider which has the job takes no more than was agreed.
  ///
  /// @param tariff what it says that it takes
  /// @throws ProviderFaultException otherwise
  void requireAgreed(JobRow row, Optional<Tariff> tariff);

  /// What was paid last, to be said again on a new stream.
  Optional<io.rigmesh.ledger.channel.Payment> again(JobRow row);

  /// What has come of a job before a stream to its provider is read.
  Seen seen(JobRow row);

  /// Pays what is due, written down before it is returned.
  ///
  /// @param seen what has come
  /// @return what to send, or empty if nothing is to be paid yet
  /// @throws ProviderFaultException if more is asked than that costs
  Optional<io.rigmesh.ledger.channel.Payment> pay(JobRow row, Tariff tariff, Due due, Seen seen);

  /// How many milestones of a job are here, which need not be told again.
  int milestonesKnown(JobRow row);

  /// A stream to the provider of a job is open; what it was not told yet is said on it until it is
  /// left.
  void attend(JobRow row, JobFeed feed);

  /// The stream is closed.
  void leave(JobRow row, JobFeed feed);

  /// A milestone has come; written down before this returns, and judged later.
  ///
  /// @throws ProviderFaultException if it is none of this job by this provider
  void milestone(JobRow row, int number, byte[] receiptJson);

  /// The provider has answered to an approval.
  void heard(JobRow row, JobFeed.Next.Approved answer);

  /// What was found to be wrong with a job that is not at its end.
  Optional<String> fault(JobRow row);

  /// Takes one step towards the payment of a result that is here.
  Step settle(JobRow row) throws InterruptedException;

  /// Takes one step with the money of a job that this node holds to be wrong.
  Step awaitDispute(JobRow row);

  /// Takes one step to have the money of a job that ended without a result back.
  Step reclaim(JobRow row) throws InterruptedException;
}
