package io.rigmesh.ledger.channel;

import static io.rigmesh.ledger.channel.Books.LATER;
import static io.rigmesh.ledger.channel.Books.hash;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.dev.TestChain;
import io.rigmesh.ledger.follow.FollowSettings;
import io.rigmesh.ledger.follow.Followed;
import io.rigmesh.ledger.follow.LedgerFollower;
import io.rigmesh.ledger.intent.Intent;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Channels on a real chain, between nodes with their own stores.
class ChannelsIT {
  private static final BigInteger ETHER = BigInteger.TEN.pow(18);

  @TempDir Path folder;
  private AccountKey richKey;
  private DevChain chain;
  private Deployment deployment;
  private ChannelParty requester;
  private ChannelParty provider;
  private int opened;

  @BeforeEach
  void start() {
    chain = TestChain.start();
    richKey = AccountKey.generate();
    Party rich = party(richKey);
    deployment = DevDeployment.standard().deploy(rich.sender(), Party.TIMEOUT);
    requester = ChannelParty.open(rich, deployment, ChannelParty.ASLEEP);
    provider = ChannelParty.open(party(AccountKey.generate()), deployment, ChannelParty.ASLEEP);
  }

  @AfterEach
  void stop() {
    provider.close();
    requester.close();
    chain.close();
  }

  private Party party(AccountKey key) {
    chain.setBalance(key.address(), ETHER);
    return Party.open(key, folder.resolve("node" + opened++ + ".db"), chain);
  }

  private static TokenAmount of(long units) {
    return TokenAmount.of(units);
  }

