package io.rigmesh.ledger.wallet;

import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.channel.KeptVouchers;
import io.rigmesh.ledger.escrow.ContractReads;
import io.rigmesh.ledger.escrow.Milestone;
import io.rigmesh.ledger.generated.JobEscrow;
import io.rigmesh.ledger.generated.PaymentChannels;
import io.rigmesh.ledger.generated.ProviderRegistry;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.web3j.protocol.core.RemoteFunctionCall;
import org.web3j.tuples.generated.Tuple3;
import org.web3j.tx.gas.DefaultGasProvider;

/// What is locked where, and until when: channels and escrows from a wallet's book, milestones,
/// stake and waiting times from the newest block. Used by one thread.
public final class WalletLocks {
  private final ChainRpc rpc;
  private final WalletBook.Parties parties;
  private final WalletBook book;
  private final JobEscrow escrow;
  private final ProviderRegistry registry;
  private final PaymentChannels channels;

  /// What is locked of an account's tokens.
  ///
  /// @param book the account's, which a follower has just brought up to date
  public WalletLocks(ChainRpc rpc, WalletBook.Parties parties, WalletBook book) {
    this.rpc = rpc;
    this.parties = parties;
    this.book = book;
    this.escrow =
        JobEscrow.load(
            parties.escrow().hex(),
            rpc.web3j(),
            ContractReads.readOnly(rpc),
            new DefaultGasProvider());
    this.registry =
        ProviderRegistry.load(
            parties.registry().hex(),
            rpc.web3j(),
            ContractReads.readOnly(rpc),
            new DefaultGasProvider());
    this.channels =
        PaymentChannels.load(
            parties.channels().hex(),
            rpc.web3j(),
            ContractReads.readOnly(rpc),
            new DefaultGasProvider());
  }

  /// Everything, what this account has locked before what waits for it.
  ///
  /// @param vouchers the newest vouchers of the node's own books; none for another account
  public List<LockedItem> items(KeptVouchers vouchers) {
    List<LockedItem> items = new ArrayList<>();
    for (LockedChannel channel : book.locked()) {
      items.add(paying(channel, vouchers));
    }
    List<LockedEscrow> escrows = book.escrows();
    for (LockedEscrow held : escrows) {
      if (held.requester().equals(parties.account())) {
        addPaying(items, held);
      }
    }
    addStake(items);
    addDeferred(items);
    for (KeptVouchers.Earned earned : vouchers.earned()) {
      items.add(
          new LockedItem(
              LockedItem.Kind.REDEEMABLE,
              Optional.of(earned.channel()),
              Optional.of(earned.payer()),
              earned.redeemable(),
              Optional.of(earned.redeemable()),
              earned.closesAt(),
              earned.closesAt().isPresent()
                  ? "redeemed in time; after that the payer may close the channel"
                  : "redeemed when it is worth its gas"));
    }
    for (LockedEscrow held : escrows) {
      if (held.provider().equals(parties.account())
          && !held.requester().equals(parties.account())) {
        proven(held).forEach(part -> items.add(part.item(LockedItem.Kind.DUE, held.requester())));
      }
    }
    return items;
  }

  private LockedItem paying(LockedChannel channel, KeptVouchers vouchers) {
    String note =
        channel.closesAt().isPresent()
            ? "what is not redeemed by then comes back when it is closed"
            : "%d s after its closing is asked for".formatted(seconds(channels.challengeSeconds()));
    return new LockedItem(
        LockedItem.Kind.CHANNEL,
        Optional.of(channel.channel()),
        Optional.of(channel.payee()),
        channel.amount(),
        vouchers.promised(channel.channel(), channel.amount()),
        channel.closesAt(),
        note);
  }

  /// A milestone that is proven and not paid.
  private record Part(LockedEscrow held, int number, Milestone milestone, Duration waits) {
    boolean isDisputed() {
      return milestone.status() == Milestone.Status.DISPUTED;
    }

