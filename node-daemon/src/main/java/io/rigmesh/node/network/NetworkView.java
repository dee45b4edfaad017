package io.rigmesh.node.network;

import io.rigmesh.libp2p.autonat.AddressVerdict;
import io.rigmesh.libp2p.autonat.Reachability;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.List;

/// How this node stands in the network.
///
/// @param peer its peer id
/// @param listening what its sockets are bound to
/// @param announced where it says that it is reached
/// @param observed where peers have seen it
/// @param peers how many peers are connected
/// @param inbound connections that others have opened
/// @param outbound connections that this node has opened
/// @param table peers in the Kademlia table
/// @param reachability whether others can dial it, as far as they have tried
/// @param verdicts what became of every address that others were asked to dial
/// @param troubles why it is not in the network, one sentence each
public record NetworkView(
    PeerId peer,
    List<Multiaddr> listening,
    List<Multiaddr> announced,
    List<Multiaddr> observed,
    int peers,
    int inbound,
    int outbound,
    int table,
    Reachability reachability,
    List<AddressVerdict> verdicts,
    List<String> troubles) {
  /// Copies the lists.
  public NetworkView {
    listening = List.copyOf(listening);
    announced = List.copyOf(announced);
    observed = List.copyOf(observed);
    verdicts = List.copyOf(verdicts);
    troubles = List.copyOf(troubles);
  }
}
