package io.rigmesh.node.jobs;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// A job as it stands now.
///
/// @param id the job's id
/// @param role which side this node is on
/// @param signed the job and its requester's signature
/// @param state where it stands
/// @param progress how far it is, once it runs
/// @param createdAt when this node first saw it
/// @param updatedAt when its row last changed
/// @param provider who computes it, once that is known
/// @param providerPeer the same as a peer of the network, on the requester's side
/// @param price what the provider's receipt asks, once there is one
/// @param meter what was used, once there is a receipt
/// @param output the root of the output folder, once there is a receipt
/// @param outputModel the root of the trained model's folder, which later jobs name
/// @param channel the channel that pays for it, where one does
/// @param paid what this node has paid for it, or was paid once it is settled
/// @param milestones the parts of it that were reached, of a job that JobEscrow pays
/// @param transactions its transactions on the chain, oldest first
public record JobView(
    Hash id,
    JobRole role,
    SignedJob signed,
    JobState state,
    Optional<JobProgress> progress,
    Instant createdAt,
    Instant updatedAt,
    Optional<Address> provider,
    Optional<PeerId> providerPeer,
    Optional<TokenAmount> price,
    Optional<Meter> meter,
    Optional<Hash> output,
    Optional<Hash> outputModel,
    Optional<Hash> channel,
    TokenAmount paid,
    List<MilestoneView> milestones,
    List<TransactionView> transactions) {
  /// Copies the lists.
  public JobView {
    milestones = List.copyOf(milestones);
    transactions = List.copyOf(transactions);
  }
}