    LockedItem item(LockedItem.Kind kind, Address counterparty) {
      return new LockedItem(
          kind,
          Optional.of(held.job()),
          Optional.of(counterparty),
          milestone.amountDue(),
          Optional.empty(),
          Optional.of(milestone.since().plus(waits)),
          "milestone %d, %s"
              .formatted(
                  number,
                  isDisputed()
                      ? "disputed: back to the requester then, unless the referee rules"
                      : "paid by anybody from then on, by the requester before"));
    }
  }

  private void addPaying(List<LockedItem> items, LockedEscrow held) {
    List<Part> parts = proven(held);
    BigInteger due =
        parts.stream()
            .map(part -> part.milestone().amountDue().units())
            .reduce(BigInteger.ZERO, BigInteger::add);
    BigInteger rest = held.amount().units().subtract(due);
    if (rest.signum() > 0) {
      items.add(
          new LockedItem(
              LockedItem.Kind.ESCROW,
              Optional.of(held.job()),
              Optional.of(held.provider()),
              new TokenAmount(rest),
              Optional.empty(),
              Optional.of(held.deadline()),
              "what is not proven by then can be taken back"));
    }
    parts.forEach(part -> items.add(part.item(LockedItem.Kind.MILESTONE, held.provider())));
  }

  private List<Part> proven(LockedEscrow held) {
    String requester = held.requester().hex();
    byte[] job = held.job().bytes();
    int proven =
        read("JobEscrow", parties.escrow(), escrow.escrowOf(requester, job)).proven.intValueExact();
    List<Part> parts = new ArrayList<>();
    for (int number = 1; number <= proven; number++) {
      JobEscrow.Milestone raw =
          read(
              "JobEscrow",
              parties.escrow(),
              escrow.milestoneOf(requester, job, BigInteger.valueOf(number)));
      Optional<Milestone> milestone = Milestone.of(raw);
      if (milestone.isPresent() && milestone.get().status() != Milestone.Status.PAID) {
        boolean disputed = milestone.get().status() == Milestone.Status.DISPUTED;
        Duration waits =
            Duration.ofSeconds(
                seconds(disputed ? escrow.disputeSeconds() : escrow.challengeSeconds()));
        parts.add(new Part(held, number, milestone.get(), waits));
      }
    }
    return parts;
  }

  private void addDeferred(List<LockedItem> items) {
    BigInteger deferred =
        read("JobEscrow", parties.escrow(), escrow.deferredOf(parties.account().hex()));
    if (deferred.signum() > 0) {
      items.add(
          new LockedItem(
              LockedItem.Kind.DEFERRED,
              Optional.empty(),
              Optional.of(parties.escrow()),
              new TokenAmount(deferred),
              Optional.empty(),
              Optional.empty(),
              "the token refused to pay it; `rigmesh wallet collect` asks it again"));
    }
  }

  private void addStake(List<LockedItem> items) {
    Tuple3<BigInteger, BigInteger, BigInteger> stake =
        read("ProviderRegistry", parties.registry(), registry.stakeOf(parties.account().hex()));
    if (stake.component1().signum() > 0) {
      items.add(
          stake(
              LockedItem.Kind.STAKE,
              stake.component1(),
              Optional.empty(),
              "%d s after it is asked back"
                  .formatted(
                      read("ProviderRegistry", parties.registry(), registry.unbondingSeconds())
                          .longValueExact())));
    }
    if (stake.component2().signum() > 0) {
      items.add(
          stake(
              LockedItem.Kind.UNBONDING,
              stake.component2(),
              Optional.of(Instant.ofEpochSecond(stake.component3().longValueExact())),
              "can be withdrawn from then on, and slashed before"));
    }
  }

  private static LockedItem stake(
      LockedItem.Kind kind, BigInteger amount, Optional<Instant> until, String note) {
    return new LockedItem(
        kind,
        Optional.empty(),
        Optional.empty(),
        new TokenAmount(amount),
        Optional.empty(),
        until,
        note);
  }

  private long seconds(RemoteFunctionCall<BigInteger> call) {
    return read("market's contract", parties.escrow(), call).longValueExact();
  }

  private <T> T read(String name, Address address, RemoteFunctionCall<T> call) {
    return ContractReads.read(rpc, name, address, call);
  }
}
