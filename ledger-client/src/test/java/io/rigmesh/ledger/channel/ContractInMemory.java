package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.WalletSignature;
import java.io.IOException;
import java.math.BigInteger;
import java.time.Instant;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// The contract's rules without a chain, for tests of the books. Each change is a block.
final class ContractInMemory implements ChannelContract {
  private final Domain domain;
  private final Address account;
  private final Map<Hash, Channel> channels = new HashMap<>();
  private final Set<String> done = new TreeSet<>();
  private final Map<String, List<Claim>> calls = new LinkedHashMap<>();
  private TokenAmount wallet;
  private boolean refusing;
  private long block = 1;
  private boolean away;
  private long callWei;
  private long claimWei;

  ContractInMemory(Domain domain, Address account, TokenAmount wallet) {
    this.domain = domain;
    this.account = account;
    this.wallet = wallet;
  }

  synchronized void setAway(boolean away) {
    this.away = away;
  }

  synchronized void put(Channel channel) {
    channels.put(channel.terms().id(), channel);
    block++;
  }

  /// From now on calls that hand vouchers in have no effect; before, they are on their way for
  /// ever.
  synchronized void setRefusing(boolean refusing) {
    this.refusing = refusing;
  }

  /// What a call that hands vouchers in costs in gas, and each voucher of it.
  synchronized void setRedeemCost(long callWei, long claimWei) {
    this.callWei = callWei;
    this.claimWei = claimWei;
  }

  /// The channels whose vouchers were handed in, call by call.
  synchronized List<Set<Hash>> handedIn() {
    return calls.values().stream()
        .map(claims -> claims.stream().map(claim -> claim.terms().id()).collect(Collectors.toSet()))
        .toList();
  }

  synchronized Channel get(Hash id) {
    return channels.get(id);
  }

  synchronized int count() {
    return channels.size();
  }

  synchronized TokenAmount wallet() {
    return wallet;
  }

  @Override
  public Domain domain() {
    return domain;
  }

  @Override
  public Address account() {
    return account;
  }

  @Override
  public synchronized Reading read(ChannelTerms terms) {
    requireThere();
    return new Reading(block, Optional.ofNullable(channels.get(terms.id())));
  }

  @Override
  public synchronized TokenAmount available(Address payer, Address token) {
    requireThere();
    return wallet;
  }

  @Override
  public boolean isContract(Address account) {
    return false;
  }

  @Override
  public boolean takes(Address signer, Hash digest, WalletSignature signature) {
    return false;
  }

  @Override
  public synchronized long open(ChannelTerms terms, TokenAmount amount) {
    requireThere();
    if (done.add("open" + terms.id())) {
      take(amount);
      put(new Channel(terms, amount, TokenAmount.ZERO, Optional.empty(), false));
    }
    return block;
  }

  @Override
  public synchronized long topUp(ChannelTerms terms, long number, TokenAmount amount) {
    requireThere();
    if (done.add("top" + number + terms.id())) {
      take(amount);
      Channel old = channels.get(terms.id());
      put(
          new Channel(
              terms, old.deposit().plus(amount), old.redeemed(), old.closesAt(), old.closed()));
    }
    return block;
  }

  @Override
  public synchronized void requestClose(ChannelTerms terms) {
    requireThere();
    Channel old = channels.get(terms.id());
    put(
        new Channel(
            terms, old.deposit(), old.redeemed(), Optional.of(Instant.EPOCH), old.closed()));
  }

  @Override
  public synchronized void close(ChannelTerms terms) {
    requireThere();
    Channel old = channels.get(terms.id());
    put(new Channel(terms, old.deposit(), old.redeemed(), old.closesAt(), true));
  }

  @Override
  public synchronized BigInteger redeemCostWei(Address payee, Address token, List<Claim> claims) {
    requireThere();
    return BigInteger.valueOf(callWei + claimWei * claims.size());
  }

  @Override
  public synchronized void submitRedeem(
      String key, Address payee, Address token, List<Claim> claims) {
    requireThere();
    calls.put(key, claims);
  }

  @Override
  public synchronized Optional<Outcome> redeemed(String key) {
    if (!calls.containsKey(key)) {
      return Optional.empty();
    }
    return Optional.of(
        refusing ? new Outcome.Failed("it was handed in before") : new Outcome.Open());
  }

  private void take(TokenAmount amount) {
    if (amount.compareTo(wallet) > 0) {
      throw new InsufficientFundsException("The wallet holds " + wallet + " and not " + amount);
    }
    wallet = wallet.minus(amount);
  }

  private void requireThere() {
    if (away) {
      throw new ChainUnavailableException("the chain is away", new IOException("away"));
    }
  }
}
