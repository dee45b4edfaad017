package io.rigmesh.node.wallet;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.account.Keystore;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.chain.Place;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.follow.FollowSettings;
import io.rigmesh.ledger.follow.LedgerFollower;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.ledger.wallet.LockedChannel;
import io.rigmesh.ledger.wallet.WalletBook;
import io.rigmesh.ledger.wallet.WalletContracts;
import io.rigmesh.ledger.wallet.WalletEntry;
import io.rigmesh.node.chain.Contracts;
import io.rigmesh.node.config.ConfigException;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;

/// An account's tokens, read from the chain into a file of its own below the node's folder. It
/// works with and without a running daemon: transactions of the node's own account go through the
/// daemon's store, so that one place gives out its nonces; those of another account are signed by
/// the signer that is named.
public final class Wallet implements AutoCloseable {
  private static final Duration READ_MAX = Duration.ofMinutes(5);
  private static final Duration SEND_MAX = Duration.ofMinutes(3);
  private static final int BLOCKS_PER_QUERY = 1_000;
  private static final Duration POLL = Duration.ofMillis(250);

  private final NodeConfig config;
  private final Contracts contracts;
  private final Deployment deployment;
  private final Address account;
  private final Optional<AccountSigner> signer;
  private final ChainRpc rpc;
  private final Jdbi jdbi;
  private final WalletContracts money;

  private Wallet(
      NodeConfig config,
      Contracts contracts,
      Deployment deployment,
      Address account,
      Optional<AccountSigner> signer,
      ChainRpc rpc) {
    this.config = config;
    this.contracts = contracts;
    this.deployment = deployment;
    this.account = account;
    this.signer = signer;
    this.rpc = rpc;
    DataSource source =
        LedgerSchema.open(
            config.home().resolve("wallet-" + account.hex().toLowerCase(Locale.ROOT) + ".db"));
    LedgerSchema.migrate(source);
    this.jdbi = Jdbi.create(source);
    this.money = new WalletContracts(rpc, deployment.token(), deployment.channels());
  }

  /// Opens the wallet of the node's account, or of another one's signer.
  ///
  /// @throws ConfigException if the settings do not name a chain with channels
  /// @throws io.rigmesh.ledger.LedgerException if the chain is away
  public static Wallet open(NodeConfig config, Optional<AccountSigner> signer) {
    Contracts contracts = Contracts.of(config.chain());
    Deployment deployment =
        contracts
            .deployment()
            .orElseThrow(() ->
                new ConfigException(
                    "The wallet needs to know where the contracts are; name a deployment with"
                        + " chain.deployment-file."));
    Address account =
        signer
            .map(AccountSigner::address)
            .orElseGet(() -> Keystore.address(config.keys().accountFile()));
    Duration timeout = Duration.ofSeconds(config.chain().requestTimeoutSeconds());
    ChainRpc rpc =
        ChainRpc.connect(
            new RpcSettings(
                contracts.chainId(),
                config.chain().rpcUrls().stream().map(URI::create).toList(),
                timeout,
                timeout));
    try {
      deployment.requireOn(rpc);
      return new Wallet(config, contracts, deployment, account, signer, rpc);
    } catch (RuntimeException e) {
      rpc.close();
      throw e;
    }
  }

  /// Whose it is.
  public Address account() {
    return account;
  }

  /// The token and PaymentChannels.
  public WalletContracts money() {
    return money;
  }

  /// The history up to now, the newest first, and what is locked.
  ///
  /// @param entries lines of history
  /// @param locked channels that hold tokens
  public record Report(List<WalletEntry> entries, List<LockedChannel> locked) {}

  /// Reads what happened since the last time, and reports.
  ///
  /// @param before only lines older than this; empty for the newest
  public Report report(Optional<Place> before, int limit) {
    WalletBook book =
        new WalletBook(
            jdbi,
            new WalletBook.Parties(
                contracts.chainId(),
                account,
                deployment.token(),
                deployment.escrow(),
                deployment.registry(),
                deployment.channels(),
                money.feeBasisPoints()));
    int confirmations = Math.max(1, config.chain().confirmations());
    long safe = Math.max(deployment.block(), rpc.head().number() - confirmations + 1);
    try (LedgerFollower follower =
        LedgerFollower.start(
            rpc,
            jdbi,
            "wallet",
            book.followed(),
            new FollowSettings(deployment.block(), confirmations, BLOCKS_PER_QUERY, POLL))) {
      follower.awaitBlock(safe, READ_MAX);
    }
    return new Report(book.history(before, limit, money.balance(account, safe)), book.locked());
  }

  /// Moves tokens of the account into its balance in PaymentChannels.
  public Inclusion deposit(TokenAmount amount) {
    if (money.allowance(account).compareTo(amount.units()) < 0) {
      send("approve", "let " + money.channels() + " take " + amount, money.approve(amount));
    }
    return send(
        "deposit", "deposit " + amount + " with " + money.channels(), money.deposit(amount));
  }

  /// Pays the balance in PaymentChannels out.
  public Inclusion withdraw(TokenAmount amount, Address to) {
    return send(
        "withdraw",
        "withdraw %s from %s to %s".formatted(amount, money.channels(), to),
        money.withdraw(amount, to));
  }

  /// Lets a session key move up to `limit` into channels.
  public Inclusion authorise(Address key, TokenAmount limit, Instant expiresAt) {
    return send(
        "authorise",
        "let %s move %s into channels until %s".formatted(key, limit, expiresAt),
        money.authorise(key, limit, expiresAt));
  }

  /// Takes that back.
  public Inclusion revoke(Address key) {
    return send("revoke", "let %s move nothing any more".formatted(key), money.revoke(key));
  }

  private Inclusion send(String verb, String purpose, Call call) {
    String key = "wallet-" + verb + ":" + UUID.randomUUID();
    SenderSettings settings =
        config.chain().confirmations() <= 1
            ? SenderSettings.development()
            : SenderSettings.production();
    try (Outbox outbox =
        signer.isPresent()
            ? Outbox.ofSigner(rpc, jdbi, signer.get(), settings)
            : Outbox.ofNode(rpc, config, account, settings)) {
      return outbox.send(key, purpose, call, SEND_MAX, Instant.now());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new LedgerException("Waiting for \"" + purpose + "\" was interrupted; it goes on.", e);
    }
  }

  @Override
  public void close() {
    rpc.close();
  }
}
