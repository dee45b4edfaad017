package io.rigmesh.node.cli;

import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.wallet.WalletContracts;
import io.rigmesh.node.chain.ChainAddresses;
import io.rigmesh.node.chain.Contracts;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigDecimal;

/// The contracts of money as a command reads them, which takes no account and no daemon.
///
/// @param rpc asks the chain
/// @param money the token and PaymentChannels
/// @param domain what payers' words about session keys are for
record ChainMoney(ChainRpc rpc, WalletContracts money, Domain domain) implements AutoCloseable {
  static ChainMoney open(NodeConfig config) {
    Contracts contracts = Contracts.of(config.chain());
    ChainRpc rpc = ChainRpc.connect(ChainAddresses.rpc(config.chain(), contracts.chainId()));
    try {
      contracts.requireOn(rpc);
      return new ChainMoney(
          rpc,
          new WalletContracts(rpc, contracts.token(), contracts.channels()),
          contracts.channelDomain());
    } catch (RuntimeException e) {
      rpc.close();
      throw e;
    }
  }

  /// An amount in whole tokens, such as `12.5`.
  TokenAmount amount(String text) {
    return WalletOptions.amount(text, money.decimals());
  }

  /// The same the other way round.
  String text(TokenAmount amount) {
    return new BigDecimal(amount.units(), money.decimals()).toPlainString();
  }

  @Override
  public void close() {
    rpc.close();
  }
}
