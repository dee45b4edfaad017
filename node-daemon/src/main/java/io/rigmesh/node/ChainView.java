package io.rigmesh.node;

import io.rigmesh.ledger.chain.ChainHead;
import io.rigmesh.ledger.chain.EndpointHealth;
import io.rigmesh.node.chain.Contracts;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// How the node stands to its chain.
///
/// @param contracts which chain it is, and where the market's contracts are on it
/// @param head the newest block that is known
/// @param headAgeSeconds how old that is
/// @param trouble why no new work is taken, where the chain is the reason
/// @param endpoints how each RPC endpoint does, in the order of the settings
/// @param socket how new blocks are heard of, where a WebSocket endpoint is named
public record ChainView(
    Contracts contracts,
    Optional<ChainHead> head,
    OptionalDouble headAgeSeconds,
    Optional<String> trouble,
    List<EndpointHealth> endpoints,
    Optional<Socket> socket) {
  /// Copies the list.
  public ChainView {
    endpoints = List.copyOf(endpoints);
  }

  /// The subscription to new blocks.
  ///
  /// @param connected whether one endpoint tells of them now; blocks are polled for all the same
  /// @param heads of how many it told since the start
  /// @param trouble why none does, naming the endpoint that was tried last; empty while connected
  public record Socket(boolean connected, long heads, String trouble) {}
}
