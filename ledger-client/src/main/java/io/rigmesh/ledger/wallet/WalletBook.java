package io.rigmesh.ledger.wallet;

import io.rigmesh.ledger.chain.Place;
import io.rigmesh.ledger.channel.ChannelEvent;
import io.rigmesh.ledger.channel.ChannelEvents;
import io.rigmesh.ledger.escrow.EscrowEvent;
import io.rigmesh.ledger.escrow.EscrowEvents;
import io.rigmesh.ledger.escrow.TokenEvents;
import io.rigmesh.ledger.escrow.TokenTransfer;
import io.rigmesh.ledger.follow.EventListener;
import io.rigmesh.ledger.follow.Followed;
import io.rigmesh.ledger.wallet.WalletStore.Balances;
import io.rigmesh.ledger.wallet.WalletStore.ChannelState;
import io.rigmesh.ledger.wallet.WalletStore.Line;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;

/// An account's tokens as the followed events tell of them: every movement with the balances after
/// it, and which channels hold how much. Give [#followed] to a follower, which keeps it. Safe for
/// use by several threads.
public final class WalletBook {
  private static final BigInteger BASIS = BigInteger.valueOf(10_000);

  private final Jdbi jdbi;
  private final Parties parties;
  private final WalletStore store;

  /// Whose tokens, and the contracts that hold some of them.
  ///
  /// @param chainId the chain
  /// @param account whose history
  /// @param token the payment token
  /// @param escrow JobEscrow
  /// @param registry ProviderRegistry
  /// @param channels PaymentChannels
  /// @param feeBasisPoints the treasury's part of what is redeemed, in ten-thousandths
  public record Parties(
      long chainId,
      Address account,
      Address token,
      Address escrow,
      Address registry,
      Address channels,
      int feeBasisPoints) {}

  /// A book on a database that has this module's tables.
  public WalletBook(Jdbi jdbi, Parties parties) {
    this.jdbi = jdbi;
    this.parties = parties;
    this.store = new WalletStore(parties.chainId() + ":" + parties.account().hex());
  }

  /// What a follower must follow for it, all together.
  public List<Followed<?>> followed() {
    List<Address> accounts = List.of(parties.account());
    return List.of(
        new Followed<>(
            new TokenEvents(parties.token(), accounts),
            listener(this::transferred, (handle, event) -> store.remove(handle, event.place()))),
        new Followed<>(
            new BalanceEvents(parties.channels(), parties.account()),
            listener(this::moved, (handle, event) -> store.remove(handle, event.place()))),
        new Followed<>(
            new ChannelEvents(parties.channels(), accounts),
            listener(this::happened, this::takenBack)),
        new Followed<>(
            new EscrowEvents(parties.escrow(), accounts),
            listener(
                (handle, event) -> escrow(handle, event, false),
                (handle, event) -> escrow(handle, event, true))));
  }

  /// A page of the history, the newest first.
  ///
  /// @param before only what is older than this; empty for the newest
  /// @param walletNow what the account holds after the block that the follower has read to, from
  ///   which the balances before it follow
  public List<WalletEntry> history(Optional<Place> before, int limit, TokenAmount walletNow) {
    return jdbi.withHandle(handle ->
        store.history(
            handle, before, limit, walletNow.units().subtract(store.balances(handle).wallet())));
  }

  /// The channels that hold this account's tokens, those that are being closed first.
  public List<LockedChannel> locked() {
    return jdbi.withHandle(handle -> store.locked(handle, parties.account()));
  }

  /// The escrows that hold tokens of this account, or that may pay it.
  List<LockedEscrow> escrows() {
    return jdbi.withHandle(store::escrows);
  }

  private <E> EventListener<E> listener(
      BiConsumer<Handle, E> happened, BiConsumer<Handle, E> takenBack) {
    return new EventListener<>() {
      @Override
      public void happened(Handle transaction, E event) {
        happened.accept(transaction, event);
      }

      @Override
      public void takenBack(Handle transaction, E event) {
        takenBack.accept(transaction, event);
      }

      @Override
      public void forgotten(Handle transaction) {
        store.clear(transaction);
      }
    };
  }

  private void transferred(Handle handle, TokenTransfer event) {
    BigInteger amount = event.amount().units();
    boolean out = event.from().equals(parties.account());
    boolean in = event.to().equals(parties.account());
    BigInteger change = (in ? amount : BigInteger.ZERO).subtract(out ? amount : BigInteger.ZERO);
    Address other = out ? event.to() : event.from();
    WalletKind kind =
        other.equals(parties.escrow())
            ? out ? WalletKind.ESCROW_LOCKED : WalletKind.ESCROW_PAID
            : other.equals(parties.registry())
                ? out ? WalletKind.STAKED : WalletKind.UNSTAKED
                : out ? WalletKind.SENT : WalletKind.RECEIVED;
    // The contract tells of these itself, with whose balance it was.
    boolean shown = !other.equals(parties.channels());
    store.add(
        handle,
        new Line(event.place(), kind, shown, other, Optional.empty(), Optional.empty(), amount),
        new Balances(change, BigInteger.ZERO, BigInteger.ZERO));
  }

