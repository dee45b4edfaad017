package io.rigmesh.node.chain;

import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.node.config.ChainConfig;
import io.rigmesh.node.config.ConfigException;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Locale;

/// Where the settings say that the chain is reached. The addresses may hold keys, so no error
/// repeats one.
public final class ChainAddresses {
  private ChainAddresses() {}

  /// The endpoints of `chain.rpc-urls`.
  ///
  /// @throws ConfigException if one is no http or https address
  public static RpcSettings rpc(ChainConfig config, long chainId) {
    Duration timeout = Duration.ofSeconds(config.requestTimeoutSeconds());
    List<URI> endpoints = addresses("chain.rpc-urls", config.rpcUrls(), "http", "https");
    if (endpoints.isEmpty()) {
      throw new ConfigException("chain.rpc-urls names no endpoint; the node needs at least one.");
    }
    return new RpcSettings(chainId, endpoints, timeout, timeout);
  }

  /// The endpoints of `chain.ws-urls`; may be none.
  ///
  /// @throws ConfigException if one is no ws or wss address
  public static List<URI> sockets(ChainConfig config) {
    return addresses("chain.ws-urls", config.wsUrls(), "ws", "wss");
  }

  private static List<URI> addresses(
      String key, List<String> texts, String scheme, String secureScheme) {
    return texts.stream().map(text -> address(key, text, scheme, secureScheme)).toList();
  }

  private static URI address(String key, String text, String scheme, String secureScheme) {
    URI address;
    try {
      address = URI.create(text);
    } catch (IllegalArgumentException _) {
      // Its message and its cause repeat the address.
      throw wrong(key, scheme, secureScheme);
    }
    String actual = String.valueOf(address.getScheme()).toLowerCase(Locale.ROOT);
    if (address.getHost() == null || !(actual.equals(scheme) || actual.equals(secureScheme))) {
      throw wrong(key, scheme, secureScheme);
    }
    return address;
  }

  private static ConfigException wrong(String key, String scheme, String secureScheme) {
    return new ConfigException(
        "%s is a list of %s or %s addresses, and one is not; it is not repeated here since it may hold a key."
            .formatted(key, scheme, secureScheme));
  }
}
