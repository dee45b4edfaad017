package io.rigmesh.node.quickstart;

import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.intent.JdbiIntentStore;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;

/// The account that sets a development chain up: it deploys the contracts, holds the whole supply
/// of the token, and gives the others what they start with. Its key is made anew each time and
/// forgotten.
final class Mint implements AutoCloseable {
  private static final BigInteger TEN_ETHER = BigInteger.TEN.pow(19);
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  private final DevChain chain;
  private final ChainRpc rpc;
  private final TransactionSender sender;
  private final TokenClient token;
  private final Deployment deployment;

  private Mint(
      DevChain chain,
      ChainRpc rpc,
      TransactionSender sender,
      TokenClient token,
      Deployment deployment) {
    this.chain = chain;
    this.rpc = rpc;
    this.sender = sender;
    this.token = token;
    this.deployment = deployment;
  }

  /// Deploys the contracts to a fresh chain.
  ///
  /// @param database where this account's intents are stored
  static Mint open(DevChain chain, Path database) {
    AccountSigner signer = AccountSigner.of(AccountKey.generate());
    chain.setBalance(signer.address(), TEN_ETHER);
    DataSource source = LedgerSchema.open(database);
    LedgerSchema.migrate(source);
    ChainRpc rpc = ChainRpc.connect(RpcSettings.of(chain.chainId(), chain.endpoint()));
    TransactionSender sender =
        TransactionSender.start(
            rpc,
            new JdbiIntentStore(Jdbi.create(source), chain.chainId(), signer.address()),
            signer,
            SenderSettings.development(),
            SendListener.NONE,
            Clock.systemUTC());
    Deployment deployment = DevDeployment.standard().deploy(sender, TIMEOUT);
    TokenClient token = new TokenClient(sender, signer, deployment.token(), TIMEOUT);
    return new Mint(chain, rpc, sender, token, deployment);
  }

  Deployment deployment() {
    return deployment;
  }

  /// Gives an account ten ether for gas and some tokens.
  void endow(Address account, TokenAmount amount) {
    chain.setBalance(account, TEN_ETHER);
    if (amount.units().signum() > 0) {
      token.transfer(account, amount, "endow " + account);
    }
  }

  /// What an account holds of the token.
  TokenAmount balance(Address account) {
    return token.balance(account);
  }

  @Override
  public void close() {
    sender.close();
    rpc.close();
  }
}
