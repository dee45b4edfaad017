package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.Ether;
import io.rigmesh.ledger.LedgerException;
import io.rigmesh.ledger.TransactionFailedException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.FeeQuote;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.chain.RpcRefusedException;
import io.rigmesh.ledger.escrow.ContractReads;
import io.rigmesh.ledger.escrow.Permit;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.generated.PaymentChannels;
import io.rigmesh.ledger.intent.Intent;
import io.rigmesh.ledger.intent.IntentState;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.web3j.tx.gas.DefaultGasProvider;
import org.web3j.utils.Numeric;

/// The contract of payment channels, used from one account as a payer, a session key, a payee or
/// all of them. Every method that changes something happens at most once under its name; called
/// again, also after a restart, it finds the first and waits for that. Safe for use by several
/// threads.
public final class ChannelClient implements ChannelContract {
  /// The largest value of 40 bits: closed, for ever.
  private static final BigInteger CLOSED = BigInteger.ONE.shiftLeft(40).subtract(BigInteger.ONE);

  private static final int AMOUNT_BITS = 96;
  private static final String NAME = "PaymentChannels";

  private final TransactionSender sender;
  private final ChainRpc rpc;
  private final TokenClient wallet;
  private final Address address;
  private final int confirmations;
  private final Duration timeout;
  private final PaymentChannels contract;

  /// What is taken from a balance is looked up first, so these go one by one.
  private final ReentrantLock spending = new ReentrantLock();

  /// The channels at an address.
  ///
  /// @param wallet the payment token in the wallet of the sender's account
  /// @param confirmations how many blocks must hold what [#read] tells, as many as the sender waits
  ///   for
  /// @param timeout how long a transaction may take to be confirmed before the caller hears that it
  ///   is pending
  public ChannelClient(
      TransactionSender sender,
      TokenClient wallet,
      Address channels,
      int confirmations,
      Duration timeout) {
    this.sender = sender;
    this.rpc = sender.rpc();
    this.wallet = wallet;
    this.address = channels;
    this.confirmations = confirmations;
    this.timeout = timeout;
    this.contract =
        PaymentChannels.load(
            channels.hex(), rpc.web3j(), ContractReads.readOnly(rpc), new DefaultGasProvider());
  }

  /// The contract's address.
  public Address address() {
    return address;
  }

  @Override
  public Domain domain() {
    return new Domain(rpc.chainId(), address);
  }

  @Override
  public Address account() {
    return sender.account();
  }

  /// How long vouchers are still taken after it was asked to close a channel.
  public Duration challengeTime() {
    return Duration.ofSeconds(
        ContractReads.read(rpc, NAME, address, contract.challengeSeconds()).longValueExact());
  }

  /// The part of what is redeemed that the treasury gets, in ten-thousandths.
  public int feeBasisPoints() {
    return ContractReads.read(rpc, NAME, address, contract.feeBasisPoints()).intValueExact();
  }

  /// What an account could withdraw, in the newest block.
  public TokenAmount balance(Address account, Address token) {
    return new TokenAmount(
        ContractReads.read(rpc, NAME, address, contract.balanceOf(account.hex(), token.hex())));
  }

  /// What a session key may do for a payer, in the newest block.
  public Session session(Address payer, Address key, Address token) {
    PaymentChannels.Session raw =
        ContractReads.read(
            rpc, NAME, address, contract.sessionOf(payer.hex(), key.hex(), token.hex()));
    return new Session(
        new TokenAmount(raw.limit),
        new TokenAmount(raw.spent),
        Instant.ofEpochSecond(raw.expiresAt.longValueExact()));
  }

  /// What a session key may do for its payer.
  ///
  /// @param limit what it may move into channels in all
  /// @param spent what of that it has moved
  /// @param expiresAt until when
  public record Session(TokenAmount limit, TokenAmount spent, Instant expiresAt) {}

  /// A channel as it was at the confirmation depth.
  public Optional<Channel> channel(ChannelTerms terms) {
    return read(terms).channel();
  }

  @Override
  public Reading read(ChannelTerms terms) {
    Call call = Call.of(address, contract.channelOf(terms.id().bytes()).encodeFunctionCall());
    try {
      long block = Math.max(0, rpc.head().number() - confirmations + 1);
      String answer = Numeric.cleanHexPrefix(rpc.callAt(Address.ZERO, call, block));
      // Before its own block the contract is not there and gives nothing back.
      return new Reading(block, answer.isEmpty() ? Optional.empty() : channel(terms, answer));
    } catch (RpcRefusedException e) {
      throw new ChainUnavailableException(
          "The channel %s cannot be read: %s".formatted(terms.id(), e.getMessage()), e);
    }
  }

