package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.Ether;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.FeeQuote;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.intent.Intent;
import io.rigmesh.ledger.intent.IntentState;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;

/// Money on its way through a balance in the channels' contract: in from a wallet, on into channels
/// by the payer or a session key of it, and out again. What is taken from a balance is looked up
/// first, so these go one by one.
final class ChannelFunding {
  private static final String DEPOSIT = "channel-deposit:";

  /// How the keys of transactions begin that take from a balance.
  private static final List<String> SPENDING =
      List.of("channel-open:", "channel-topup:", "channel-withdraw:");

  /// Ether for so much gas stays in a wallet that pays by ether, where it is not needed at once.
  private static final BigInteger GAS_KEPT = BigInteger.valueOf(2_000_000);

  private final TransactionSender sender;
  private final ChainRpc rpc;
  private final TokenClient wallet;
  private final Address address;
  private final ChannelReads reads;
  private final ChannelCalls calls;
  private final Duration timeout;
  private final ReentrantLock spending = new ReentrantLock();

  ChannelFunding(
      TransactionSender sender,
      TokenClient wallet,
      Address address,
      ChannelReads reads,
      ChannelCalls calls,
      Duration timeout) {
    this.sender = sender;
    this.rpc = sender.rpc();
    this.wallet = wallet;
    this.address = address;
    this.reads = reads;
    this.calls = calls;
    this.timeout = timeout;
  }

  Inclusion deposit(Address token, TokenAmount amount, String occasion) {
    if (token.equals(Address.ZERO)) {
      return sender.send(
          DEPOSIT + occasion,
          "deposit %s with %s".formatted(Ether.text(amount.units()), address),
          () -> calls.deposit(token, amount),
          timeout);
    }
    requireWallet(token);
    return wallet.spend(
        DEPOSIT + occasion,
        "deposit %s of %s with %s".formatted(amount, token, address),
        address,
        amount,
        () -> calls.deposit(token, amount),
        permit -> calls.deposit(token, amount, permit));
  }

  Inclusion withdraw(Address token, TokenAmount amount, Address to, String occasion) {
    spending.lock();
    try {
      return sender.send(
          "channel-withdraw:" + occasion,
          "withdraw %s of %s from %s to %s".formatted(amount, token, address, to),
          () -> calls.withdraw(token, amount, to),
          timeout);
    } finally {
      spending.unlock();
    }
  }

  /// What this account could move into channels from a payer's money now.
  TokenAmount available(Address payer, Address token) {
    TokenAmount balance = reads.balance(payer, token);
    if (!payer.equals(sender.account())) {
      TokenAmount left = reads.session(payer, sender.account(), token).left(rpc.head().timestamp());
      return left.compareTo(balance) < 0 ? left : balance;
    }
    if (token.equals(Address.ZERO)) {
      FeeQuote fees = rpc.fees();
      BigInteger kept = fees.baseFeeWei().add(fees.priorityFeeWei()).multiply(GAS_KEPT);
      BigInteger spare = rpc.balanceWei(payer).subtract(kept).max(BigInteger.ZERO);
      return balance.plus(new TokenAmount(spare));
    }
    return token.equals(wallet.address()) ? balance.plus(wallet.balance(payer)) : balance;
  }

  /// Moves `amount` into a channel from the payer's balance, with a deposit from the wallet first
  /// where the balance is too small: of tokens in the same transaction, of ether in one before it,
  /// since the contract's multicall takes none.
  ///
  /// @param key names the transaction for ever
  /// @param move the opening or the top-up
  /// @return the number of its block
  long fund(String key, String purpose, ChannelTerms terms, TokenAmount amount, Call move) {
    if (isUnderWay(key)) {
      sender.submit(key, purpose, () -> move);
      return sender.await(key, timeout).blockNumber();
    }
    spending.lock();
    try {
      awaitEarlierSpending(key);
      awaitEarlierDeposits(key);
      if (!terms.payer().equals(sender.account())) {
        requireSession(terms, amount, purpose);
      }
      TokenAmount balance = reads.balance(terms.payer(), terms.token());
      if (balance.compareTo(amount) < 0) {
        TokenAmount missing = amount.minus(balance);
        requireFunds(terms, balance, missing, purpose);
        if (!terms.token().equals(Address.ZERO)) {
          return wallet
              .spend(
                  key,
                  purpose,
                  address,
                  missing,
                  () -> calls.depositAnd(terms.token(), missing, move),
                  permit -> calls.depositAnd(terms.token(), missing, permit, move))
              .blockNumber();
        }
        Inclusion _ = deposit(Address.ZERO, missing, nextDeposit(key));
      }
      sender.submit(key, purpose, () -> move);
      sender.awaitMined(key, timeout);
    } finally {
      spending.unlock();
    }
    return sender.await(key, timeout).blockNumber();
  }

