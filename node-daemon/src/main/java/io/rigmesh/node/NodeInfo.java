package io.rigmesh.node;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Profile;
import io.rigmesh.scheduler.pricing.Pricing;
import java.util.List;
import java.util.Set;

/// Who a node is and what it offers.
///
/// @param version the daemon's version
/// @param account the account that signs and is paid
/// @param peer the node's peer id in the network
/// @param domain the chain and contract that its signatures are for
/// @param roles what it does
/// @param profiles the arithmetic that its devices compute
/// @param devices its devices
/// @param models the folders of models that it has
/// @param prices what it asks
public record NodeInfo(
    String version,
    Address account,
    PeerId peer,
    Domain domain,
    Set<JobRole> roles,
    List<Profile> profiles,
    List<DeviceView> devices,
    List<Hash> models,
    Pricing prices) {
  /// Copies the lists.
  public NodeInfo {
    roles = Set.copyOf(roles);
    profiles = List.copyOf(profiles);
    devices = List.copyOf(devices);
    models = List.copyOf(models);
  }
}
