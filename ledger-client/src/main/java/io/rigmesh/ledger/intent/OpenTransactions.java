package io.rigmesh.ledger.intent;

import io.rigmesh.ledger.Ether;
import io.rigmesh.ledger.InsufficientGasFundsException;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.account.SignerException;
import io.rigmesh.ledger.chain.ChainHead;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.FeeQuote;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.chain.RevertedException;
import io.rigmesh.ledger.chain.RpcRefusedException;
import io.rigmesh.protocol.Address;
import java.math.BigInteger;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Takes open transactions one step on: plans become signed bytes, signed bytes reach the chain,
/// blocks are looked through for them. Every decision is stored before it has an effect outside.
/// Used under the lock of the sender.
final class OpenTransactions {
  private static final Logger LOG = LoggerFactory.getLogger(OpenTransactions.class);

  private final ChainRpc rpc;
  private final IntentStore store;
  private final AccountSigner signer;
  private final Address account;
  private final SenderSettings settings;
  private final SendListener listener;
  private final Clock clock;

  OpenTransactions(
      ChainRpc rpc,
      IntentStore store,
      AccountSigner signer,
      SenderSettings settings,
      SendListener listener,
      Clock clock) {
    this.rpc = rpc;
    this.store = store;
    this.signer = signer;
    this.account = signer.address();
    this.settings = settings;
    this.listener = listener;
    this.clock = clock;
  }

  /// One round over open intents, in their order. A failure with one does not stop the others.
  ///
  /// @throws io.rigmesh.ledger.ChainUnavailableException if no endpoint answers
  void advance(List<Intent> pending) {
    ChainHead head = rpc.head();
    for (Intent intent : pending) {
      try {
        switch (intent.state()) {
          case IntentState.Planned planned -> signAndSend(intent);
          case IntentState.Signed signed -> follow(intent, signed.nonce(), head);
          case IntentState.Mined mined -> follow(intent, mined.nonce(), head);
          case IntentState.Confirmed c -> {}
          case IntentState.Reverted r -> {}
          case IntentState.Refused r -> {}
          case IntentState.Displaced d -> {}
        }
      } catch (TransactionRefusedException | InsufficientGasFundsException e) {
        LOG.warn("\"{}\" was not signed: {}", intent.purpose(), e.getMessage());
      } catch (RpcRefusedException | SignerException e) {
        store.note(intent.id(), e.getMessage(), clock.instant());
      }
    }
  }

  /// Takes settled transactions up again that the chain no longer has, which is when a
  /// reorganisation went deeper than the confirmations, or a development chain was set back. Their
  /// bytes are the same, so nothing can happen twice; without them no later nonce could be used.
  void reopenLost() {
    long onChain = rpc.nonce(account);
    for (Intent intent : store.settledFrom(onChain)) {
      if (findInclusion(store.attempts(intent.id())).isEmpty()) {
        store.reopen(intent.id(), clock.instant());
        LOG.warn(
            "\"{}\" was confirmed but is no longer in the chain; it is sent again",
            intent.purpose());
      }
    }
  }

  /// Signs a planned intent under the next nonce, stores that, and sends it. It stays planned where
  /// the chain's fees are above the cap.
  ///
  /// @throws TransactionRefusedException if the chain would revert it; the intent is refused
  /// @throws InsufficientGasFundsException if the account cannot pay for it; the intent is refused
  void signAndSend(Intent intent) {
    FeeQuote quote = rpc.fees();
    Optional<Fees> fees = Fees.first(quote, settings.maxFeeCapWei());
    if (fees.isEmpty()) {
      store.note(
          intent.id(),
          "the chain's base fee is %s per gas, above the cap of %s; raise the cap or wait"
              .formatted(Ether.text(quote.baseFeeWei()), Ether.text(settings.maxFeeCapWei())),
          clock.instant());
      return;
    }
    long gasLimit = gasLimit(intent);
    listener.reached(SendStep.ESTIMATED, intent.key());
    requireFunds(intent, fees.get(), gasLimit);

    long onChain = rpc.nonce(account);
    long next = Math.max(onChain, store.highestNonce().orElse(-1) + 1);
    if (next - onChain > openNonces(onChain)) {
      reopenLost();
      // An endpoint that is behind, or a chain that forgot what it had confirmed. A gap would block
      // all that follows.
      store.note(
          intent.id(),
          "the chain counts %d transactions of the account %s but %d were confirmed; the endpoint is behind, or the"
                  .formatted(onChain, account, next - openNonces(onChain))
              + " chain was set back",
          clock.instant());
      return;
    }
    Attempt attempt =
        SignedTransactions.sign(
            signer, rpc.chainId(), next, intent.call(), gasLimit, fees.get(), clock.instant());
    store.sign(intent.id(), next, attempt);
    listener.reached(SendStep.SIGNED, intent.key());
    send(intent, attempt);
  }