  private Optional<Channel> channel(ChannelTerms terms, String answer) {
    if (answer.length() != 3 * 64) {
      throw new LedgerException(
          "The contract at %s on the chain %d does not answer as %s does; check the deployment file."
              .formatted(address, rpc.chainId(), NAME));
    }
    BigInteger deposit = new BigInteger(answer.substring(0, 64), 16);
    BigInteger redeemed = new BigInteger(answer.substring(64, 128), 16);
    BigInteger closesAt = new BigInteger(answer.substring(128), 16);
    if (deposit.signum() == 0 && closesAt.signum() == 0) {
      return Optional.empty();
    }
    boolean closed = closesAt.equals(CLOSED);
    return Optional.of(
        new Channel(
            terms,
            new TokenAmount(deposit),
            new TokenAmount(redeemed),
            closed || closesAt.signum() == 0
                ? Optional.empty()
                : Optional.of(Instant.ofEpochSecond(closesAt.longValueExact())),
            closed));
  }

  /// Puts `amount` of the wallet's tokens into this account's balance in the contract.
  ///
  /// @param occasion names this deposit for ever
  public Inclusion deposit(TokenAmount amount, String occasion) {
    return wallet.spend(
        "channel-deposit:" + occasion,
        "deposit %s of %s with %s".formatted(amount, wallet.address(), address),
        address,
        amount,
        () -> Call.of(address, deposit(amount.units())),
        permit -> Call.of(address, deposit(amount.units(), permit)));
  }

  /// Sends `amount` of this account's balance in the contract to an account.
  ///
  /// @param occasion names this withdrawal for ever
  public Inclusion withdraw(Address token, TokenAmount amount, Address to, String occasion) {
    spending.lock();
    try {
      return sender.send(
          "channel-withdraw:" + occasion,
          "withdraw %s of %s from %s to %s".formatted(amount, token, address, to),
          () ->
              Call.of(
                  address,
                  contract.withdraw(token.hex(), amount.units(), to.hex()).encodeFunctionCall()),
          timeout);
    } finally {
      spending.unlock();
    }
  }

  /// Lets a key move up to `limit` of this account's balance into channels until a time.
  ///
  /// @param occasion names this authorisation for ever
  public Inclusion authorise(
      Address key, Address token, TokenAmount limit, Instant expiresAt, String occasion) {
    return sender.send(
        "channel-authorise:" + occasion,
        "let %s move %s of %s into channels until %s".formatted(key, limit, token, expiresAt),
        () ->
            Call.of(
                address,
                contract
                    .authorise(
                        key.hex(),
                        token.hex(),
                        limit.units(),
                        BigInteger.valueOf(expiresAt.getEpochSecond()))
                    .encodeFunctionCall()),
        timeout);
  }

  /// Takes a key's right away.
  ///
  /// @param occasion names this revocation for ever
  public Inclusion revoke(Address key, Address token, String occasion) {
    return sender.send(
        "channel-revoke:" + occasion,
        "let %s move no more of %s into channels".formatted(key, token),
        () -> Call.of(address, contract.revoke(key.hex(), token.hex()).encodeFunctionCall()),
        timeout);
  }

  @Override
  public long open(ChannelTerms terms, TokenAmount amount) {
    return fund(
        "channel-open:" + terms.id().hex(),
        "open the channel %s to %s with %s of %s at %s"
            .formatted(terms.id(), terms.payee(), amount, terms.token(), address),
        terms,
        amount,
        contract.open(struct(terms), units(amount)).encodeFunctionCall());
  }

  @Override
  public long topUp(ChannelTerms terms, long number, TokenAmount amount) {
    return fund(
        "channel-topup:" + terms.id().hex() + ":" + number,
        "add %s to the channel %s to %s at %s"
            .formatted(amount, terms.id(), terms.payee(), address),
        terms,
        amount,
        contract.topUp(struct(terms), units(amount)).encodeFunctionCall());
  }

  @Override
  public void requestClose(ChannelTerms terms) {
    finish(
        "channel-leave:" + terms.id().hex(),
        "ask to close the channel %s at %s".formatted(terms.id(), address),
        contract.requestClose(struct(terms)).encodeFunctionCall());
  }

