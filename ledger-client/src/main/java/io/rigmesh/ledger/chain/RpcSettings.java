package io.rigmesh.ledger.chain;

import java.net.URI;
import java.time.Duration;
import java.util.List;

/// Where a chain is reached and which one it must be.
///
/// @param chainId the EIP-155 id that every endpoint must answer with
/// @param endpoints http or https addresses of JSON-RPC servers, the preferred one first; at least
///   one
/// @param connectTimeout how long opening a connection may take
/// @param requestTimeout how long one request may take in all
public record RpcSettings(
    long chainId, List<URI> endpoints, Duration connectTimeout, Duration requestTimeout) {
  /// Checks that there is an endpoint, and that each speaks HTTP.
  public RpcSettings {
    endpoints = List.copyOf(endpoints);
    if (endpoints.isEmpty()) {
      throw new IllegalArgumentException("name at least one RPC endpoint of the chain " + chainId);
    }
    for (URI endpoint : endpoints) {
      if (!"http".equals(endpoint.getScheme()) && !"https".equals(endpoint.getScheme())) {
        throw new IllegalArgumentException(
            "the RPC endpoint " + endpoint + " is neither http nor https");
      }
    }
    if (chainId < 1) {
      throw new IllegalArgumentException("a chain id is at least 1, not " + chainId);
    }
  }

  /// Endpoints with 5 seconds to connect and 20 to answer.
  public static RpcSettings of(long chainId, URI... endpoints) {
    return new RpcSettings(
        chainId, List.of(endpoints), Duration.ofSeconds(5), Duration.ofSeconds(20));
  }
}
