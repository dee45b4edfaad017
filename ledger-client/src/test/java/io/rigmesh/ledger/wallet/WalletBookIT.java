package io.rigmesh.ledger.wallet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.channel.ChannelClient;
import io.rigmesh.ledger.channel.ChannelContract;
import io.rigmesh.ledger.channel.KeptVouchers;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.dev.TestChain;
import io.rigmesh.ledger.follow.FollowSettings;
import io.rigmesh.ledger.follow.LedgerFollower;
import io.rigmesh.ledger.generated.JobEscrow;
import io.rigmesh.ledger.generated.PaymentChannels;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.web3j.abi.FunctionEncoder;
import org.web3j.abi.datatypes.Type;
import org.web3j.abi.datatypes.generated.Uint16;
import org.web3j.abi.datatypes.generated.Uint64;

/// The history of a requester and of a provider on a real chain, against what the chain says that
/// they have.
class WalletBookIT {
  private static final Hash JOB = Hash.fromHex("0x" + "11".repeat(32));
  private static final Hash OTHER = Hash.fromHex("0x" + "22".repeat(32));

  @TempDir Path folder;
  private DevChain chain;
  private Deployment deployment;
  private Holder requester;
  private Holder provider;
  private int rebuilt;

  /// An account with its wallet's book.
  private final class Holder implements AutoCloseable {
    private final AccountKey key = AccountKey.generate();
    private final Party party;
    private final String name;

    Holder(String name) {
      this.name = name;
      chain.setBalance(key.address(), BigInteger.TEN.pow(18));
      party = Party.open(key, folder.resolve(name + ".db"), chain);
    }

    ChannelClient channels() {
      return new ChannelClient(
          party.sender(), party.token(deployment), deployment.channels(), 1, Party.TIMEOUT);
    }

    WalletBook.Parties parties() {
      return new WalletBook.Parties(
          31337,
          party.address(),
          deployment.token(),
          deployment.escrow(),
          deployment.registry(),
          deployment.channels(),
          channels().feeBasisPoints());
    }

    WalletBook book() {
      return new WalletBook(party.jdbi(), parties());
    }

    LedgerFollower follow(WalletBook book, String followerName) {
      return LedgerFollower.start(
          party.rpc(),
          party.jdbi(),
          followerName,
          book.followed(),
          new FollowSettings(deployment.block(), 1, 100, Duration.ofMillis(20)));
    }

    TokenAmount wallet() {
      return party.token(deployment).balance(party.address());
    }

    List<WalletEntry> history(WalletBook book) {
      return book.history(Optional.empty(), 100, wallet()).reversed();
    }

    /// What the book kept live is what one keeps that begins with an empty store at the first
    /// block.
    void requireRebuilt(WalletBook live, long head) {
      DataSource source = LedgerSchema.open(folder.resolve(name + "-rebuilt" + rebuilt++ + ".db"));
      LedgerSchema.migrate(source);
      WalletBook anew = new WalletBook(Jdbi.create(source), parties());
      try (LedgerFollower follower =
          LedgerFollower.start(
              party.rpc(),
              Jdbi.create(source),
              "wallet",
              anew.followed(),
              new FollowSettings(deployment.block(), 1, 3, Duration.ofMillis(20)))) {
        follower.awaitBlock(head, Party.TIMEOUT);
      }
      assertThat(history(anew)).isNotEmpty().isEqualTo(history(live));
      assertThat(anew.locked()).isEqualTo(live.locked());
      assertThat(anew.escrows()).isEqualTo(live.escrows());
      assertThat(locks(this, anew, KeptVouchers.none()))
          .isEqualTo(locks(this, live, KeptVouchers.none()));
    }

    @Override
    public void close() {
      party.close();
    }

    @Override
    public String toString() {
      return name;
    }
  }

  @BeforeEach
  void start() {
    chain = TestChain.start();
    requester = new Holder("requester");
    deployment = DevDeployment.standard().deploy(requester.party.sender(), Party.TIMEOUT);
    provider = new Holder("provider");
  }

  @AfterEach
  void stop() {
    requester.close();
    provider.close();
    chain.close();
  }

  private static TokenAmount of(long units) {
    return TokenAmount.of(units);
  }