  @Override
  public void close(ChannelTerms terms) {
    finish(
        "channel-close:" + terms.id().hex(),
        "close the channel %s at %s".formatted(terms.id(), address),
        contract.close(struct(terms)).encodeFunctionCall());
  }

  @Override
  public BigInteger redeemCostWei(Address payee, Address token, List<Claim> claims) {
    // This form reverts for no voucher, so that one which is good for nothing stops no estimate.
    long gas = rpc.estimateGas(sender.account(), redeem(payee, token, claims));
    FeeQuote fees = rpc.fees();
    return fees.baseFeeWei().add(fees.priorityFeeWei()).multiply(BigInteger.valueOf(gas));
  }

  @Override
  public void submitRedeem(String key, Address payee, Address token, List<Claim> claims) {
    sender.submit(
        key,
        "hand in %d vouchers for %s in %s at %s".formatted(claims.size(), payee, token, address),
        () ->
            claims.size() == 1
                ? redeemOne(payee, token, claims.get(0))
                : redeem(payee, token, claims));
  }

  @Override
  public Optional<Outcome> redeemed(String key) {
    return sender
        .find(key)
        .map(intent ->
            switch (intent.state()) {
              case IntentState.Planned _, IntentState.Signed _, IntentState.Mined _ ->
                  new Outcome.Open();
              case IntentState.Confirmed confirmed -> new Outcome.Confirmed(confirmed.inclusion());
              case IntentState.Refused refused -> new Outcome.Failed(refused.reason());
              case IntentState.Reverted reverted -> new Outcome.Failed(reverted.reason());
              case IntentState.Displaced displaced -> new Outcome.Failed(displaced.reason());
            });
  }

  /// One voucher costs some 600 gas less than a call that passes bad ones over; it reverts where it
  /// is good for nothing, which an estimation finds before anything is paid.
  private Call redeemOne(Address payee, Address token, Claim claim) {
    return Call.of(
        address, contract.redeemOne(payee.hex(), token.hex(), struct(claim)).encodeFunctionCall());
  }

  private Call redeem(Address payee, Address token, List<Claim> claims) {
    return Call.of(
        address,
        contract
            .redeem(payee.hex(), token.hex(), claims.stream().map(ChannelClient::struct).toList())
            .encodeFunctionCall());
  }

  /// Moves `amount` into a channel from the payer's balance, with a deposit from the wallet in the
  /// same transaction where the balance is too small.
  private long fund(
      String key, String purpose, ChannelTerms terms, TokenAmount amount, String data) {
    if (isUnderWay(key)) {
      sender.submit(key, purpose, () -> Call.of(address, data));
      return sender.await(key, timeout).blockNumber();
    }
    spending.lock();
    try {
      awaitEarlierSpending(key);
      TokenAmount balance = balance(terms.payer(), terms.token());
      if (balance.compareTo(amount) >= 0) {
        sender.submit(key, purpose, () -> Call.of(address, data));
        sender.awaitMined(key, timeout);
      } else {
        TokenAmount missing = amount.minus(balance);
        requireFunds(terms, balance, missing, purpose);
        if (terms.token().equals(Address.ZERO)) {
          Inclusion _ = depositEther(missing, key);
          sender.submit(key, purpose, () -> Call.of(address, data));
          sender.awaitMined(key, timeout);
        } else {
          Inclusion _ =
              wallet.spend(
                  key,
                  purpose,
                  address,
                  missing,
                  () -> both(deposit(missing.units()), data),
                  permit -> both(deposit(missing.units(), permit), data));
        }
      }
    } finally {
      spending.unlock();
    }
    return sender.await(key, timeout).blockNumber();
  }

  private void requireFunds(
      ChannelTerms terms, TokenAmount balance, TokenAmount missing, String purpose) {
    if (!terms.payer().equals(sender.account())) {
      throw new InsufficientFundsException(
          "To %s, the payer %s needs %s more in the channels' contract, where it has %s; it must deposit that itself."
              .formatted(purpose, terms.payer(), missing, balance));
    }
    boolean ether = terms.token().equals(Address.ZERO);
    if (!ether && !terms.token().equals(wallet.address())) {
      throw new InsufficientFundsException(
          "To %s, %s of %s must be in the channels' contract, where %s are; this node's wallet is of %s."
              .formatted(purpose, balance.plus(missing), terms.token(), balance, wallet.address()));
    }
    BigInteger held =
        ether ? rpc.balanceWei(sender.account()) : wallet.balance(sender.account()).units();
    if (held.compareTo(missing.units()) < 0) {
      throw new InsufficientFundsException(
          "To %s, the account %s has %s in the contract and %s in its wallet, and needs %s more than that; send it tokens."
              .formatted(
                  purpose,
                  terms.payer(),
                  balance,
                  ether ? Ether.text(held) : held,
                  missing.units().subtract(held)));
    }
  }

