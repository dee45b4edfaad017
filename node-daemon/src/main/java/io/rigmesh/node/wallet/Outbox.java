package io.rigmesh.node.wallet;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.intent.Intent;
import io.rigmesh.ledger.intent.IntentState;
import io.rigmesh.ledger.intent.IntentStore;
import io.rigmesh.ledger.intent.JdbiIntentStore;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.node.Home;
import io.rigmesh.node.client.DaemonClient;
import io.rigmesh.node.config.ConfigException;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.store.Database;
import io.rigmesh.protocol.Address;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jdbi.v3.core.Jdbi;

/// Where a person's transactions are put. A running daemon sends its account's: it looks through
/// its store, and is the only one to give out nonces. Without one they are sent from here.
final class Outbox implements AutoCloseable {
  private static final Duration LOOK_EVERY = Duration.ofMillis(200);

  private final IntentStore store;
  private final Deque<Runnable> closing = new ArrayDeque<>();

  private Outbox(IntentStore store) {
    this.store = store;
  }

  /// The outbox of an account whose key is elsewhere.
  static Outbox ofSigner(ChainRpc rpc, Jdbi jdbi, AccountSigner signer, SenderSettings settings) {
    Outbox outbox = new Outbox(new JdbiIntentStore(jdbi, rpc.chainId(), signer.address()));
    outbox.sendFromHere(rpc, signer, settings);
    return outbox;
  }

  /// The outbox of the node's own account.
  static Outbox ofNode(ChainRpc rpc, NodeConfig config, Address account, SenderSettings settings) {
    Database database = Database.open(config.databaseFile(), LedgerSchema.LOCATION);
    Outbox outbox = new Outbox(new JdbiIntentStore(database.jdbi(), rpc.chainId(), account));
    outbox.closing.push(database::close);
    try {
      outbox.store.bindChain(rpc.genesisHash());
      Home home = Home.open(config);
      outbox.closing.push(home::close);
      outbox.sendFromHere(rpc, AccountSigner.of(home.key()), settings);
      return outbox;
    } catch (ConfigException e) {
      if (DaemonClient.of(config).isLive()) {
        // The daemon has the folder, and sends.
        return outbox;
      }
      outbox.close();
      throw e;
    } catch (LedgerException e) {
      outbox.close();
      throw e;
    }
  }

  private void sendFromHere(ChainRpc rpc, AccountSigner signer, SenderSettings settings) {
    TransactionSender sender =
        TransactionSender.start(rpc, store, signer, settings, SendListener.NONE, Clock.systemUTC());
    closing.push(sender::close);
  }

  /// Stores a transaction and waits until it is confirmed.
  Inclusion send(String key, String purpose, Call call, Duration patience, Instant now)
      throws InterruptedException {
    store.plan(key, purpose, call, now);
    long deadline = System.nanoTime() + patience.toNanos();
    while (true) {
      Intent intent = store.find(key).orElseThrow();
      String waits;
      switch (intent.state()) {
        case IntentState.Confirmed confirmed -> {
          return confirmed.inclusion();
        }
        case IntentState.Planned planned -> waits = planned.note();
        case IntentState.Signed signed -> waits = signed.note();
        case IntentState.Mined _ -> waits = "it is not deep enough in the chain yet";
        case IntentState.Refused refused -> throw new TransactionRefusedException(refused.reason());
        case IntentState.Reverted reverted ->
            throw new TransactionFailedException(reverted.reason());
        case IntentState.Displaced displaced ->
            throw new TransactionFailedException(displaced.reason());
      }
      if (System.nanoTime() - deadline >= 0) {
        throw new TransactionPendingException(
            "\"%s\" is stored and not confirmed yet%s; it goes on by itself."
                .formatted(purpose, waits.isEmpty() ? "" : " (" + waits + ")"));
      }
      Thread.sleep(LOOK_EVERY);
    }
  }

  @Override
  public void close() {
    while (!closing.isEmpty()) {
      closing.pop().run();
    }
  }
}
