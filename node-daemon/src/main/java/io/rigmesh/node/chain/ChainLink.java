package io.rigmesh.node.chain;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.ChainHead;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.EndpointHealth;
import io.rigmesh.ledger.chain.NewHeads;
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
import io.rigmesh.node.ChainView;
import io.rigmesh.node.Service;
import io.rigmesh.node.config.ChainConfig;
import io.rigmesh.node.config.ConfigException;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.store.Database;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Keeps a connection to the chain. The daemon starts and works without one; what needs the chain
/// asks for it and hears that it is away. New blocks are heard of by WebSocket where one is set up,
/// and polled for in any case; each wakes whoever waits for one. Safe for use by several threads.
public final class ChainLink implements Service {
  private static final Logger LOG = LoggerFactory.getLogger(ChainLink.class);
  private static final Duration TRANSACTION_PATIENCE = Duration.ofSeconds(60);

  /// By how much the newest block may be ahead of this machine's clock: deadlines and challenge
  /// times are the chain's, and are missed by a clock that is behind it.
  private static final Duration AHEAD_MAX = Duration.ofSeconds(60);

  private static final Duration STOP_MAX = Duration.ofSeconds(5);

  private final ChainConfig config;
  private final Contracts contracts;
  private final AccountSigner signer;
  private final IntentStore intents;
  private final RpcSettings rpcSettings;
  private final List<URI> sockets;
  private final Clock clock;
  private final List<Runnable> waiting = new CopyOnWriteArrayList<>();
  private final Bell pollBell = new Bell();
  private final Bell headBell = new Bell();
  private volatile @Nullable ChainRpc rpc;
  private volatile @Nullable NewHeads newHeads;
  private volatile @Nullable ChainAccess access;
  private volatile @Nullable ChainHead head;
  private volatile String trouble = "the chain has not been reached yet";
  private final List<Thread> threads = new ArrayList<>();

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
    this.rpcSettings = ChainAddresses.rpc(config, contracts.chainId());
    this.sockets = ChainAddresses.sockets(config);
    this.clock = clock;
  }

  @Override
  public String name() {
    return "chain";
  }

  @Override
  public void start() {
    rpc = ChainRpc.open(rpcSettings);
    threads.add(Thread.ofVirtual().name("chain").start(this::follow));
    // Of their own, since what is woken may wait for an endpoint, and the head's age may not.
    threads.add(Thread.ofVirtual().name("chain-heads").start(this::wakeAll));
    if (!sockets.isEmpty()) {
      newHeads = NewHeads.start(contracts.chainId(), sockets, this::heard);
    }
  }

  @Override
  public void stop() {
    NewHeads listening = newHeads;
    if (listening != null) {
      listening.close();
    }
    threads.forEach(Thread::interrupt);
    try {
      for (Thread running : threads) {
        running.join(STOP_MAX);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    ChainAccess connected = access;
    access = null;
    if (connected != null) {
      connected.sender().close();
    }
    ChainRpc opened = rpc;
    if (opened != null) {
      opened.close();
    }
  }

  /// Calls this after every new block, as soon as it is heard of; it may come twice, and several
  /// blocks may come as one.
  public void onHead(Runnable woken) {
    waiting.add(woken);
  }

  /// How the node stands to its chain; needs no network.
  public ChainView view() {
    ChainRpc asked = rpc;
    NewHeads listening = newHeads;
    List<EndpointHealth> endpoints = asked == null ? List.of() : asked.endpoints();
    return new ChainView(
        contracts,
        Optional.ofNullable(head),
        headAgeSeconds(),
        trouble(),
        endpoints,
        listening == null
            ? Optional.empty()
            : Optional.of(
                new ChainView.Socket(
                    listening.isConnected(), listening.heads(), listening.trouble())));
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
    ChainHead known = head;
    Duration ahead =
        known == null ? Duration.ZERO : Duration.between(clock.instant(), known.timestamp());
    if (ahead.compareTo(AHEAD_MAX) > 0) {
      return Optional.of(
          "the chain's newest block is "
              + ahead.toSeconds()
              + " s ahead of this machine's clock; set the clock, by NTP for example");
    }
    return Optional.empty();
  }

  /// How long before its deadline a job must be done; where the settings do not say, there is time
  /// for two replacements of a transaction's fee, and for some blocks.
  public static Duration settleMargin(NodeConfig config) {
    int seconds = config.provider().settleMarginSeconds();
    if (seconds > 0) {
      return Duration.ofSeconds(seconds);
    }
    Duration blocks = Duration.ofSeconds(config.chain().confirmations() <= 1 ? 5 : 60);
    return sending(config.chain()).replaceAfter().multipliedBy(2).plus(blocks);
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

  /// A new block, by WebSocket: known before it is read.
  private void heard() {
    headBell.ring();
    pollBell.ring();
  }

  private void wakeAll() {
    try {
      while (true) {
        headBell.await();
        ChainAccess connected = access;
        if (connected != null) {
          connected.sender().lookNow();
        }
        waiting.forEach(ChainLink::wake);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void wake(Runnable woken) {
    try {
      woken.run();
    } catch (RuntimeException e) {
      LOG.error("what waits for new blocks failed", e);
    }
  }

  private void follow() {
    try {
      while (true) {
        poll();
        pollBell.await(Duration.ofMillis(config.pollMillis()));
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
      ChainHead before = head;
      ChainHead now = connected.rpc().head();
      head = now;
      NewHeads listening = newHeads;
      boolean told = listening != null && listening.isConnected();
      if (!told && (before == null || !before.hash().equals(now.hash()))) {
        headBell.ring();
      }
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

  /// How transactions are sent by these settings: by the daemon, and by the wallet's commands where
  /// none runs.
  public static SenderSettings sending(ChainConfig config) {
    SenderSettings base =
        config.confirmations() <= 1 ? SenderSettings.development() : SenderSettings.production();
    return new SenderSettings(
        Math.max(1, config.confirmations()),
        base.maxFeeCapWei(),
        base.gasMarginPercent(),
        base.replaceAfter(),
        base.pollInterval());
  }

  private ChainAccess connect() {
    ChainRpc opened = Objects.requireNonNull(rpc, "started");
    opened.requireChain();
    contracts.requireOn(opened);
    TransactionSender sender =
        TransactionSender.start(opened, intents, signer, sending(config), SendListener.NONE, clock);
    TokenClient token = new TokenClient(sender, signer, contracts.token(), TRANSACTION_PATIENCE);
    return new ChainAccess(
        opened,
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
  }
}
