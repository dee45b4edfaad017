package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.FeeQuote;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.intent.IntentState;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SessionKey;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.WalletSignature;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// The contract of payment channels, used from one account as a payer, a session key, a payee or
/// all of them. Every method that changes something happens at most once under its name; called
/// again, also after a restart, it finds the first and waits for that. Safe for use by several
/// threads.
///
/// A token of [Address#ZERO] is the chain's own coin, in wei.
public final class ChannelClient implements ChannelContract {
  private final TransactionSender sender;
  private final ChainRpc rpc;
  private final TokenClient wallet;
  private final Address address;
  private final Duration timeout;
  private final ChannelReads reads;
  private final ChannelCalls calls;
  private final ChannelFunding funding;

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
    this.timeout = timeout;
    this.reads = new ChannelReads(rpc, channels, confirmations);
    this.calls = new ChannelCalls(rpc, channels);
    this.funding = new ChannelFunding(sender, wallet, channels, reads, calls, timeout);
  }

  @Override
  public Domain domain() {
    return new Domain(rpc.chainId(), address);
  }

  @Override
  public Address account() {
    return sender.account();
  }

  /// The part of what is redeemed that the treasury gets, in ten-thousandths.
  public int feeBasisPoints() {
    return reads.feeBasisPoints();
  }

  /// What an account could withdraw, in the newest block.
  public TokenAmount balance(Address account, Address token) {
    return reads.balance(account, token);
  }

  /// What a session key may do for a payer, in the newest block.
  public Session session(Address payer, Address key, Address token) {
    return reads.session(payer, key, token);
  }

  /// A channel as it was at the confirmation depth.
  public Optional<Channel> channel(ChannelTerms terms) {
    return read(terms).channel();
  }

  @Override
  public Reading read(ChannelTerms terms) {
    return reads.read(terms);
  }

  @Override
  public TokenAmount available(Address payer, Address token) {
    return funding.available(payer, token);
  }

  @Override
  public boolean isContract(Address account) {
    return rpc.isContract(account);
  }

  @Override
  public boolean takes(Address signer, Hash digest, WalletSignature signature) {
    return reads.takes(signer, digest, signature);
  }

  /// Puts `amount` of the wallet's tokens into this account's balance in the contract.
  ///
  /// @param occasion names this deposit for ever
  public Inclusion deposit(TokenAmount amount, String occasion) {
    return deposit(wallet.address(), amount, occasion);
  }

  /// Puts `amount` of the wallet's tokens, or of its ether, into this account's balance in the
  /// contract.
  ///
  /// @param token the wallet's token, or [Address#ZERO]
  /// @param occasion names this deposit for ever
  public Inclusion deposit(Address token, TokenAmount amount, String occasion) {
    return funding.deposit(token, amount, occasion);
  }

  /// Sends `amount` of this account's balance in the contract to an account.
  ///
  /// @param occasion names this withdrawal for ever
  public Inclusion withdraw(Address token, TokenAmount amount, Address to, String occasion) {
    return funding.withdraw(token, amount, to, occasion);
  }

  /// Lets a key move up to `limit` of this account's balance into channels until a time.
  ///
  /// @param occasion names this authorisation for ever
  public Inclusion authorise(
      Address key, Address token, TokenAmount limit, Instant expiresAt, String occasion) {
    return sender.send(
        "channel-authorise:" + occasion,
        "let %s move %s of %s into channels until %s".formatted(key, limit, token, expiresAt),
        () -> calls.authorise(key, token, limit, expiresAt),
        timeout);
  }

  /// The word by which a payer lets a key move up to `limit` of its balance into channels until a
  /// time, as it is to be signed: it has the payer's next number, and so stands until the payer
  /// authorises or revokes a key the next time.
  public SessionKey word(
      Address payer, Address key, Address token, TokenAmount limit, Instant expiresAt) {
    return new SessionKey(payer, key, token, limit, expiresAt.getEpochSecond(), reads.nonce(payer));
  }

  /// Hands in a payer's word with its signature, which may come from a wallet that sends nothing,
  /// or be what the payer's contract takes (EIP-1271). The same word is handed in once.
  ///
  /// @throws ChannelException if the payer has not signed this word, or has used its number since;
  ///   nothing is sent
  public Inclusion authorise(SessionKey word, WalletSignature signature) {
    String key =
        "channel-authorise-signed:%s:%s".formatted(word.payer().hex(), word.nonce().toString());
    if (sender.find(key).isEmpty()) {
      SignedWord.require(word, signature, domain(), reads);
    }
    return sender.send(
        key,
        "hand in the word of %s that %s may move %s of %s into channels until %s"
            .formatted(
                word.payer(),
                word.key(),
                word.limit(),
                word.token(),
                Instant.ofEpochSecond(word.expiresAtSeconds())),
        () -> calls.authorise(word, signature),
        timeout);
  }

  /// Takes a key's right away.
  ///
  /// @param occasion names this revocation for ever
  public Inclusion revoke(Address key, Address token, String occasion) {
    return sender.send(
        "channel-revoke:" + occasion,
        "let %s move no more of %s into channels".formatted(key, token),
        () -> calls.revoke(key, token),
        timeout);
  }

  @Override
  public long open(ChannelTerms terms, TokenAmount amount) {
    return funding.fund(
        "channel-open:" + terms.id().hex(),
        "open the channel %s to %s with %s of %s at %s"
            .formatted(terms.id(), terms.payee(), amount, terms.token(), address),
        terms,
        amount,
        calls.open(terms, amount));
  }

  @Override
  public long topUp(ChannelTerms terms, long number, TokenAmount amount) {
    return funding.fund(
        "channel-topup:" + terms.id().hex() + ":" + number,
        "add %s to the channel %s to %s at %s"
            .formatted(amount, terms.id(), terms.payee(), address),
        terms,
        amount,
        calls.topUp(terms, amount));
  }

  @Override
  public void requestClose(ChannelTerms terms) {
    finish(
        "channel-leave:" + terms.id().hex(),
        "ask to close the channel %s at %s".formatted(terms.id(), address),
        calls.requestClose(terms));
  }

  @Override
  public void close(ChannelTerms terms) {
    finish(
        "channel-close:" + terms.id().hex(),
        "close the channel %s at %s".formatted(terms.id(), address),
        calls.close(terms));
  }

  @Override
  public BigInteger redeemCostWei(Address payee, Address token, List<Claim> claims) {
    // The form for keys' vouchers reverts for none, so that one which is good for nothing stops no
    // estimate.
    long gas = rpc.estimateGas(sender.account(), calls.redeem(payee, token, claims));
    FeeQuote fees = rpc.fees();
    return fees.baseFeeWei().add(fees.priorityFeeWei()).multiply(BigInteger.valueOf(gas));
  }

  @Override
  public void submitRedeem(String key, Address payee, Address token, List<Claim> claims) {
    sender.submit(
        key,
        "hand in %d vouchers for %s in %s at %s".formatted(claims.size(), payee, token, address),
        () -> calls.handIn(payee, token, claims));
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

  /// Asks for something that may be asked for again where it had no effect.
  private void finish(String key, String purpose, Call call) {
    Inclusion _ = sender.sendAnew(key, purpose, () -> call, timeout);
  }
}
