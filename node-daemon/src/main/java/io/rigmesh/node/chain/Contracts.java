package io.rigmesh.node.chain;

import io.rigmesh.ledger.ChainMismatchException;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.node.config.ChainConfig;
import io.rigmesh.node.config.ConfigException;
import io.rigmesh.node.pay.Market;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Domain;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Which chain, and where the market's contracts are on it.
///
/// @param chainId the chain's EIP-155 id
/// @param escrow JobEscrow
/// @param channels PaymentChannels
/// @param registry ProviderRegistry
/// @param token the payment token
/// @param receipts ReceiptLog, where the settings say one
/// @param fromBlock there are no events of them before this block
/// @param deployment the deployment file's content, where there is one
public record Contracts(
    long chainId,
    Address escrow,
    Address channels,
    Address registry,
    Address token,
    Optional<Address> receipts,
    long fromBlock,
    Optional<Deployment> deployment) {
  /// Reads them from the settings, and from the deployment file what the settings leave open.
  ///
  /// @throws ConfigException if one of them is not said anywhere
  public static Contracts of(ChainConfig config) {
    Optional<Deployment> file = deployment(config);
    return new Contracts(
        require("chain.chain-id", config.chainId().or(() -> file.map(Deployment::chainId))),
        require("chain.escrow", config.escrow().or(() -> file.map(Deployment::escrow))),
        require("chain.channels", config.channels().or(() -> file.map(Deployment::channels))),
        require("chain.registry", config.registry().or(() -> file.map(Deployment::registry))),
        require("chain.token", config.token().or(() -> file.map(Deployment::token))),
        config.receipts().or(() -> file.map(Deployment::receipts)),
        config.fromBlock().or(() -> file.map(Deployment::block)).orElse(0L),
        file);
  }

  /// The ReceiptLog of a chain as far as the settings say one, whatever else they leave open.
  ///
  /// @throws ConfigException if there is a deployment file that cannot be read
  public static Optional<Address> receiptLog(ChainConfig config, long chainId) {
    Optional<Deployment> file = deployment(config);
    return config
        .chainId()
        .or(() -> file.map(Deployment::chainId))
        .filter(named -> named == chainId)
        .flatMap(_ -> config.receipts().or(() -> file.map(Deployment::receipts)));
  }

  private static Optional<Deployment> deployment(ChainConfig config) {
    try {
      return config.deploymentFile().map(Deployment::read);
    } catch (LedgerException e) {
      throw new ConfigException("chain.deployment-file: " + e.getMessage(), e);
    }
  }

  /// Checks that the chain is the one that was deployed on, where that is known, and that the
  /// contracts are there.
  ///
  /// @throws ChainMismatchException if not, naming the setting that is wrong
  public void requireOn(ChainRpc rpc) {
    deployment.ifPresent(deployed -> deployed.requireOn(rpc));
    Map<String, Address> named = new HashMap<>();
    named.put("chain.escrow", escrow);
    named.put("chain.channels", channels);
    named.put("chain.registry", registry);
    named.put("chain.token", token);
    receipts.ifPresent(log -> named.put("chain.receipts", log));
    named.forEach((key, address) -> {
      boolean checked =
          deployment
              .filter(d ->
                  List.of(d.escrow(), d.channels(), d.registry(), d.token(), d.receipts())
                      .contains(address))
              .isPresent();
      if (!checked && !rpc.hasCode(address)) {
        throw new ChainMismatchException(
            "There is no contract at %s = %s on the chain %d; correct the setting."
                .formatted(key, address, chainId));
      }
    });
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