  private ChannelTerms terms() {
    return new ChannelTerms(
        requester.key.address(),
        requester.key.address(),
        provider.key.address(),
        deployment.token(),
        1);
  }

  private void redeem(long amount, String key) {
    Voucher voucher = new Voucher(terms().id(), of(amount), Hash.ZERO);
    ChannelClient channels = provider.channels();
    SignedVoucher signed =
        new SignedVoucher(
            voucher, requester.key.sign(voucher.typedData().digest(channels.domain())));
    channels.submitRedeem(
        key,
        provider.key.address(),
        deployment.token(),
        List.of(new ChannelContract.Claim(terms(), signed)));
    provider.party.sender().await(key, Party.TIMEOUT);
  }

  @Test
  void everyMovementIsALineWithTheBalancesThatTheChainHasAfterIt() {
    requester.party.token(deployment).transfer(provider.key.address(), of(700), "a present");
    TokenAmount before = requester.wallet();
    requester.channels().deposit(of(10_000_000), "first");
    requester.channels().open(terms(), of(4_000_000));
    requester.channels().topUp(terms(), 1, of(1_000_000));
    redeem(1_500_000, "redeem:1");
    redeem(2_500_000, "redeem:2");
    requester.channels().requestClose(terms());
    provider.party.registry(deployment).stake(of(300), "stake");

    WalletBook spent = requester.book();
    WalletBook earned = provider.book();
    try (LedgerFollower first = requester.follow(spent, "wallet");
        LedgerFollower second = provider.follow(earned, "wallet")) {
      long head = requester.party.rpc().head().number();
      first.awaitBlock(head, Party.TIMEOUT);
      second.awaitBlock(head, Party.TIMEOUT);
      assertThat(spent.locked()).hasSize(1);
      assertThat(spent.locked().get(0).amount()).isEqualTo(of(2_500_000));
      assertThat(spent.locked().get(0).payee()).isEqualTo(provider.key.address());
      assertThat(spent.locked().get(0).closesAt()).isPresent();
      assertThat(earned.locked()).isEmpty();

      provider.channels().close(terms());
      requester
          .channels()
          .withdraw(deployment.token(), of(2_000_000), requester.key.address(), "some back");
      provider
          .channels()
          .withdraw(deployment.token(), of(2_500_000), provider.key.address(), "all");
      head = requester.party.rpc().head().number();
      first.awaitBlock(head, Party.TIMEOUT);
      second.awaitBlock(head, Party.TIMEOUT);
    }

    List<WalletEntry> lines = requester.history(spent);
    assertThat(lines)
        .extracting(WalletEntry::kind)
        .containsExactly(
            WalletKind.RECEIVED,
            WalletKind.SENT,
            WalletKind.DEPOSITED,
            WalletKind.CHANNEL_OPENED,
            WalletKind.CHANNEL_TOPPED_UP,
            WalletKind.CHANNEL_PAID,
            WalletKind.CHANNEL_PAID,
            WalletKind.CHANNEL_CLOSED,
            WalletKind.WITHDRAWN);
    assertThat(lines.get(2).wallet()).isEqualTo(before.minus(of(10_000_000)));
    assertThat(lines.get(2).channels()).isEqualTo(of(10_000_000));
    assertThat(lines.get(5).locked()).isEqualTo(of(3_500_000));
    assertThat(lines.get(5).amount()).isEqualTo(of(1_500_000));
    assertThat(lines.get(6).amount()).isEqualTo(of(1_000_000));
    WalletEntry last = lines.getLast();
    assertThat(last.wallet()).isEqualTo(requester.wallet());
    assertThat(last.channels())
        .isEqualTo(requester.channels().balance(requester.key.address(), deployment.token()))
        .isEqualTo(of(5_500_000));
    assertThat(last.locked()).isEqualTo(TokenAmount.ZERO);
    assertThat(spent.locked()).isEmpty();

    List<WalletEntry> theirs = provider.history(earned);
    assertThat(theirs)
        .extracting(WalletEntry::kind)
        .containsExactly(
            WalletKind.RECEIVED,
            WalletKind.CHANNEL_EARNED,
            WalletKind.CHANNEL_EARNED,
            WalletKind.STAKED,
            WalletKind.WITHDRAWN);
    assertThat(theirs.getLast().wallet()).isEqualTo(provider.wallet());
    assertThat(theirs.getLast().channels()).isEqualTo(TokenAmount.ZERO);
    requester.requireRebuilt(spent, requester.party.rpc().head().number());
    provider.requireRebuilt(earned, requester.party.rpc().head().number());
    // Pages are cut where they are asked for, and lose nothing.
    List<WalletEntry> newest = spent.history(Optional.empty(), 4, requester.wallet());
    List<WalletEntry> older =
        spent.history(Optional.of(newest.getLast().place()), 100, requester.wallet());
    assertThat(newest.size() + older.size()).isEqualTo(lines.size());
    assertThat(older.getFirst()).isEqualTo(lines.get(lines.size() - 5));
  }