  /// The contract says the same by a revert, but not what would help.
  private void requireSession(ChannelTerms terms, TokenAmount amount, String purpose) {
    Address key = sender.account();
    Session session = reads.session(terms.payer(), key, terms.token());
    Instant now = rpc.head().timestamp();
    String remedy =
        "authorise it with the payer's key: rigmesh wallet authorise %s --limit AMOUNT"
            .formatted(key);
    if (session.isNone()) {
      throw new InsufficientFundsException(
          "To %s, the key %s needs the word of the payer %s, which never authorised it for the token %s, or has revoked that; %s"
              .formatted(purpose, key, terms.payer(), terms.token(), remedy));
    }
    if (!now.isBefore(session.expiresAt())) {
      throw new InsufficientFundsException(
          "To %s, the key %s needs the word of the payer %s, and that ended at %s; %s"
              .formatted(purpose, key, terms.payer(), session.expiresAt(), remedy));
    }
    if (session.left(now).compareTo(amount) < 0) {
      throw new InsufficientFundsException(
          "To %s, the key %s would move %s for the payer %s, and of its limit of %s only %s are left; %s"
              .formatted(
                  purpose, key, amount, terms.payer(), session.limit(), session.left(now), remedy));
    }
  }

  private void requireFunds(
      ChannelTerms terms, TokenAmount balance, TokenAmount missing, String purpose) {
    if (!terms.payer().equals(sender.account())) {
      throw new InsufficientFundsException(
          "To %s, the payer %s needs %s more in the channels' contract, where it has %s; it must deposit that itself: rigmesh wallet deposit AMOUNT with its key."
              .formatted(purpose, terms.payer(), missing, balance));
    }
    boolean ether = terms.token().equals(Address.ZERO);
    if (!ether) {
      requireWallet(terms.token());
    }
    BigInteger held =
        ether ? rpc.balanceWei(sender.account()) : wallet.balance(sender.account()).units();
    if (held.compareTo(missing.units()) < 0) {
      throw new InsufficientFundsException(
          "To %s, the account %s has %s in the contract and %s in its wallet, and needs %s more than that; send it %s."
              .formatted(
                  purpose,
                  terms.payer(),
                  balance,
                  ether ? Ether.text(held) : held,
                  missing.units().subtract(held),
                  ether ? "ether" : "tokens"));
    }
  }

  private void requireWallet(Address token) {
    if (!token.equals(wallet.address())) {
      throw new InsufficientFundsException(
          "The channels' contract is to get %s, and this node's wallet is of %s; deposit it from another wallet."
              .formatted(token, wallet.address()));
    }
  }

  private boolean isUnderWay(String key) {
    Optional<Intent> stored = sender.find(key);
    return stored.isPresent() && !(stored.get().state() instanceof IntentState.Refused);
  }

  /// What an earlier transaction takes from the balance shows only once it is in a block.
  private void awaitEarlierSpending(String key) {
    for (Intent intent : sender.store().pending()) {
      boolean spends = SPENDING.stream().anyMatch(intent.key()::startsWith);
      if (spends && !intent.key().equals(key) && !(intent.state() instanceof IntentState.Mined)) {
        awaitMined(intent.key());
      }
    }
  }

  /// A deposit of ether for this transaction that was begun before a restart counts.
  private void awaitEarlierDeposits(String key) {
    for (Intent intent : sender.store().pending()) {
      if (intent.key().startsWith(DEPOSIT + key)) {
        awaitMined(intent.key());
      }
    }
  }

  private void awaitMined(String key) {
    try {
      sender.awaitMined(key, timeout);
    } catch (TransactionFailedException | TransactionRefusedException e) {
      // It no longer stands in the way, and whoever asked for it is told.
    }
  }

  /// The first occasion that no deposit has had.
  private String nextDeposit(String key) {
    String occasion = key;
    for (int again = 2; sender.find(DEPOSIT + occasion).isPresent(); again++) {
      occasion = key + ":" + again;
    }
    return occasion;
  }
}
