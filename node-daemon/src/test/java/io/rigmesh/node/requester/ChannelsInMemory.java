package io.rigmesh.node.requester;

import io.rigmesh.ledger.channel.Channel;
import io.rigmesh.ledger.channel.ChannelContract;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.WalletSignature;
import java.math.BigInteger;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Channels without a chain, which open with whatever is put in.
final class ChannelsInMemory implements ChannelContract {
  private final Domain domain;
  private final Address account;
  private final Map<Hash, Channel> channels = new ConcurrentHashMap<>();

  ChannelsInMemory(Domain domain, Address account) {
    this.domain = domain;
    this.account = account;
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
  public Reading read(ChannelTerms terms) {
    return new Reading(1, Optional.ofNullable(channels.get(terms.id())));
  }

  @Override
  public TokenAmount available(Address payer, Address token) {
    return TokenAmount.of(Long.MAX_VALUE);
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
  public long open(ChannelTerms terms, TokenAmount amount) {
    channels.put(terms.id(), new Channel(terms, amount, TokenAmount.ZERO, Optional.empty(), false));
    return 1;
  }

  @Override
  public long topUp(ChannelTerms terms, long number, TokenAmount amount) {
    throw new UnsupportedOperationException("one deposit is enough here");
  }

  @Override
  public void requestClose(ChannelTerms terms) {
    channels.computeIfPresent(
        terms.id(),
        (_, open) ->
            new Channel(
                terms,
                open.deposit(),
                open.redeemed(),
                Optional.of(Instant.now().plusSeconds(600)),
                false));
  }

  /// Closes a channel as its payee may, at any time.
  @Override
  public void close(ChannelTerms terms) {
    channels.computeIfPresent(
        terms.id(),
        (_, open) -> new Channel(terms, open.deposit(), open.redeemed(), open.closesAt(), true));
  }

  @Override
  public BigInteger redeemCostWei(Address payee, Address token, List<Claim> claims) {
    throw new UnsupportedOperationException("nothing is redeemed here");
  }

  @Override
  public void submitRedeem(String key, Address payee, Address token, List<Claim> claims) {
    throw new UnsupportedOperationException("nothing is redeemed here");
  }

  @Override
  public Optional<Outcome> redeemed(String key) {
    throw new UnsupportedOperationException("nothing is redeemed here");
  }
}
