package io.rigmesh.node.store;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.jobs.JobProgress;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/// A job as it is on disk.
///
/// @param id the job's id
/// @param role which side this node is on
/// @param signed the job and its requester's signature
/// @param state where it stands
/// @param closing what has yet to happen to its money, once it ended without payment
/// @param cancelAsked true if it is to be called off
/// @param provider who computes it, once that is known
/// @param providerPeer the same as a peer of the network, on the requester's side
/// @param wantedPeer who it was said that it must be
/// @param progress how far it was
/// @param startedAtSeconds Unix time at which it first ran
/// @param crashes workers that ended while they ran it
/// @param remoteSequence the provider's last event that was mirrored here
/// @param completion what came out, once there is a receipt
/// @param channel what pays for it, where that is a channel
/// @param paid what this node has paid for it, or was paid once it is settled
/// @param createdAt when this node first saw it
/// @param updatedAt when it last changed
public record JobRow(
    Hash id,
    JobRole role,
    SignedJob signed,
    JobState state,
    Closing closing,
    boolean cancelAsked,
    Optional<Address> provider,
    Optional<PeerId> providerPeer,
    Optional<PeerId> wantedPeer,
    Optional<JobProgress> progress,
    OptionalLong startedAtSeconds,
    int crashes,
    long remoteSequence,
    Optional<Completion> completion,
    Optional<ChannelTerms> channel,
    TokenAmount paid,
    Instant createdAt,
    Instant updatedAt) {
  /// The job.
  public Job job() {
    return signed.job();
  }

  /// What came out of a job.
  ///
  /// @param receiptHash the receipt's hash, which goes on the chain
  /// @param price what the receipt asks
  /// @param meter what was used
  /// @param output the root of the output folder
  /// @param outputModel the root of the trained model's folder
  public record Completion(
      Hash receiptHash, TokenAmount price, Meter meter, Hash output, Optional<Hash> outputModel) {}
}