  private long gasLimit(Intent intent) {
    try {
      long estimate = rpc.estimateGas(account, intent.call());
      return Math.addExact(
          estimate, Math.multiplyExact(estimate, (long) settings.gasMarginPercent()) / 100);
    } catch (RevertedException e) {
      return refuse(intent, new TransactionRefusedException(e.getMessage()));
    } catch (RpcRefusedException e) {
      // Nodes say this instead of estimating where even the value cannot be paid.
      if (e.getMessage().toLowerCase(Locale.ROOT).contains("insufficient funds")) {
        return refuse(
            intent,
            new InsufficientGasFundsException(
                account,
                intent.call().valueWei().add(BigInteger.ONE),
                rpc.balanceWei(account),
                intent.purpose()));
      }
      throw e;
    }
  }

  private void requireFunds(Intent intent, Fees fees, long gasLimit) {
    BigInteger needed =
        fees.maxFeeWei().multiply(BigInteger.valueOf(gasLimit)).add(intent.call().valueWei());
    for (Intent other : store.pending()) {
      if (other.state() instanceof IntentState.Signed) {
        needed =
            needed.add(other.call().valueWei()).add(store.attempts(other.id()).get(0).costMaxWei());
      }
    }
    BigInteger balance = rpc.balanceWei(account);
    if (balance.compareTo(needed) < 0) {
      refuse(intent, new InsufficientGasFundsException(account, needed, balance, intent.purpose()));
    }
  }

  private long refuse(Intent intent, LedgerException reason) {
    store.refuse(intent.id(), reason.getMessage(), clock.instant());
    throw reason;
  }

  private long openNonces(long from) {
    return store.pending().stream()
        .map(Intent::state)
        .filter(state ->
            (state instanceof IntentState.Signed s && s.nonce() >= from)
                || (state instanceof IntentState.Mined m && m.nonce() >= from))
        .count();
  }

  private void send(Intent intent, Attempt attempt) {
    try {
      rpc.sendRaw(attempt.raw());
    } catch (RpcRefusedException e) {
      if (!alreadyThere(e)) {
        boolean said =
            intent.state() instanceof IntentState.Signed signed
                && signed.note().equals(e.getMessage());
        if (!said) {
          store.note(intent.id(), e.getMessage(), clock.instant());
          LOG.warn(
              "\"{}\" was signed but not taken, it will be tried again: {}",
              intent.purpose(),
              e.getMessage());
        }
        return;
      }
    } catch (RevertedException e) {
      // Some endpoints run a transaction before they take it. The bytes are out, so only the chain
      // decides.
      store.note(intent.id(), e.getMessage(), clock.instant());
      return;
    }
    listener.reached(SendStep.SENT, intent.key());
    store.markSent(attempt.hash(), clock.instant());
    listener.reached(SendStep.SENT_STORED, intent.key());
  }

  /// The words of geth, anvil, besu, nethermind and erigon for "I have it, or one with its nonce is
  /// in a block"; which of the two, the receipts say.
  private static boolean alreadyThere(RpcRefusedException e) {
    String message = e.getMessage().toLowerCase(Locale.ROOT);
    return message.contains("already known")
        || message.contains("already imported")
        || message.contains("alreadyknown")
        || message.contains("known transaction")
        || message.contains("nonce too low");
  }

