package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.follow.FollowSettings;
import io.rigmesh.ledger.follow.Followed;
import io.rigmesh.ledger.follow.LedgerFollower;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigDecimal;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/// A party with everything that a node has for channels: the contract, both books, the follower
/// that brings them news, and the service that hands vouchers in.
final class ChannelParty implements AutoCloseable {
  /// Everything is worth its gas, and is handed in at once.
  static final RedemptionSettings EAGER =
      new RedemptionSettings(
          0, BigDecimal.TEN.pow(9), 100, Duration.ofMillis(200), Duration.ofMillis(500));

  /// Nothing is handed in by itself: an interval that no test sees the end of.
  static final RedemptionSettings ASLEEP =
      new RedemptionSettings(
          0, BigDecimal.TEN.pow(9), 100, Duration.ofDays(1), Duration.ofMillis(500));

  final Party party;

  /// One for all that spend the account's tokens.
  final TokenClient token;

  final ChannelClient client;
  final PayerBook payer;
  final PayeeBook payee;
  final Redemption redemption;
  final ChannelEvents events;
  final LedgerFollower follower;

  ChannelParty(
      Party party,
      Deployment deployment,
      Address payerAccount,
      int confirmations,
      RedemptionSettings redemptions,
      Duration timeout,
      Clock clock) {
    this(
        party,
        deployment,
        new Money(payerAccount, party.signer(), deployment.token(), PayeeSettings.standard()),
        confirmations,
        redemptions,
        timeout,
        clock);
  }

  /// What a party pays with and takes.
  ///
  /// @param payer whose money it spends
  /// @param signer who signs its vouchers
  /// @param token in what
  /// @param takes what it takes
  record Money(Address payer, AccountSigner signer, Address token, PayeeSettings takes) {}

  ChannelParty(
      Party party,
      Deployment deployment,
      Money money,
      int confirmations,
      RedemptionSettings redemptions,
      Duration timeout,
      Clock clock) {
    this.party = party;
    this.token = party.token(deployment);
    this.client =
        new ChannelClient(party.sender(), token, deployment.channels(), confirmations, timeout);
    this.payer =
        new PayerBook(
            party.jdbi(),
            client,
            money.signer(),
            money.payer(),
            money.token(),
            new PayerSettings(TokenAmount.of(1_000_000)),
            clock);
    this.payee =
        new PayeeBook(party.jdbi(), client, party.address(), money.token(), money.takes(), clock);
    this.redemption = Redemption.start(payee, client, redemptions, clock);
    this.events = new ChannelEvents(deployment.channels(), List.of(party.address()));
    this.follower =
        LedgerFollower.start(
            party.rpc(),
            party.jdbi(),
            "channels",
            List.of(new Followed<>(events, new ChannelNews(Optional.of(payer), () -> {}))),
            new FollowSettings(deployment.block(), confirmations, 1_000, Duration.ofMillis(100)));
  }

  static ChannelParty open(Party party, Deployment deployment, RedemptionSettings redemptions) {
    return new ChannelParty(
        party, deployment, party.address(), 1, redemptions, Party.TIMEOUT, Clock.systemUTC());
  }

  static ChannelParty open(Party party, Deployment deployment, Money money) {
    return new ChannelParty(party, deployment, money, 1, ASLEEP, Party.TIMEOUT, Clock.systemUTC());
  }

  /// Hands everything in, and returns when the chain has paid it.
  void redeem() {
    long deadline = System.nanoTime() + Party.TIMEOUT.toNanos();
    redemption.redeemAll();
    while (payee.channels().stream().anyMatch(c -> !c.promised().equals(c.channel().redeemed()))) {
      if (System.nanoTime() - deadline > 0) {
        throw new AssertionError("not redeemed in time: " + payee.channels());
      }
      LockSupport.parkNanos(20_000_000);
      redemption.redeemAll();
    }
  }

  @Override
  public void close() {
    follower.close();
    redemption.close();
    party.close();
  }
}