  /// What is in an escrow; the movements themselves are the token's.
  private void escrow(Handle handle, EscrowEvent event, boolean takenBack) {
    switch (event) {
      case EscrowEvent.Funded funded -> {
        if (takenBack) {
          store.forgetEscrow(handle, funded.job());
        } else {
          store.addEscrow(handle, funded);
        }
      }
      case EscrowEvent.Released released ->
          store.leftEscrow(
              handle,
              released.job(),
              released.amountPaid().plus(released.amountReturned()).units(),
              takenBack);
      case EscrowEvent.Refunded refunded ->
          store.leftEscrow(handle, refunded.job(), refunded.amount().units(), takenBack);
      case EscrowEvent.Accepted _, EscrowEvent.ProofSubmitted _, EscrowEvent.Disputed _ -> {}
    }
  }

  private void moved(Handle handle, BalanceMove move) {
    if (!move.token().equals(parties.token())) {
      return;
    }
    BigInteger amount = move.amount().units();
    store.add(
        handle,
        new Line(
            move.place(),
            move.in() ? WalletKind.DEPOSITED : WalletKind.WITHDRAWN,
            true,
            move.other(),
            Optional.empty(),
            Optional.empty(),
            amount),
        new Balances(BigInteger.ZERO, move.in() ? amount : amount.negate(), BigInteger.ZERO));
  }

  private void happened(Handle handle, ChannelEvent event) {
    if (event instanceof ChannelEvent.Opened opened) {
      if (opened.terms().token().equals(parties.token())) {
        BigInteger amount = opened.amount().units();
        store.open(
            handle, opened.channel(), opened.terms().payer(), opened.terms().payee(), amount);
        fund(
            handle,
            opened,
            WalletKind.CHANNEL_OPENED,
            opened.terms().payer(),
            opened.terms().payee(),
            amount);
      }
      return;
    }
    Optional<ChannelState> known = store.channel(handle, event.channel());
    if (known.isEmpty()) {
      // A channel of another token.
      return;
    }
    ChannelState channel = known.get();
    Hash id = event.channel();
    switch (event) {
      case ChannelEvent.Opened _ -> {}
      case ChannelEvent.ToppedUp up -> {
        store.update(handle, id, up.deposit().units(), channel.redeemed());
        fund(
            handle,
            up,
            WalletKind.CHANNEL_TOPPED_UP,
            channel.payer(),
            channel.payee(),
            up.amount().units());
      }
      case ChannelEvent.Redeemed paid -> redeemed(handle, paid, channel);
      case ChannelEvent.CloseRequested asked ->
          store.closing(handle, id, asked.closesAt().getEpochSecond());
      case ChannelEvent.Closed closed -> {
        store.closed(handle, id, true);
        if (channel.payer().equals(parties.account())) {
          BigInteger rest = closed.returned().units();
          store.add(
              handle,
              line(closed, WalletKind.CHANNEL_CLOSED, channel.payee(), rest),
              new Balances(BigInteger.ZERO, rest, rest.negate()));
        }
      }
      case ChannelEvent.ClaimRefused _ -> {}
    }
  }

  private void fund(
      Handle handle,
      ChannelEvent event,
      WalletKind kind,
      Address payer,
      Address payee,
      BigInteger amount) {
    if (payer.equals(parties.account())) {
      store.add(
          handle,
          line(event, kind, payee, amount),
          new Balances(BigInteger.ZERO, amount.negate(), amount));
    }
  }

  private void redeemed(Handle handle, ChannelEvent.Redeemed paid, ChannelState channel) {
    BigInteger before = channel.redeemed();
    BigInteger now = paid.redeemed().units();
    BigInteger gross = now.subtract(before);
    store.update(handle, paid.channel(), channel.deposit(), now);
    boolean earned = channel.payee().equals(parties.account());
    boolean spent = channel.payer().equals(parties.account());
    BigInteger net = gross.subtract(fee(now).subtract(fee(before)));
    store.add(
        handle,
        earned
            ? line(paid, WalletKind.CHANNEL_EARNED, channel.payer(), net)
            : line(paid, WalletKind.CHANNEL_PAID, channel.payee(), gross),
        new Balances(
            BigInteger.ZERO,
            earned ? net : BigInteger.ZERO,
            spent ? gross.negate() : BigInteger.ZERO));
  }

  /// The fee of all that was ever redeemed, rounded as the contract does.
  private BigInteger fee(BigInteger redeemed) {
    return redeemed.multiply(BigInteger.valueOf(parties.feeBasisPoints())).divide(BASIS);
  }

  private static Line line(
      ChannelEvent event, WalletKind kind, Address counterparty, BigInteger amount) {
    Optional<BigInteger> redeemed =
        event instanceof ChannelEvent.Redeemed paid
            ? Optional.of(paid.redeemed().units())
            : Optional.empty();
    return new Line(
        event.place(), kind, true, counterparty, Optional.of(event.channel()), redeemed, amount);
  }

  private void takenBack(Handle handle, ChannelEvent event) {
    store.remove(handle, event.place());
    Hash id = event.channel();
    Optional<ChannelState> known = store.channel(handle, id);
    if (known.isEmpty()) {
      return;
    }
    ChannelState channel = known.get();
    switch (event) {
      case ChannelEvent.Opened _ -> store.forget(handle, id);
      case ChannelEvent.ToppedUp up ->
          store.update(
              handle, id, channel.deposit().subtract(up.amount().units()), channel.redeemed());
      case ChannelEvent.Redeemed _ ->
          store.update(handle, id, channel.deposit(), store.redeemed(handle, id));
      case ChannelEvent.CloseRequested _ -> store.closing(handle, id, null);
      case ChannelEvent.Closed _ -> store.closed(handle, id, false);
      case ChannelEvent.ClaimRefused _ -> {}
    }
  }
}