  private static void until(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Party.TIMEOUT.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as("before the deadline").isLessThan(deadline);
      LockSupport.parkNanos(20_000_000);
    }
  }

  private ChannelTerms pay(ChannelParty payer, Address to, String name, long amount) {
    Hash job = hash(name);
    ChannelTerms terms = payer.payer.reserve(to, job, of(amount), LATER);
    assertThat(provider.payee.admit(terms, job, of(amount), LATER))
        .isInstanceOf(Admission.Admitted.class);
    provider.payee.owe(job, of(amount));
    Payment payment =
        payer.payer.pay(terms.id(), job, of(amount), List.of(hash("receipt of " + name)));
    assertThat(provider.payee.take(payment)).isInstanceOf(Taking.Taken.class);
    provider.payee.end(job);
    payer.payer.release(job);
    return terms;
  }

  private void redeem() {
    provider.redemption.redeemAll();
    until(() -> {
      provider.redemption.redeemAll();
      return provider.payee.channels().stream()
          .allMatch(c -> c.promised().equals(c.channel().redeemed()));
    });
  }

  private static long transactions(ChannelParty party, String prefix) {
    return party.party.store().list(prefix).stream().map(Intent::key).count();
  }

  @Test
  void moneyGoesFromAWalletThroughAChannelIntoAnother() {
    Address to = provider.party.address();
    ChannelTerms terms = pay(requester, to, "1", 300_000);
    // A deposit by permit and the opening are one transaction.
    assertThat(transactions(requester, "channel-")).isEqualTo(1);
    assertThat(pay(requester, to, "2", 200_000)).isEqualTo(terms);
    redeem();
    assertThat(transactions(provider, "channel-redeem:")).isEqualTo(1);
    assertThat(provider.client.balance(to, deployment.token())).isEqualTo(of(500_000));
    provider.client.withdraw(deployment.token(), of(500_000), to, "first");
    assertThat(provider.party.token(deployment).balance(to)).isEqualTo(of(500_000));

    // The requester leaves while the newest voucher is still the provider's.
    pay(requester, to, "3", 100_000);
    assertThat(pay(requester, to, "4", 700_000)).isEqualTo(terms);
    assertThat(requester.client.channel(terms).orElseThrow().deposit()).isEqualTo(of(2_000_000));
    requester.payer.leave(terms.id());
    assertThat(requester.payer.closeDue()).isZero();
    redeem();
    chain.request("evm_increaseTime", 61);
    TestChain.mine(chain, 1);
    until(() -> {
      requester.payer.refresh();
      requester.client.close(terms);
      return requester.client.channel(terms).orElseThrow().closed();
    });
    assertThat(requester.client.balance(requester.party.address(), deployment.token()))
        .isEqualTo(of(700_000));
    assertThat(provider.client.balance(to, deployment.token())).isEqualTo(of(800_000));
    // What the closed channel gave back is spent before the wallet is.
    TokenAmount wallet = requester.party.token(deployment).balance(requester.party.address());
    ChannelTerms next = pay(requester, to, "5", 1_100_000);
    assertThat(next).isNotEqualTo(terms);
    assertThat(requester.party.token(deployment).balance(requester.party.address()))
        .isEqualTo(wallet.minus(of(400_000)));
    // Nothing more is on its way while two stores are compared.
    redeem();
    requireHistory(requester);
    requireHistory(provider);
  }

  /// What was kept live is what a follower reads that begins with an empty store at the first
  /// block, and what follows from it is what the books keep.
  private void requireHistory(ChannelParty party) {
    long head = party.party.rpc().head().number();
    party.follower.awaitBlock(head, Party.TIMEOUT);
    party.payer.refresh();
    party.redemption.redeemAll();
    List<ChannelEvent> events = party.follower.newest(party.events, Optional.empty(), 10_000);
    DataSource source = LedgerSchema.open(folder.resolve("rebuilt" + opened++ + ".db"));
    LedgerSchema.migrate(source);
    try (LedgerFollower rebuilt =
        LedgerFollower.start(
            party.party.rpc(),
            Jdbi.create(source),
            "channels",
            List.of(new Followed<>(party.events, new ChannelNews(Optional.empty(), () -> {}))),
            new FollowSettings(deployment.block(), 1, 3, Duration.ofMillis(20)))) {
      rebuilt.awaitBlock(head, Party.TIMEOUT);
      assertThat(rebuilt.newest(party.events, Optional.empty(), 10_000))
          .isNotEmpty()
          .isEqualTo(events);
    }
    Map<Hash, Channel> history = ChannelHistory.after(events.reversed());
    List<Channel> kept = new ArrayList<>();
    party.payer.channels().forEach(c -> kept.add(c.channel()));
    party.payee.channels().forEach(c -> kept.add(c.channel()));
    assertThat(kept).isNotEmpty().containsExactlyInAnyOrderElementsOf(history.values());
  }

  @Test
  void vouchersOfManyChannelsAreHandedInByOneCall() {
    Address to = provider.party.address();
    List<ChannelParty> payers = new ArrayList<>();
    try {
      for (int i = 0; i < 3; i++) {
        Party party = party(AccountKey.generate());
        requester
            .party
            .token(deployment)
            .transfer(party.address(), of(1_000_000), "fund " + party.address());
        ChannelParty payer = ChannelParty.open(party, deployment, ChannelParty.ASLEEP);
        payers.add(payer);
        pay(payer, to, "job " + i, 100_000 + i);
      }
      redeem();
    } finally {
      payers.forEach(ChannelParty::close);
    }
    assertThat(transactions(provider, "channel-redeem:")).isEqualTo(1);
    assertThat(provider.client.balance(to, deployment.token())).isEqualTo(of(300_003));
  }

  @Test
  void aSessionKeySpendsItsPayersBalanceUpToItsLimit() {
    Address owner = requester.party.address();
    requester.client.deposit(of(5_000_000), "for the key");
    Party key = party(AccountKey.generate());
    Instant later = requester.party.rpc().head().timestamp().plusSeconds(86_400);
    requester.client.authorise(key.address(), deployment.token(), of(1_500_000), later, "first");
    try (ChannelParty session =
        new ChannelParty(
            key, deployment, owner, 1, ChannelParty.ASLEEP, Party.TIMEOUT, Clock.systemUTC())) {
      ChannelTerms terms = pay(session, provider.party.address(), "1", 900_000);
      assertThat(terms.payer()).isEqualTo(owner);
      assertThat(terms.signer()).isEqualTo(key.address());
      redeem();
      assertThat(provider.client.balance(provider.party.address(), deployment.token()))
          .isEqualTo(of(900_000));
      assertThat(session.client.session(owner, key.address(), deployment.token()).spent())
          .isEqualTo(of(1_000_000));
      assertThatThrownBy(
              () -> session.payer.reserve(provider.party.address(), hash("2"), of(900_000), LATER))
          .isInstanceOf(InsufficientFundsException.class)
          .hasMessageContaining("only 500000 are left");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void aWatchtowerAnswersAClosingWithTheNewestVoucher(int lastBit) {
    Address to = provider.party.address();
    ChannelTerms terms = pay(requester, to, "1", 300_000);
    redeem();
    pay(requester, to, "2", 200_000);
    try (ChannelParty tower =
            ChannelParty.open(party(AccountKey.generate()), deployment, ChannelParty.ASLEEP);
        Watchtower watchtower =
            Watchtower.start(
                tower.party.jdbi(),
                tower.client,
                new CloseRequests(tower.party::rpc, deployment.channels(), 1),
                ChannelParty.EAGER,
                1,
                Clock.systemUTC())) {
      watchtower.watch(terms, requester.payer.latest(terms.id()).orElseThrow().voucher());
      // Every time that a channel may close at is as good as any other.
      long next = requester.party.rpc().head().timestamp().getEpochSecond() + 10;
      chain.request("evm_setNextBlockTimestamp", next % 2 == lastBit ? next : next + 1);
      // What nobody asked to close is left alone, however often it is looked at.
      watchtower.look();
      watchtower.look();
      assertThat(watchtower.channels())
          .singleElement()
          .extracting(WatchedChannel::promised)
          .isEqualTo(of(500_000));
      requester.payer.leave(terms.id());
      until(() -> {
        watchtower.look();
        return provider.client.balance(to, deployment.token()).equals(of(500_000));
      });
      assertThat(transactions(provider, "channel-redeem:")).isEqualTo(1);
      assertThat(transactions(tower, "channel-redeem:")).isEqualTo(1);
      until(() -> forgotten(watchtower, terms.id()));
      assertThat(watchtower.channels()).isEmpty();
      assertThat(watchtower.forget(terms.id())).isFalse();
    }
  }

  private static boolean forgotten(Watchtower watchtower, Hash channel) {
    try {
      return watchtower.forget(channel);
    } catch (ChannelException e) {
      // Its transaction is not confirmed yet.
      return false;
    }
  }

  @Test
  void aWatchtowerTakesAsManyChannelsAsItIsToldAndTheNewestVoucherOfEach() {
    ChannelTerms terms = pay(requester, provider.party.address(), "1", 300_000);
    SignedVoucher older = requester.payer.latest(terms.id()).orElseThrow().voucher();
    pay(requester, provider.party.address(), "2", 200_000);
    SignedVoucher newer = requester.payer.latest(terms.id()).orElseThrow().voucher();
    ChannelTerms other =
        new ChannelTerms(
            richKey.address(),
            richKey.address(),
            AccountKey.generate().address(),
            deployment.token(),
            9);
    Voucher voucher = new Voucher(other.id(), of(100_000), Hash.ZERO);
    SignedVoucher third =
        new SignedVoucher(
            voucher, richKey.sign(voucher.typedData().digest(requester.client.domain())));
    try (ChannelParty tower =
            ChannelParty.open(party(AccountKey.generate()), deployment, ChannelParty.ASLEEP);
        Watchtower watchtower =
            Watchtower.start(
                tower.party.jdbi(),
                tower.client,
                new CloseRequests(tower.party::rpc, deployment.channels(), 1),
                ChannelParty.ASLEEP,
                1,
                Clock.systemUTC())) {
      watchtower.watch(terms, newer);
      watchtower.watch(terms, older);
      assertThat(watchtower.channels())
          .singleElement()
          .extracting(WatchedChannel::promised)
          .isEqualTo(of(500_000));
      assertThatThrownBy(() -> watchtower.watch(other, third))
          .isInstanceOf(ChannelException.class)
          .hasMessageContaining("guards 1 channels already");
      assertThatThrownBy(() -> watchtower.watch(terms, third))
          .isInstanceOf(ChannelException.class)
          .hasMessageContaining("is of the channel");
      assertThat(watchtower.forget(terms.id())).isTrue();
      watchtower.watch(other, third);
    }
  }

  @Test
  void whatIsNotWorthItsGasWaitsUntilTheChannelCloses() {
    Address to = provider.party.address();
    ChannelTerms terms = pay(requester, to, "1", 300_000);
    // An ether for a million units: some 60,000 gas at a gwei or two are worth far less than the
    // voucher, and not a ten-thousandth of it.
    try (Redemption careful =
        Redemption.start(
            provider.payee,
            provider.client,
            new RedemptionSettings(
                1_000_000,
                BigDecimal.valueOf(1_000_000),
                100,
                Duration.ofMillis(50),
                Duration.ofMillis(50)),
            Clock.systemUTC())) {
      careful.wake();
      long block = requester.party.rpc().head().number();
      TestChain.mine(chain, 3);
      provider.follower.awaitBlock(block + 3, Party.TIMEOUT);
      assertThat(transactions(provider, "channel-redeem:")).isZero();
      requester.payer.leave(terms.id());
      until(() -> provider.client.balance(to, deployment.token()).equals(of(300_000)));
    }
  }

  @Test
  void aStoreThatWasLostFindsItsChannelsAndLeavesThem() {
    ChannelTerms terms = pay(requester, provider.party.address(), "1", 300_000);
    redeem();
    try (ChannelParty again =
        ChannelParty.open(
            Party.open(richKey, folder.resolve("empty.db"), chain),
            deployment,
            ChannelParty.ASLEEP)) {
      until(() -> !again.payer.channels().isEmpty());
      again.payer.refresh();
      assertThat(again.payer.channels())
          .singleElement()
          .satisfies(channel -> {
            assertThat(channel.state()).isEqualTo(PayerChannel.State.FOUND);
            assertThat(channel.spent()).isEqualTo(of(300_000));
          });
      again.payer.leave(terms.id());
      assertThat(again.client.channel(terms).orElseThrow().closesAt()).isPresent();
    }
  }
}
