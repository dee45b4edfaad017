package io.rigmesh.node.chain;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.node.config.ChainConfig;
import io.rigmesh.node.config.ConfigException;
import io.rigmesh.node.pay.Market;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Domain;
import java.util.Optional;

/// Which chain, and where the market's contracts are on it.
///
/// @param chainId the chain's EIP-155 id
/// @param escrow JobEscrow
/// @param channels PaymentChannels
/// @param registry ProviderRegistry
/// @param token the payment token
/// @param deployment the deployment file's content, where there is one
public record Contracts(
    long chainId,
    Address escrow,
    Address channels,
    Address registry,
    Address token,
    Optional<Deployment> deployment) {
  /// Reads them from the settings, and from the deployment file what the settings leave open.
  ///
  /// @throws ConfigException if one of them is not said anywhere
  public static Contracts of(ChainConfig config) {
    Optional<Deployment> file;
    try {
      file = config.deploymentFile().map(Deployment::read);
    } catch (LedgerException e) {
      throw new ConfigException("chain.deployment-file: " + e.getMessage(), e);
    }
    return new Contracts(
        require("chain.chain-id", config.chainId().or(() -> file.map(Deployment::chainId))),
        require("chain.escrow", config.escrow().or(() -> file.map(Deployment::escrow))),
        require("chain.channels", config.channels().or(() -> file.map(Deployment::channels))),
        require("chain.registry", config.registry().or(() -> file.map(Deployment::registry))),
        require("chain.token", config.token().or(() -> file.map(Deployment::token))),
        file);
  }

  /// What this market's signatures are for.
  public Domain domain() {
    return new Domain(chainId, escrow);
  }

  /// What vouchers are for.
  public Domain channelDomain() {
    return new Domain(chainId, channels);
  }

  /// The market that this node trades in.
  public Market market() {
    return new Market(chainId, escrow, channels);
  }

  private static <T> T require(String key, Optional<T> value) {
    return value.orElseThrow(() ->
        new ConfigException(
            "The setting "
                + key
                + " is missing; set it, or name a deployment with chain.deployment-file."));
  }
}