  @Test
  void aReorganisationTakesLinesAndChannelsBack() {
    requester.channels().deposit(of(9_000_000), "first");
    requester.channels().open(terms(), of(4_000_000));
    redeem(500_000, "redeem:1");
    Instant deadline = requester.party.rpc().head().timestamp().plusSeconds(3_600);
    requester.party.escrow(deployment).fund(JOB, provider.key.address(), of(1_000), deadline, 2);
    WalletBook spent = requester.book();
    WalletBook earned = provider.book();
    try (LedgerFollower first = requester.follow(spent, "wallet");
        LedgerFollower second = provider.follow(earned, "wallet")) {
      long kept = requester.party.rpc().head().number();
      first.awaitBlock(kept, Party.TIMEOUT);
      second.awaitBlock(kept, Party.TIMEOUT);
      List<WalletEntry> before = requester.history(spent);
      List<WalletEntry> theirs = provider.history(earned);
      List<LockedChannel> locked = spent.locked();
      List<LockedEscrow> escrows = spent.escrows();
      assertThat(escrows).singleElement().extracting(LockedEscrow::amount).isEqualTo(of(1_000));
      String snapshot = chain.request("evm_snapshot").stringValue();
      requester.channels().topUp(terms(), 1, of(1_000_000));
      redeem(1_500_000, "redeem:2");
      requester.channels().requestClose(terms());
      provider.channels().close(terms());
      prove(1, 400);
      requester.party.escrow(deployment).release(requester.key.address(), JOB, 1);
      requester.party.escrow(deployment).fund(OTHER, provider.key.address(), of(7), deadline, 1);
      long lost = requester.party.rpc().head().number();
      first.awaitBlock(lost, Party.TIMEOUT);
      second.awaitBlock(lost, Party.TIMEOUT);
      assertThat(spent.locked()).isEmpty();
      assertThat(spent.escrows())
          .extracting(LockedEscrow::amount)
          .containsExactlyInAnyOrder(of(600), of(7));
      requester.party.sender().close();
      provider.party.sender().close();

      chain.request("evm_revert", snapshot);
      chain.request("evm_increaseTime", 9);
      TestChain.mine(chain, (int) (lost - kept) + 2);
      first.awaitBlock(lost + 2, Party.TIMEOUT);
      second.awaitBlock(lost + 2, Party.TIMEOUT);
      assertThat(requester.history(spent)).isEqualTo(before);
      assertThat(provider.history(earned)).isEqualTo(theirs);
      assertThat(spent.locked()).isEqualTo(locked);
      assertThat(spent.escrows()).isEqualTo(escrows);
      requester.requireRebuilt(spent, lost + 2);
      provider.requireRebuilt(earned, lost + 2);
    }
  }

  private void prove(int milestone, long due) {
    if (milestone == 1) {
      provider.party.escrow(deployment).accept(requester.key.address(), JOB);
    }
    provider
        .party
        .escrow(deployment)
        .submitProof(requester.key.address(), JOB, milestone, OTHER, of(due));
  }

  private List<LockedItem> locks(Holder holder, WalletBook book, KeptVouchers vouchers) {
    return new WalletLocks(holder.party.rpc(), holder.parties(), book).items(vouchers);
  }

