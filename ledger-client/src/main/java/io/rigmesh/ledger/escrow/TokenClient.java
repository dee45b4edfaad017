package io.rigmesh.ledger.escrow;

import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.generated.DevToken;
import io.rigmesh.ledger.intent.Intent;
import io.rigmesh.ledger.intent.IntentState;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.function.Supplier;
import org.web3j.tx.gas.DefaultGasProvider;

/// The payment token: an ERC-20 with ERC-2612 permits. Amounts are in its smallest unit. Safe for
/// use by several threads; one client serves all that spend the account's tokens, since permits are
/// numbered.
public final class TokenClient {
  /// A permit is handed in with the transaction that it is made for, so this is only the time that
  /// may wait.
  private static final Duration PERMIT_VALID = Duration.ofHours(24);

  /// How the keys of transactions begin that may hand in a permit.
  private static final List<String> SPENDING =
      List.of("fund:", "stake:", "channel-deposit:", "channel-open:", "channel-topup:");

  private final TransactionSender sender;
  private final AccountSigner signer;
  private final ChainRpc rpc;
  private final Address address;
  private final DevToken contract;
  private final Duration timeout;
  private final ReentrantLock permits = new ReentrantLock();

  /// A token, spent from the sender's account.
  ///
  /// @param signer signs permits for the same account
  /// @param timeout how long a transaction may take to be confirmed before the caller hears that it
  ///   is pending
  public TokenClient(
      TransactionSender sender, AccountSigner signer, Address token, Duration timeout) {
    if (!sender.account().equals(signer.address())) {
      throw new IllegalArgumentException("permits and transactions need the same account");
    }
    this.sender = sender;
    this.signer = signer;
    this.rpc = sender.rpc();
    this.address = token;
    this.timeout = timeout;
    this.contract =
        DevToken.load(
            token.hex(), rpc.web3j(), ContractReads.readOnly(rpc), new DefaultGasProvider());
  }

  /// The token's contract.
  public Address address() {
    return address;
  }

  /// What an account holds.
  public TokenAmount balance(Address account) {
    return new TokenAmount(
        ContractReads.read(rpc, "token", address, contract.balanceOf(account.hex())));
  }

  /// What `spender` may take of the owner's tokens, in smallest units; wallets set it as high as
  /// 2^256 - 1.
  public BigInteger allowance(Address owner, Address spender) {
    return ContractReads.read(
        rpc, "token", address, contract.allowance(owner.hex(), spender.hex()));
  }

  /// The token's sign, such as rUSD.
  public String symbol() {
    return ContractReads.read(rpc, "token", address, contract.symbol());
  }

  /// How many decimals the token is shown with.
  public int decimals() {
    return ContractReads.read(rpc, "token", address, contract.decimals()).intValueExact();
  }

  /// Pays tokens to an account and waits until that is confirmed.
  ///
  /// @param occasion names this payment for ever: the same occasion pays once
  public Inclusion transfer(Address recipient, TokenAmount amount, String occasion) {
    return sender.send(
        "transfer:" + occasion,
        "pay %s of token %s to %s".formatted(amount, address, recipient),
        () ->
            Call.of(
                address, contract.transfer(recipient.hex(), amount.units()).encodeFunctionCall()),
        timeout);
  }

  /// Lets a contract take tokens of this account, in place of what it could take before.
  ///
  /// @param occasion names this approval for ever
  public Inclusion approve(Address spender, TokenAmount amount, String occasion) {
    return sender.send(
        "approve:" + occasion,
        "let %s take %s of token %s".formatted(spender, amount, address),
        () ->
            Call.of(address, contract.approve(spender.hex(), amount.units()).encodeFunctionCall()),
        timeout);
  }

  /// Does something that takes `amount` from this account: from the allowance where there is one,
  /// else with a permit in the same transaction. A permit's number is only known when the one
  /// before is in a block, so these go one by one.
  ///
  /// @param byAllowance makes the transaction where the allowance covers it
  /// @param byPermit makes it with a permit
  public Inclusion spend(
      String key,
      String purpose,
      Address spender,
      TokenAmount amount,
      Supplier<Call> byAllowance,
      Function<Permit, Call> byPermit) {
    Optional<Intent> stored = sender.find(key);
    if (stored.isEmpty() || stored.get().state() instanceof IntentState.Refused) {
      permits.lock();
      try {
        awaitEarlierSpending(key, purpose);
        if (!signer.signsDigests()
            && allowance(sender.account(), spender).compareTo(amount.units()) < 0) {
          // A permit is a digest under the token's own domain.
          approve(spender, amount, key);
        }
        sender.submit(
            key,
            purpose,
            () ->
                allowance(sender.account(), spender).compareTo(amount.units()) >= 0
                    ? byAllowance.get()
                    : byPermit.apply(permit(spender, amount)));
        sender.awaitMined(key, timeout);
      } finally {
        permits.unlock();
      }
    } else {
      // Checks that it is the same purpose.
      sender.submit(key, purpose, byAllowance);
    }
    return sender.await(key, timeout);
  }

  private void awaitEarlierSpending(String key, String purpose) {
    for (Intent intent : sender.store().pending()) {
      boolean spends = SPENDING.stream().anyMatch(intent.key()::startsWith);
      if (spends && !intent.key().equals(key) && !(intent.state() instanceof IntentState.Mined)) {
        try {
          sender.awaitMined(intent.key(), timeout);
        } catch (TransactionFailedException | TransactionRefusedException e) {
          // It no longer stands in the way, and whoever asked for it is told.
        } catch (TransactionPendingException e) {
          throw new TransactionPendingException(
              "\"%s\" was not begun, because an earlier one must be mined first: %s"
                  .formatted(purpose, e.getMessage()));
        }
      }
    }
  }

  private Permit permit(Address spender, TokenAmount amount) {
    Hash domain = Hash.of(ContractReads.read(rpc, "token", address, contract.DOMAIN_SEPARATOR()));
    BigInteger nonce =
        ContractReads.read(rpc, "token", address, contract.nonces(sender.account().hex()));
    Instant deadline = rpc.head().timestamp().plus(PERMIT_VALID);
    return Permit.sign(signer, domain, spender, amount.units(), nonce, deadline);
  }
}
