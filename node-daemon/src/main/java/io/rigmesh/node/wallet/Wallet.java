package io.rigmesh.node.wallet;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.account.Keystore;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.channel.KeptVouchers;
import io.rigmesh.ledger.intent.IntentStore;
import io.rigmesh.ledger.intent.JdbiIntentStore;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.ledger.wallet.WalletContracts;
import io.rigmesh.node.Home;
import io.rigmesh.node.chain.ChainAddresses;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.chain.Contracts;
import io.rigmesh.node.config.ConfigException;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.store.Database;
import io.rigmesh.protocol.Address;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;

/// An account's wallet without a daemon: of the node's own account, which no daemon may use at the
/// same time, or of one whose key a signer holds.
public final class Wallet implements Purse, AutoCloseable {
  private static final Duration READ_MAX = Duration.ofMinutes(5);
  private static final Duration SEND_MAX = Duration.ofMinutes(3);

  private final NodeConfig config;
  private final Contracts contracts;
  private final Address account;
  private final Optional<AccountSigner> signer;
  private final ChainRpc rpc;
  private final WalletReader reader;

  private Wallet(
      NodeConfig config,
      Contracts contracts,
      Address account,
      Optional<AccountSigner> signer,
      ChainRpc rpc) {
    this.config = config;
    this.contracts = contracts;
    this.account = account;
    this.signer = signer;
    this.rpc = rpc;
    this.reader = new WalletReader(config, contracts, account, rpc);
  }

  /// Opens the wallet of the node's account, or of another one's signer.
  ///
  /// @throws ConfigException if the settings do not name a chain and its contracts, or the signer's
  ///   account is the node's
  /// @throws LedgerException if the chain is away, or the wallet is open elsewhere
  public static Wallet open(NodeConfig config, Optional<AccountSigner> signer) {
    Contracts contracts = Contracts.of(config.chain());
    Address account = signer.map(AccountSigner::address).orElseGet(() -> own(config));
    if (signer.isPresent()
        && Files.exists(config.keys().accountFile())
        && own(config).equals(account)) {
      throw new ConfigException(
          "The account "
              + account
              + " is the node's own, whose key is here; leave --signer and --account out, so that"
              + " one place gives out its nonces.");
    }
    ChainRpc rpc = ChainRpc.connect(ChainAddresses.rpc(config.chain(), contracts.chainId()));
    try {
      contracts.requireOn(rpc);
      return new Wallet(config, contracts, account, signer, rpc);
    } catch (RuntimeException e) {
      rpc.close();
      throw e;
    }
  }

  private static Address own(NodeConfig config) {
    return Keystore.address(config.keys().accountFile());
  }

  /// Whose it is.
  public Address account() {
    return account;
  }

  /// The token and PaymentChannels.
  public WalletContracts money() {
    return reader.money();
  }

  /// The chain's contracts.
  public Contracts contracts() {
    return contracts;
  }

  /// The chain.
  public ChainRpc rpc() {
    return rpc;
  }

  @Override
  public History history(Optional<Point> before, int limit) {
    return reader.history(before, limit, READ_MAX);
  }

  @Override
  public Locked locked() {
    return reader.locked(this::vouchers, READ_MAX);
  }

  private KeptVouchers vouchers() {
    if (signer.isPresent() || !Files.exists(config.databaseFile())) {
      return KeptVouchers.none();
    }
    try (Database database = Database.open(config.databaseFile(), LedgerSchema.LOCATION)) {
      return KeptVouchers.of(database.jdbi(), contracts.channelDomain(), account);
    }
  }

  @Override
  public Inclusion move(String id, WalletMove move) {
    if (signer.isPresent()) {
      return send(
          new JdbiIntentStore(reader.jdbi(), rpc.chainId(), account), signer.get(), id, move);
    }
    // A daemon, or a command like this one, holds the folder while it sends.
    try (Home home = Home.open(config);
        Database database = Database.open(config.databaseFile(), LedgerSchema.LOCATION)) {
      return send(
          new JdbiIntentStore(database.jdbi(), rpc.chainId(), account),
          AccountSigner.of(home.key()),
          id,
          move);
    }
  }

  private Inclusion send(IntentStore store, AccountSigner key, String id, WalletMove move) {
    try (TransactionSender sender =
        TransactionSender.start(
            rpc,
            store,
            key,
            ChainLink.sending(config.chain()),
            SendListener.NONE,
            Clock.systemUTC())) {
      return new WalletMoves(sender, money(), SEND_MAX).move(id, move);
    }
  }

  @Override
  public void close() {
    reader.close();
    rpc.close();
  }
}