  @Test
  void whatIsLockedIsShownWithItsEnd() {
    requester.channels().deposit(of(9_000_000), "first");
    requester.channels().open(terms(), of(4_000_000));
    requester.party.token(deployment).transfer(provider.key.address(), of(700), "for a stake");
    provider.party.registry(deployment).stake(of(300), "stake");
    provider.party.registry(deployment).requestUnbond(of(100), "unbond");
    Instant deadline = requester.party.rpc().head().timestamp().plusSeconds(3_600);
    requester.party.escrow(deployment).fund(JOB, provider.key.address(), of(1_000), deadline, 2);
    prove(1, 400);
    requester.channels().requestClose(terms());
    KeptVouchers promised = new KeptVouchers(Map.of(terms().id(), of(1_500_000)), List.of());
    KeptVouchers earning =
        new KeptVouchers(
            Map.of(),
            List.of(
                new KeptVouchers.Earned(
                    terms().id(), requester.key.address(), of(1_500_000), Optional.empty())));
    WalletBook spent = requester.book();
    WalletBook earned = provider.book();
    try (LedgerFollower first = requester.follow(spent, "wallet");
        LedgerFollower second = provider.follow(earned, "wallet")) {
      long head = requester.party.rpc().head().number();
      first.awaitBlock(head, Party.TIMEOUT);
      second.awaitBlock(head, Party.TIMEOUT);
      Instant proven =
          requester
              .party
              .escrow(deployment)
              .milestone(requester.key.address(), JOB, 1)
              .orElseThrow()
              .since();
      List<LockedItem> items = locks(requester, spent, promised);
      assertThat(items)
          .extracting(LockedItem::kind, LockedItem::amount)
          .containsExactly(
              tuple(LockedItem.Kind.CHANNEL, of(4_000_000)),
              tuple(LockedItem.Kind.ESCROW, of(600)),
              tuple(LockedItem.Kind.MILESTONE, of(400)));
      assertThat(items.get(0).promised()).contains(of(1_500_000));
      assertThat(items.get(0).until())
          .isEqualTo(requester.channels().channel(terms()).orElseThrow().closesAt());
      assertThat(items.get(1).until()).contains(deadline);
      assertThat(items.get(2).until()).contains(proven.plusSeconds(60));

      List<LockedItem> theirs = locks(provider, earned, earning);
      assertThat(theirs)
          .extracting(LockedItem::kind, LockedItem::amount)
          .containsExactly(
              tuple(LockedItem.Kind.STAKE, of(200)),
              tuple(LockedItem.Kind.UNBONDING, of(100)),
              tuple(LockedItem.Kind.REDEEMABLE, of(1_500_000)),
              tuple(LockedItem.Kind.DUE, of(400)));
      assertThat(theirs.get(0).until()).isEmpty();
      assertThat(theirs.get(1).until())
          .isEqualTo(
              provider.party.registry(deployment).stakeOf(provider.key.address()).withdrawableAt());
      assertThat(theirs.get(3).until()).contains(proven.plusSeconds(60));

      requester.party.escrow(deployment).release(requester.key.address(), JOB, 1);
      prove(2, 100);
      requester.party.escrow(deployment).release(requester.key.address(), JOB, 2);
      head = requester.party.rpc().head().number();
      first.awaitBlock(head, Party.TIMEOUT);
      second.awaitBlock(head, Party.TIMEOUT);
      assertThat(locks(requester, spent, KeptVouchers.none()))
          .extracting(LockedItem::kind)
          .containsExactly(LockedItem.Kind.CHANNEL);
      assertThat(locks(provider, earned, KeptVouchers.none()))
          .extracting(LockedItem::kind)
          .containsExactly(LockedItem.Kind.STAKE, LockedItem.Kind.UNBONDING);
      requester.requireRebuilt(spent, head);
      provider.requireRebuilt(earned, head);
    }
  }