  private Inclusion depositEther(TokenAmount amount, String occasion) {
    return sender.send(
        "channel-deposit:" + occasion,
        "deposit %s with %s".formatted(Ether.text(amount.units()), address),
        () ->
            Call.of(
                Optional.of(address),
                Numeric.hexStringToByteArray(depositOf(Address.ZERO, amount.units())),
                amount.units()),
        timeout);
  }

  private String deposit(BigInteger units) {
    return depositOf(wallet.address(), units);
  }

  private String depositOf(Address token, BigInteger units) {
    return contract.deposit(token.hex(), units, BigInteger.ZERO).encodeFunctionCall();
  }

  private String deposit(BigInteger units, Permit permit) {
    return contract
        .depositWithPermit(
            wallet.address().hex(),
            units,
            permit.deadlineSeconds(),
            permit.v(),
            permit.signature().r(),
            permit.signature().s())
        .encodeFunctionCall();
  }

  private Call both(String first, String second) {
    return Call.of(
        address,
        contract
            .multicall(
                List.of(Numeric.hexStringToByteArray(first), Numeric.hexStringToByteArray(second)))
            .encodeFunctionCall());
  }

  private boolean isUnderWay(String key) {
    Optional<Intent> stored = sender.find(key);
    return stored.isPresent() && !(stored.get().state() instanceof IntentState.Refused);
  }

  /// What an earlier transaction takes from the balance shows only once it is in a block.
  private void awaitEarlierSpending(String key) {
    for (Intent intent : sender.store().pending()) {
      boolean spends =
          intent.key().startsWith("channel-open:")
              || intent.key().startsWith("channel-topup:")
              || intent.key().startsWith("channel-withdraw:");
      if (spends && !intent.key().equals(key) && !(intent.state() instanceof IntentState.Mined)) {
        try {
          sender.awaitMined(intent.key(), timeout);
        } catch (TransactionFailedException | TransactionRefusedException e) {
          // It no longer stands in the way, and whoever asked for it is told.
        }
      }
    }
  }

  /// Asks for something that may be asked for again where it had no effect.
  private void finish(String key, String purpose, String data) {
    String fresh = key;
    for (int again = 2; hadNoEffect(fresh); again++) {
      fresh = key + ":" + again;
    }
    sender.send(fresh, purpose, () -> Call.of(address, data), timeout);
  }

  private boolean hadNoEffect(String key) {
    return sender
        .find(key)
        .map(Intent::state)
        .filter(state ->
            state instanceof IntentState.Reverted || state instanceof IntentState.Displaced)
        .isPresent();
  }

  private static BigInteger units(TokenAmount amount) {
    if (amount.units().bitLength() > AMOUNT_BITS) {
      throw new ChannelException(
          "The amount %s does not fit into a channel, which holds less than 2^96."
              .formatted(amount));
    }
    return amount.units();
  }

  private static PaymentChannels.Terms struct(ChannelTerms terms) {
    return new PaymentChannels.Terms(
        terms.payer().hex(),
        terms.signer().hex(),
        terms.payee().hex(),
        terms.token().hex(),
        salt(terms));
  }

  private static PaymentChannels.Claim struct(Claim claim) {
    Signature signature = claim.voucher().signature();
    // EIP-2098: the parity of the point goes into the highest bit of s, which is free.
    byte[] vs = signature.s();
    if (signature.v() == 28) {
      vs[0] |= (byte) 0x80;
    }
    // The payer in the upper 20 bytes and the salt in the lower 12 make one word.
    byte[] payerAndSalt = new byte[Hash.BYTES];
    System.arraycopy(claim.terms().payer().bytes(), 0, payerAndSalt, 0, Address.BYTES);
    ByteBuffer.wrap(payerAndSalt).putLong(Hash.BYTES - Long.BYTES, claim.terms().salt());
    return new PaymentChannels.Claim(
        payerAndSalt,
        claim.terms().signer().hex(),
        units(claim.voucher().voucher().amount()),
        claim.voucher().voucher().receiptsRoot().bytes(),
        signature.r(),
        vs);
  }

  private static BigInteger salt(ChannelTerms terms) {
    return new BigInteger(Long.toUnsignedString(terms.salt()));
  }
}
