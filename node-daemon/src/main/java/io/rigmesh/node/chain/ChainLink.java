package io.rigmesh.node.chain;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.ChainHead;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.channel.ChannelClient;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.escrow.RegistryClient;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.intent.IntentStore;
import io.rigmesh.ledger.intent.JdbiIntentStore;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.node.Service;
import io.rigmesh.node.config.ChainConfig;
import io.rigmesh.node.config.ConfigException;
import io.rigmesh.node.store.Database;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps a connection to the chain. The daemon starts and works without one; what needs the chain
/// asks for it and hears that it is away. Safe for use by several threads.
public final class ChainLink implements Service {
  private static final Logger LOG = LoggerFactory.getLogger(ChainLink.class);
  private static final Duration TRANSACTION_PATIENCE = Duration.ofSeconds(60);

  private final ChainConfig config;
  private final Contracts contracts;
  private final AccountSigner signer;
  private final IntentStore intents;
  private final RpcSettings rpcSettings;
  private final Clock clock;
  private volatile @Nullable ChainAccess access;
  private volatile @Nullable ChainHead head;
  private volatile String trouble = "the chain has not been reached yet";
  private @Nullable Thread thread;

  /// A link that is not connected yet.
  ///
  /// @throws ConfigException if an endpoint is no address
  public ChainLink(
      ChainConfig config,
      Contracts contracts,
      AccountSigner signer,
      Database database,
      Clock clock) {
    this.config = config;
    this.contracts = contracts;
    this.signer = signer;
    this.intents = new JdbiIntentStore(database.jdbi(), contracts.chainId(), signer.address());
    this.rpcSettings = settings(config, contracts);
    this.clock = clock;
  }

  private static RpcSettings settings(ChainConfig config, Contracts contracts) {
    List<URI> endpoints = new ArrayList<>();
    Duration timeout = Duration.ofSeconds(config.requestTimeoutSeconds());
    try {
      config.rpcUrls().forEach(url -> endpoints.add(URI.create(url)));
      return new RpcSettings(contracts.chainId(), endpoints, timeout, timeout);
    } catch (IllegalArgumentException e) {
      // The address itself may hold a secret and is not repeated.
      throw new ConfigException(
          "chain.rpc-urls is a list of http or https addresses, and one is not.", e);
    }
  }

  @Override
  public String name() {
    return "chain";
  }

  @Override
  public void start() {
    thread = Thread.ofVirtual().name("chain").start(this::follow);
  }

  @Override
  public void stop() {
    Thread running = thread;
    if (running != null) {
      running.interrupt();
      try {
        running.join(Duration.ofSeconds(5));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    ChainAccess connected = access;
    access = null;
    if (connected != null) {
      connected.sender().close();
      connected.rpc().close();
    }
  }

  /// The connected chain.
  ///
  /// @throws ChainUnavailableException if it has never been reached
  public ChainAccess require() {
    ChainAccess connected = access;
    if (connected == null) {
      throw new ChainUnavailableException(
          "The chain is away: " + trouble, new IllegalStateException(trouble));
    }
    return connected;
  }

  /// Why new work cannot be taken, if the chain is the reason.
  public Optional<String> trouble() {
    if (!trouble.isEmpty()) {
      return Optional.of(trouble);
    }
    OptionalDouble age = headAgeSeconds();
    if (age.isPresent() && age.getAsDouble() > config.headAgeSecondsMax()) {
      return Optional.of(
          "the chain's newest block is "
              + Math.round(age.getAsDouble())
              + " s old, above chain.head-age-seconds-max = "
              + config.headAgeSecondsMax());
    }
    return Optional.empty();
  }

  /// How old the newest known block is.
  public OptionalDouble headAgeSeconds() {
    ChainHead known = head;
    return known == null
        ? OptionalDouble.empty()
        : OptionalDouble.of(known.age(clock.instant()).toMillis() / 1000.0);
  }

  /// This account's stored transactions; needs no network.
  public IntentStore intents() {
    return intents;
  }

  /// The chain and contracts.
  public Contracts contracts() {
    return contracts;
  }

  private void follow() {
    try {
      while (true) {
        poll();
        Thread.sleep(Duration.ofMillis(config.pollMillis()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void poll() {
    try {
      ChainAccess connected = access;
      if (connected == null) {
        connected = connect();
        access = connected;
      }
      head = connected.rpc().head();
      if (!trouble.isEmpty()) {
        LOG.info("the chain {} is there", contracts.chainId());
      }
      trouble = "";
    } catch (LedgerException e) {
      if (!trouble.equals(e.getMessage())) {
        LOG.warn("{}", e.getMessage());
      }
      trouble = e.getMessage();
    } catch (RuntimeException e) {
      if (trouble.isEmpty()) {
        LOG.error("asking the chain failed", e);
      }
      trouble = "asking the chain failed: " + e.getMessage();
    }
  }

  private ChainAccess connect() {
    ChainRpc rpc = ChainRpc.connect(rpcSettings);
    try {
      contracts.deployment().ifPresent(deployment -> deployment.requireOn(rpc));
      SenderSettings base =
          config.confirmations() <= 1 ? SenderSettings.development() : SenderSettings.production();
      TransactionSender sender =
          TransactionSender.start(
              rpc,
              intents,
              signer,
              new SenderSettings(
                  Math.max(1, config.confirmations()),
                  base.maxFeeCapWei(),
                  base.gasMarginPercent(),
                  base.replaceAfter(),
                  base.pollInterval()),
              SendListener.NONE,
              clock);
      TokenClient token = new TokenClient(sender, signer, contracts.token(), TRANSACTION_PATIENCE);
      return new ChainAccess(
          rpc,
          sender,
          token,
          new EscrowClient(sender, token, contracts.escrow(), TRANSACTION_PATIENCE),
          new ChannelClient(
              sender,
              token,
              contracts.channels(),
              Math.max(1, config.confirmations()),
              TRANSACTION_PATIENCE),
          new RegistryClient(sender, token, contracts.registry(), TRANSACTION_PATIENCE));
    } catch (RuntimeException e) {
      rpc.close();
      throw e;
    }
  }
}
