package io.rigmesh.node.chain;

import io.rigmesh.ledger.channel.ChannelContract;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.WalletSignature;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;

/// The contract of channels over the daemon's link to its chain: the books work while the chain is
/// away, and hear so from what needs it.
public final class LinkedChannels implements ChannelContract {
  private final ChainLink chain;
  private final Address account;

  /// The contract as an account uses it.
  public LinkedChannels(ChainLink chain, Address account) {
    this.chain = chain;
    this.account = account;
  }

  private ChannelContract contract() {
    return chain.require().channels();
  }

  @Override
  public Domain domain() {
    return chain.contracts().channelDomain();
  }

  @Override
  public Address account() {
    return account;
  }

  @Override
  public Reading read(ChannelTerms terms) {
    return contract().read(terms);
  }

  @Override
  public TokenAmount available(Address payer, Address token) {
    return contract().available(payer, token);
  }

  @Override
  public boolean isContract(Address account) {
    return contract().isContract(account);
  }

  @Override
  public boolean takes(Address signer, Hash digest, WalletSignature signature) {
    return contract().takes(signer, digest, signature);
  }

  @Override
  public long open(ChannelTerms terms, TokenAmount amount) {
    return contract().open(terms, amount);
  }

  @Override
  public long topUp(ChannelTerms terms, long number, TokenAmount amount) {
    return contract().topUp(terms, number, amount);
  }

  @Override
  public void requestClose(ChannelTerms terms) {
    contract().requestClose(terms);
  }

  @Override
  public void close(ChannelTerms terms) {
    contract().close(terms);
  }

  @Override
  public BigInteger redeemCostWei(Address payee, Address token, List<Claim> claims) {
    return contract().redeemCostWei(payee, token, claims);
  }

  @Override
  public void submitRedeem(String key, Address payee, Address token, List<Claim> claims) {
    contract().submitRedeem(key, payee, token, claims);
  }

  @Override
  public Optional<Outcome> redeemed(String key) {
    return contract().redeemed(key);
  }
}
