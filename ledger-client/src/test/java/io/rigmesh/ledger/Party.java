package io.rigmesh.ledger;

import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.escrow.RegistryClient;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.intent.JdbiIntentStore;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;

/// One account with its own store and sender, as a node has them, on a real chain and a real
/// database file.
public final class Party implements AutoCloseable {
  /// Long enough for a busy machine, short enough to see a hang.
  public static final Duration TIMEOUT = Duration.ofMinutes(2);

  private final AccountSigner signer;
  private final Jdbi jdbi;
  private final ChainRpc rpc;
  private final JdbiIntentStore store;
  private final TransactionSender sender;

  private Party(
      AccountKey key,
      Path database,
      RpcSettings rpcSettings,
      SenderSettings settings,
      SendListener listener,
      Clock clock) {
    this.signer = AccountSigner.of(key);
    DataSource source = LedgerSchema.open(database);
    LedgerSchema.migrate(source);
    this.jdbi = Jdbi.create(source);
    this.rpc = ChainRpc.connect(rpcSettings);
    try {
      this.store = new JdbiIntentStore(jdbi, rpc.chainId(), key.address());
      this.sender = TransactionSender.start(rpc, store, signer, settings, listener, clock);
    } catch (RuntimeException e) {
      rpc.close();
      throw e;
    }
  }

  public static Party open(AccountKey key, Path database, DevChain chain) {
    return open(key, database, chain.endpoint(), SenderSettings.development(), SendListener.NONE);
  }

  public static Party open(
      AccountKey key, Path database, URI endpoint, SenderSettings settings, SendListener listener) {
    return open(
        key, database, RpcSettings.of(31337, endpoint), settings, listener, Clock.systemUTC());
  }

  public static Party open(
      AccountKey key,
      Path database,
      RpcSettings rpcSettings,
      SenderSettings settings,
      SendListener listener,
      Clock clock) {
    return new Party(key, database, rpcSettings, settings, listener, clock);
  }

  public Address address() {
    return signer.address();
  }

  public AccountSigner signer() {
    return signer;
  }

  public ChainRpc rpc() {
    return rpc;
  }

  public Jdbi jdbi() {
    return jdbi;
  }

  public JdbiIntentStore store() {
    return store;
  }

  public TransactionSender sender() {
    return sender;
  }

  public TokenClient token(Deployment deployment) {
    return new TokenClient(sender, signer, deployment.token(), TIMEOUT);
  }

  public EscrowClient escrow(Deployment deployment) {
    return new EscrowClient(sender, token(deployment), deployment.escrow(), TIMEOUT);
  }

  public RegistryClient registry(Deployment deployment) {
    return new RegistryClient(sender, token(deployment), deployment.registry(), TIMEOUT);
  }

  @Override
  public void close() {
    sender.close();
    rpc.close();
  }
}
