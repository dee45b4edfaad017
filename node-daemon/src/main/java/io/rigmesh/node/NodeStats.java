package io.rigmesh.node;

import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.network.NetworkStats;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.TokenAmount;
import java.util.Map;
import java.util.OptionalDouble;

/// Numbers for metrics. Counters count since the daemon started, unless said otherwise.
///
/// @param jobs how many jobs are in the store, by role and the name of their state
/// @param refusals how many jobs were refused, by code
/// @param tokensIn tokens read by jobs that were completed here, by kind
/// @param tokensOut tokens made by jobs that were completed here, by kind
/// @param jobSeconds seconds that completed jobs ran here, by kind
/// @param queueLength jobs that wait for a device
/// @param queueLengthMax the most that may
/// @param blobBytes bytes of blobs on disk
/// @param headAgeSeconds how old the chain's newest known block is; empty while none is known
/// @param transactions this node's transactions that are in a block, by what they are for, over the
///   whole life of its store
/// @param gasUsed the gas that they took
/// @param earned tokens paid to this node, over the whole life of its store
/// @param spent tokens paid by this node, over the whole life of its store
/// @param network numbers of the network
public record NodeStats(
    Map<RoleAndState, Long> jobs,
    Map<RefusalCode, Long> refusals,
    Map<JobKind, Long> tokensIn,
    Map<JobKind, Long> tokensOut,
    Map<JobKind, Double> jobSeconds,
    int queueLength,
    int queueLengthMax,
    long blobBytes,
    OptionalDouble headAgeSeconds,
    Map<String, Long> transactions,
    long gasUsed,
    TokenAmount earned,
    TokenAmount spent,
    NetworkStats network) {
  /// Copies the maps.
  public NodeStats {
    jobs = Map.copyOf(jobs);
    refusals = Map.copyOf(refusals);
    tokensIn = Map.copyOf(tokensIn);
    tokensOut = Map.copyOf(tokensOut);
    jobSeconds = Map.copyOf(jobSeconds);
    transactions = Map.copyOf(transactions);
  }

  /// A side of the market and the name of a state.
  ///
  /// @param role the side
  /// @param state the state's name, such as `running`
  public record RoleAndState(JobRole role, String state) {}
}
