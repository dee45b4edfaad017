package io.rigmesh.node.receipts;

import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.account.Keystore;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.intent.IntentStore;
import io.rigmesh.ledger.intent.JdbiIntentStore;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.node.Home;
import io.rigmesh.node.chain.ChainAddresses;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.chain.Contracts;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.store.Database;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.time.Clock;
import java.time.Duration;
import java.util.function.BiFunction;

/// The receipts of a node on whose folder no daemon runs.
public final class OwnAnchors implements Anchors {
  private static final Duration SEND_MAX = Duration.ofMinutes(3);

  private final NodeConfig config;
  private final Contracts contracts;
  private final Address account;
  private final Clock clock = Clock.systemUTC();

  /// The receipts of a node's folder. Nothing is opened before it is used.
  ///
  /// @throws io.rigmesh.node.config.ConfigException if the settings do not name a chain and its
  ///   contracts
  /// @throws io.rigmesh.ledger.account.KeystoreException if the node has no account
  public OwnAnchors(NodeConfig config) {
    this.config = config;
    this.contracts = Contracts.of(config.chain());
    this.account = Keystore.address(config.keys().accountFile());
  }

  @Override
  public Anchored anchor(String id) {
    // A daemon, or a command like this one, holds the folder while it sends.
    try (Home home = Home.open(config)) {
      return withStore((anchoring, intents) -> {
        try (ChainRpc rpc = connect();
            TransactionSender sender =
                TransactionSender.start(
                    rpc,
                    intents,
                    AccountSigner.of(home.key()),
                    ChainLink.sending(config.chain()),
                    SendListener.NONE,
                    clock)) {
          return anchoring.anchor(id, sender, SEND_MAX);
        }
      });
    }
  }

  @Override
  public AnchoredReceipt prove(Hash job) {
    return withStore((anchoring, _) -> {
      try (ChainRpc rpc = connect()) {
        return anchoring.prove(job, rpc);
      }
    });
  }

  @Override
  public Listing list() {
    return withStore((anchoring, _) -> anchoring.list());
  }

  private ChainRpc connect() {
    ChainRpc rpc = ChainRpc.connect(ChainAddresses.rpc(config.chain(), contracts.chainId()));
    try {
      contracts.requireOn(rpc);
      return rpc;
    } catch (RuntimeException e) {
      rpc.close();
      throw e;
    }
  }

  private <T> T withStore(BiFunction<Anchoring, IntentStore, T> action) {
    try (Database database = Database.open(config.databaseFile(), LedgerSchema.LOCATION);
        JobStore jobs = new JobStore(database, clock, config.jobs().eventsMax())) {
      IntentStore intents = new JdbiIntentStore(database.jdbi(), contracts.chainId(), account);
      return action.apply(
          new Anchoring(contracts, account, database, jobs, intents, clock), intents);
    }
  }
}
