package io.rigmesh.ledger.intent;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.IntentConflictException;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.Rounds;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.account.SignerException;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.protocol.Address;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The one place that sends an account's transactions on a chain, and so the one that gives out its
/// nonces.
///
/// Every transaction has a business key and happens at most once under it, whatever crashes: the
/// intent is stored before anything else, the nonce and the signed bytes are stored before they are
/// sent, and from then on only versions with that nonce are ever signed. A new sender on the same
/// store takes up what an earlier one left, from the step that it reached. This holds as long as
/// nothing else sends from the account; where something does, the intent ends as
/// [IntentState.Displaced] and is not repeated.
///
/// Safe for use by several threads. One thread of its own looks after open transactions until
/// [#close].
public final class TransactionSender implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TransactionSender.class);
  private static final Rounds.Words WORDS =
      new Rounds.Words("open transactions wait, trying again", "open transactions go on");

  private final ChainRpc rpc;
  private final IntentStore store;
  private final Address account;
  private final Duration pollInterval;
  private final SendListener listener;
  private final Clock clock;
  private final OpenTransactions open;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Rounds rounds;
  private boolean lostLookedFor;

  private TransactionSender(
      ChainRpc rpc,
      IntentStore store,
      AccountSigner signer,
      SenderSettings settings,
      SendListener listener,
      Clock clock) {
    this.rpc = rpc;
    this.store = store;
    this.account = signer.address();
    this.pollInterval = settings.pollInterval();
    this.listener = listener;
    this.clock = clock;
    this.open = new OpenTransactions(rpc, store, signer, settings, listener, clock);
    this.rounds = Rounds.of("ledger-sender", pollInterval, WORDS, this::lookAfter);
  }

  /// Ties the store to the chain and takes up every transaction that is open in it.
  ///
  /// @throws io.rigmesh.ledger.ChainMismatchException if the store belongs to another chain
  /// @throws ChainUnavailableException if no endpoint answers
  public static TransactionSender start(
      ChainRpc rpc,
      IntentStore store,
      AccountSigner signer,
      SenderSettings settings,
      SendListener listener,
      Clock clock) {
    store.bindChain(rpc.genesisHash());
    TransactionSender sender = new TransactionSender(rpc, store, signer, settings, listener, clock);
    sender.rounds.start();
    sender.lookNow();
    return sender;
  }

  /// The account that pays.
  public Address account() {
    return account;
  }

  /// The chain that is sent to.
  public ChainRpc rpc() {
    return rpc;
  }

  /// The stored intents, for showing them.
  public IntentStore store() {
    return store;
  }

  /// Stores an intent, then signs and sends it. Returns when it is sent, or stored where the chain
  /// is away. An intent that is stored already under this key is found, not repeated; a refused one
  /// is tried again.
  ///
  /// @param key names the intent for ever: `fund:<requester>:<jobId>`
  /// @param purpose the same in words and amounts; must be the same at every repetition
  /// @param call makes the transaction, only where it is needed
  /// @throws IntentConflictException if the key is stored with another purpose
  /// @throws TransactionRefusedException if the chain would revert it; nothing was signed
  /// @throws io.rigmesh.ledger.InsufficientGasFundsException if the account cannot pay for it;
  ///   nothing was signed
  public Intent submit(String key, String purpose, Supplier<Call> call) {
    Optional<Call> made = isDecided(store.find(key)) ? Optional.empty() : Optional.of(call.get());
    // Under the lock from the decision on, or the thread that looks after open transactions would
    // sign it, and hear in place of the caller why it cannot be.
    lock.lock();
    try {
      Optional<Intent> stored = store.find(key);
      Intent intent;
      if (made.isPresent() && !isDecided(stored)) {
        intent = store.plan(key, purpose, made.get(), clock.instant());
        listener.reached(SendStep.PLANNED, key);
      } else {
        intent = stored.orElseThrow();
        if (!intent.purpose().equals(purpose)) {
          throw new IntentConflictException(key, intent.purpose(), purpose);
        }
      }
      if (intent.state() instanceof IntentState.Planned) {
        signAndSend(intent);
      }
    } finally {
      changed.signalAll();
      lock.unlock();
      rounds.wake();
    }
    return store.find(key).orElseThrow();
  }

  private static boolean isDecided(Optional<Intent> stored) {
    return stored.isPresent() && !(stored.get().state() instanceof IntentState.Refused);
  }

  private void signAndSend(Intent intent) {
    try {
      open.signAndSend(intent);
    } catch (SignerException e) {
      store.note(intent.id(), e.getMessage(), clock.instant());
      LOG.warn("\"{}\" is stored and waits for its signature: {}", intent.key(), e.getMessage());
    } catch (ChainUnavailableException e) {
      store.note(intent.id(), "the chain cannot be reached", clock.instant());
      LOG.warn(
          "\"{}\" is stored and will be sent when the chain is back: {}",
          intent.key(),
          e.getMessage());
    }
  }

  /// Submits and waits until it is confirmed at the configured depth.
  ///
  /// @throws TransactionFailedException if it reverted or was displaced
  /// @throws TransactionPendingException if that takes longer than `timeout`; asking again later
  ///   finds it
  /// @see #submit
  public Inclusion send(String key, String purpose, Supplier<Call> call, Duration timeout) {
    submit(key, purpose, call);
    return await(key, timeout);
  }

  /// As [#send], for what may be asked for again where it had no effect: what reverted or was
  /// displaced under the key is sent anew under one of its own. Only for calls that the contract
  /// itself takes once.
  public Inclusion sendAnew(String key, String purpose, Supplier<Call> call, Duration timeout) {
    return send(anew(key), purpose, call, timeout);
  }

  /// The key under which something is to be asked for again that the contract itself takes once:
  /// `key`, or one of its own where what was sent under it reverted or was displaced.
  public String anew(String key) {
    String fresh = key;
    for (int again = 2; hadNoEffect(fresh); again++) {
      fresh = key + ":again-" + again;
    }
    return fresh;
  }

  private boolean hadNoEffect(String key) {
    return store
        .find(key)
        .map(Intent::state)
        .filter(state ->
            state instanceof IntentState.Reverted || state instanceof IntentState.Displaced)
        .isPresent();
  }

  /// Waits until an intent that was submitted, now or before a restart, is confirmed at the
  /// configured depth.
  ///
  /// @throws TransactionFailedException if it reverted or was displaced
  /// @throws TransactionRefusedException if it was not signed
  /// @throws TransactionPendingException if it takes longer than `timeout`
  public Inclusion await(String key, Duration timeout) {
    return await(key, timeout, false);
  }

  /// The same, content with a block that is not deep enough yet.
  public Inclusion awaitMined(String key, Duration timeout) {
    return await(key, timeout, true);
  }

  private Inclusion await(String key, Duration timeout, boolean minedIsEnough) {
    long deadline = System.nanoTime() + timeout.toNanos();
    lock.lock();
    try {
      while (true) {
        Intent intent =
            store
                .find(key)
                .orElseThrow(
                    () -> new LedgerException("There is no transaction \"" + key + "\" stored."));
        switch (intent.state()) {
          case IntentState.Confirmed confirmed -> {
            return confirmed.inclusion();
          }
          case IntentState.Mined mined -> {
            if (minedIsEnough && mined.inclusion().succeeded()) {
              return mined.inclusion();
            }
            requireTime(
                deadline,
                intent,
                "it is in block " + mined.inclusion().blockNumber() + ", not deep enough yet");
          }
          case IntentState.Reverted reverted ->
              throw new TransactionFailedException(
                  "The transaction %s for \"%s\" was mined and took back its effect: %s"
                      .formatted(
                          reverted.inclusion().transaction(), intent.purpose(), reverted.reason()));
          case IntentState.Displaced displaced ->
              throw new TransactionFailedException(displaced.reason());
          case IntentState.Refused refused ->
              throw new TransactionRefusedException(refused.reason());
          case IntentState.Planned planned -> requireTime(deadline, intent, planned.note());
          case IntentState.Signed signed -> requireTime(deadline, intent, signed.note());
        }
        long wait = Math.min(deadline - System.nanoTime(), pollInterval.toNanos());
        if (wait > 0) {
          changed.awaitNanos(wait);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TransactionPendingException(
          "Waiting for \"" + key + "\" was interrupted; the transaction stays stored and goes on.");
    } finally {
      lock.unlock();
    }
  }

  /// The stored intent of a key.
  public Optional<Intent> find(String key) {
    return store.find(key);
  }

  /// Looks after open transactions now instead of at the next poll.
  public void lookNow() {
    rounds.wake();
  }

  /// Stops looking after open transactions. They stay stored for the next sender.
  @Override
  public void close() {
    rounds.close();
  }

  private static void requireTime(long deadlineNanos, Intent intent, String note) {
    if (System.nanoTime() - deadlineNanos >= 0) {
      throw new TransactionPendingException(
          "\"%s\" is not confirmed yet%s. It stays stored and goes on by itself; ask again under the key %s."
              .formatted(intent.purpose(), note.isEmpty() ? "" : ": " + note, intent.key()));
    }
  }

  private void lookAfter() {
    lock.lock();
    try {
      List<Intent> pending = store.pending();
      if (!lostLookedFor) {
        open.reopenLost();
        lostLookedFor = true;
      }
      if (!pending.isEmpty()) {
        open.advance(pending);
      }
    } finally {
      changed.signalAll();
      lock.unlock();
    }
  }
}
