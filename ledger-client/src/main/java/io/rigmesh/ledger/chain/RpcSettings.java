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
/// @param hedgeAfter how long an endpoint may take before the next one is asked as well
/// @param blocksBehindMax how many blocks an endpoint may lack that another one has
public record RpcSettings(
    long chainId,
    List<URI> endpoints,
    Duration connectTimeout,
    Duration requestTimeout,
    Duration hedgeAfter,
    int blocksBehindMax) {
  private static final int BLOCKS_BEHIND_MAX = 5;

  /// Checks that there is an endpoint, and that each speaks HTTP.
  public RpcSettings {
    endpoints = List.copyOf(endpoints);
    if (endpoints.isEmpty()) {
      throw new IllegalArgumentException("name at least one RPC endpoint of the chain " + chainId);
    }
    for (URI endpoint : endpoints) {
      if (!"http".equals(endpoint.getScheme()) && !"https".equals(endpoint.getScheme())) {
        throw new IllegalArgumentException(
            "the RPC endpoint " + EndpointName.of(endpoint) + " is neither http nor https");
      }
    }
    if (chainId < 1) {
      throw new IllegalArgumentException("a chain id is at least 1, not " + chainId);
    }
    if (hedgeAfter.isNegative() || hedgeAfter.isZero()) {
      throw new IllegalArgumentException(
          "the time before the next endpoint is asked is above zero");
    }
    if (blocksBehindMax < 1) {
      throw new IllegalArgumentException("an endpoint may always lack one block");
    }
  }

  /// The same with the next endpoint asked after a quarter of the request's time, and at most five
  /// blocks behind.
  public RpcSettings(
      long chainId, List<URI> endpoints, Duration connectTimeout, Duration requestTimeout) {
    this(
        chainId,
        endpoints,
        connectTimeout,
        requestTimeout,
        requestTimeout.dividedBy(4),
        BLOCKS_BEHIND_MAX);
  }

  /// Endpoints with 5 seconds to connect and 20 to answer.
  public static RpcSettings of(long chainId, URI... endpoints) {
    return new RpcSettings(
        chainId, List.of(endpoints), Duration.ofSeconds(5), Duration.ofSeconds(20));
  }
}