  /// The market's contracts again, with a fee of 250 ten-thousandths.
  private Deployment withFee(Address treasury) {
    Uint64 minute = new Uint64(60);
    Uint16 fee = new Uint16(250);
    org.web3j.abi.datatypes.Address to = new org.web3j.abi.datatypes.Address(treasury.hex());
    Address channels = create("PaymentChannels", PaymentChannels.BINARY, List.of(minute, fee, to));
    Address escrow =
        create(
            "JobEscrow",
            JobEscrow.BINARY,
            List.of(
                new org.web3j.abi.datatypes.Address(deployment.token().hex()),
                minute,
                new Uint64(0),
                new org.web3j.abi.datatypes.Address(Address.ZERO.hex()),
                fee,
                to));
    return new Deployment(
        deployment.chainId(),
        deployment.genesis(),
        deployment.token(),
        deployment.registry(),
        escrow,
        channels,
        deployment.receipts(),
        deployment.block());
  }

  @SuppressWarnings("rawtypes") // Web3j's own list of constructor arguments.
  private Address create(String contract, String code, List<Type> arguments) {
    return requester
        .party
        .sender()
        .send(
            "deploy:" + contract + " with a fee",
            "deploy " + contract + " with a fee",
            () -> Call.creation(code, FunctionEncoder.encodeConstructor(arguments)),
            Party.TIMEOUT)
        .contractCreated()
        .orElseThrow();
  }

  @Test
  void theFeeIsTheTreasurysOfWhatIsEarnedAndOfNothingElse() {
    Address treasury = AccountKey.generate().address();
    deployment = withFee(treasury);
    assertThat(provider.channels().feeBasisPoints()).isEqualTo(250);
    requester.channels().deposit(of(10_000_000), "first");
    requester.channels().open(terms(), of(4_000_000));
    // Of the sum, and not of each part, the fee is rounded down.
    redeem(1_500_039, "redeem:1");
    redeem(2_500_079, "redeem:2");
    provider.channels().close(terms());
    Instant deadline = requester.party.rpc().head().timestamp().plusSeconds(3_600);
    requester.party.escrow(deployment).fund(JOB, provider.key.address(), of(1_000), deadline, 2);
    prove(1, 439);
    requester.party.escrow(deployment).release(requester.key.address(), JOB, 1);
    provider.channels().withdraw(deployment.token(), of(2_000_000), provider.key.address(), "most");

    WalletBook spent = requester.book();
    WalletBook earned = provider.book();
    long head = requester.party.rpc().head().number();
    try (LedgerFollower first = requester.follow(spent, "wallet");
        LedgerFollower second = provider.follow(earned, "wallet")) {
      first.awaitBlock(head, Party.TIMEOUT);
      second.awaitBlock(head, Party.TIMEOUT);
    }
    // 1,500,039 less 37,500 (and 0.975), then 1,000,040 less 25,001; 439 less 10 (and 0.975).
    assertThat(provider.history(earned))
        .extracting(WalletEntry::kind, WalletEntry::amount, WalletEntry::wallet)
        .containsExactly(
            tuple(WalletKind.CHANNEL_EARNED, of(1_462_539), of(0)),
            tuple(WalletKind.CHANNEL_EARNED, of(975_039), of(0)),
            tuple(WalletKind.ESCROW_PAID, of(429), of(429)),
            tuple(WalletKind.WITHDRAWN, of(2_000_000), of(2_000_429)));
    assertThat(provider.history(earned).getLast().channels())
        .isEqualTo(provider.channels().balance(provider.key.address(), deployment.token()))
        .isEqualTo(of(437_578));
    assertThat(provider.wallet()).isEqualTo(of(2_000_429));
    // The payer pays the fee's part like any other.
    List<WalletEntry> lines = requester.history(spent);
    assertThat(lines)
        .filteredOn(line -> line.kind() == WalletKind.CHANNEL_PAID)
        .extracting(WalletEntry::amount)
        .containsExactly(of(1_500_039), of(1_000_040));
    assertThat(lines.getLast().channels())
        .isEqualTo(requester.channels().balance(requester.key.address(), deployment.token()))
        .isEqualTo(of(7_499_921));
    assertThat(lines.getLast().locked()).isEqualTo(TokenAmount.ZERO);
    assertThat(spent.escrows()).singleElement().extracting(LockedEscrow::amount).isEqualTo(of(561));
    assertThat(provider.channels().balance(treasury, deployment.token())).isEqualTo(of(62_501));
    requester.requireRebuilt(spent, head);
    provider.requireRebuilt(earned, head);
  }
}