  private void follow(Intent intent, long nonce, ChainHead head) {
    List<Attempt> attempts = store.attempts(intent.id());
    Optional<Inclusion> found = findInclusion(attempts);
    if (found.isPresent()) {
      included(intent, found.get(), head);
      return;
    }
    if (intent.state() instanceof IntentState.Mined) {
      store.unmined(intent.id(), clock.instant());
      listener.reached(SendStep.UNMINED, intent.key());
      LOG.info(
          "\"{}\" was taken out of the chain by a reorganisation; it is sent again",
          intent.purpose());
    }
    long onChain = rpc.nonce(account);
    if (onChain > nonce) {
      displaceIfSettled(intent, nonce, attempts, head);
      return;
    }
    Attempt newest = attempts.get(0);
    // A clock that was set back says that it was signed long ahead, which tells as little of how
    // long it waits.
    Duration waits = Duration.between(newest.signedAt(), clock.instant()).abs();
    boolean stuck = waits.compareTo(settings.replaceAfter()) > 0;
    // Only the first in line can be stuck by its fees; the ones behind it wait for it.
    if (stuck && onChain == nonce && replace(intent, nonce, newest)) {
      return;
    }
    if (!rpc.knows(newest.hash())) {
      send(intent, newest);
    }
  }

  private Optional<Inclusion> findInclusion(List<Attempt> attempts) {
    for (Attempt attempt : attempts) {
      Optional<Inclusion> inclusion = rpc.inclusion(attempt.hash());
      if (inclusion.isPresent()) {
        return inclusion;
      }
    }
    return Optional.empty();
  }

  private void included(Intent intent, Inclusion inclusion, ChainHead head) {
    long depth = head.number() - inclusion.blockNumber() + 1;
    if (depth >= settings.confirmations()) {
      Optional<String> reason =
          inclusion.succeeded() ? Optional.empty() : Optional.of(revertReason(intent, inclusion));
      store.settle(intent.id(), inclusion, reason, clock.instant());
      listener.reached(SendStep.SETTLED, intent.key());
    } else if (!(intent.state() instanceof IntentState.Mined mined
        && mined.inclusion().equals(inclusion))) {
      store.mined(intent.id(), inclusion, clock.instant());
      listener.reached(SendStep.MINED, intent.key());
    }
  }

  /// A receipt does not say why. The state after its block is the one that most often still shows
  /// it.
  private String revertReason(Intent intent, Inclusion inclusion) {
    try {
      rpc.callAt(account, intent.call(), inclusion.blockNumber());
      return "It ran out of gas, or the reason for it has passed since.";
    } catch (RevertedException e) {
      return e.getMessage();
    } catch (RpcRefusedException e) {
      return "The endpoint cannot say why: " + e.getMessage();
    }
  }

  /// The nonce is used and none of our versions has a receipt. At the depth of a confirmation that
  /// is certain; before, it may be an endpoint that has the block and not yet its receipts.
  private void displaceIfSettled(
      Intent intent, long nonce, List<Attempt> attempts, ChainHead head) {
    long deep = head.number() - settings.confirmations();
    if (deep < 0 || rpc.nonceAt(account, deep) <= nonce || findInclusion(attempts).isPresent()) {
      return;
    }
    String reason =
        "\"%s\" was not done: another program sent a transaction from the account %s with the same nonce %d. Let only"
                .formatted(intent.purpose(), account, nonce)
            + " this node send from its account, then ask for it under a new key.";
    store.displace(intent.id(), reason, clock.instant());
    LOG.error("{}", reason);
  }

  private boolean replace(Intent intent, long nonce, Attempt newest) {
    Optional<Fees> fees = Fees.replacing(newest, rpc.fees(), settings.maxFeeCapWei());
    if (fees.isEmpty()) {
      store.note(
          intent.id(),
          "it waits at the fee cap of %s per gas; raise the cap or wait"
              .formatted(Ether.text(settings.maxFeeCapWei())),
          clock.instant());
      return false;
    }
    Instant now = clock.instant();
    Attempt higher =
        SignedTransactions.sign(
            signer, rpc.chainId(), nonce, intent.call(), newest.gasLimit(), fees.get(), now);
    store.replace(intent.id(), higher);
    listener.reached(SendStep.REPLACEMENT_SIGNED, intent.key());
    LOG.info(
        "\"{}\" waits since {}; sent again with higher fees", intent.purpose(), newest.signedAt());
    send(intent, higher);
    return true;
  }
}
