package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.InsufficientGasFundsException;
import io.rigmesh.ledger.TransactionRefusedException;
import io.rigmesh.ledger.chain.RevertedException;
import io.rigmesh.ledger.chain.RpcRefusedException;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One look at a book: what became of calls that are open, what the chain says about channels with
/// news, and which vouchers are to be handed in now. Used by one thread.
final class RedemptionRound {
  private static final Logger LOG = LoggerFactory.getLogger(RedemptionRound.class);

  /// A voucher that the contract passed over this often is not handed in again.
  private static final int TRIES_MAX = 3;

  private final ChannelStore store;
  private final RedemptionStore calls;
  private final ChannelContract contract;
  private final ChannelLook look;
  private final RedemptionSettings settings;
  private final Clock clock;
  private final boolean closingOnly;
  private final Set<Hash> saidNotWorth = new HashSet<>();
  private final Set<Hash> saidRefused = new HashSet<>();

  /// The rounds of a book.
  ///
  /// @param closingOnly true to leave channels alone that nobody asked to close, and to ask the
  ///   chain about those that somebody did, since nobody brings news of their closing
  RedemptionRound(
      ChannelStore store,
      ChannelContract contract,
      RedemptionSettings settings,
      Clock clock,
      boolean closingOnly) {
    this.store = store;
    this.calls = new RedemptionStore(store);
    this.contract = contract;
    this.look = new ChannelLook(store, contract);
    this.settings = settings;
    this.clock = clock;
    this.closingOnly = closingOnly;
  }

  /// What one call is for.
  ///
  /// @param payee who is paid
  /// @param token in what
  /// @param alone the channel that goes in alone, since its signer is a contract
  private record Group(Address payee, Address token, Optional<Hash> alone) {
    static Group of(ChannelRow row) {
      return new Group(
          row.terms().payee(),
          row.terms().token(),
          row.byContract() ? Optional.of(row.channelId()) : Optional.empty());
    }
  }

  /// One round.
  ///
  /// @param all hand in everything that is worth more than nothing, whatever its gas
  void run(boolean all) {
    for (RedemptionStore.Call call : calls.open()) {
      goOn(call);
    }
    Map<Group, List<ChannelRow>> due = new LinkedHashMap<>();
    Map<Hash, Integer> handedIn = calls.handedIn();
    for (ChannelRow row : store.worthALook()) {
      boolean maybeClosed = closingOnly && row.channel().closesAt().isPresent();
      ChannelRow now = row.stale() || maybeClosed ? look.refresh(row) : row;
      boolean wanted = !closingOnly || now.channel().closesAt().isPresent();
      if (wanted
          && gain(now).signum() > 0
          && handedIn.getOrDefault(now.channelId(), 0) < TRIES_MAX) {
        due.computeIfAbsent(Group.of(now), g -> new ArrayList<>()).add(now);
      }
    }
    List<RedemptionStore.Call> open = calls.open();
    Set<Hash> underWay = new HashSet<>();
    for (RedemptionStore.Call call : open) {
      call.claims().forEach(claim -> underWay.add(claim.voucher().voucher().hash()));
    }
    boolean waits =
        calls
            .lastFailure()
            // A failure that is to come, by a clock that was set back since, keeps nothing waiting.
            .filter(last ->
                Duration.between(last, clock.instant()).abs().compareTo(settings.retryAfter()) < 0)
            .isPresent();
    for (Map.Entry<Group, List<ChannelRow>> group : due.entrySet()) {
      boolean alone = group.getKey().alone().isPresent();
      boolean held = !alone && (waits || isCalling(open, group.getKey()));
      List<ChannelRow> rows =
          group.getValue().stream()
              .filter(row -> !underWay.contains(row.newest().orElseThrow().voucher().hash()))
              // One ordinary call at a time, and none for a while after one that failed, which any
              // party can bring about by handing a voucher in first. A channel that closes waits
              // for neither.
              .filter(row -> !held || row.channel().closesAt().isPresent())
              .sorted(Comparator.comparing(RedemptionRound::gain).reversed())
              .toList();
      if (alone) {
        rows.forEach(row -> handInAlone(group.getKey(), row, all));
        continue;
      }
      for (int i = 0; i < rows.size(); i += settings.claimsMax()) {
        List<ChannelRow> part = rows.subList(i, Math.min(rows.size(), i + settings.claimsMax()));
        handIn(group.getKey(), part, all);
      }
    }
  }

  private static boolean isCalling(List<RedemptionStore.Call> open, Group group) {
    return open.stream()
        .anyMatch(call ->
            !call.byContract()
                && call.payee().equals(group.payee())
                && call.token().equals(group.token()));
  }

  /// Hands in one voucher that the signer's contract took when it came. It may take it no longer,
  /// which is that channel's trouble and keeps no other.
  private void handInAlone(Group group, ChannelRow row, boolean all) {
    try {
      BigInteger cost = cost(group, List.of(row));
      if (all || settings.isWorth(group.token(), gain(row), cost, multiple(row))) {
        submit(calls.plan(group.payee(), group.token(), List.of(row), clock.instant()));
      } else {
        sayNotWorth(row);
      }
    } catch (RevertedException
        | TransactionRefusedException
        | InsufficientGasFundsException
        | RpcRefusedException e) {
      if (saidRefused.add(row.channelId())) {
        LOG.warn(
            "the voucher of the channel {}, whose signer {} is a contract, cannot be handed in: {}",
            row.channelId(),
            row.terms().signer(),
            e.getMessage());
      }
    }
  }

  /// Brings a call that was begun to its end; one that was written down and never reached the store
  /// of transactions is made now.
  private void goOn(RedemptionStore.Call call) {
    Optional<ChannelContract.Outcome> outcome = contract.redeemed(call.key());
    if (outcome.isEmpty()) {
      submit(call);
      return;
    }
    switch (outcome.get()) {
      case ChannelContract.Outcome.Open _ -> {}
      case ChannelContract.Outcome.Confirmed confirmed -> {
        calls.end(call, Optional.empty());
        LOG.info(
            "{} vouchers for {} are handed in with {} gas",
            call.claims().size(),
            call.payee(),
            confirmed.inclusion().gasUsed());
      }
      case ChannelContract.Outcome.Failed failed -> {
        calls.end(call, Optional.of(failed.reason()));
        LOG.warn(
            "{} vouchers for {} are not handed in: {}",
            call.claims().size(),
            call.payee(),
            failed.reason());
      }
    }
  }

  private void handIn(Group group, List<ChannelRow> rows, boolean all) {
    List<ChannelRow> worth = all || settings.gasMultiple() == 0 ? rows : worthTheirGas(group, rows);
    if (!worth.isEmpty()) {
      submit(calls.plan(group.payee(), group.token(), worth, clock.instant()));
    }
  }

  /// Those whose gain is worth their share of the call's gas, if all of them together are worth the
  /// whole; else those that close and are worth at least their gas.
  private List<ChannelRow> worthTheirGas(Group group, List<ChannelRow> rows) {
    BigInteger share = cost(group, rows).divide(BigInteger.valueOf(rows.size()));
    List<ChannelRow> dear =
        rows.stream()
            .filter(row -> settings.isWorth(group.token(), gain(row), share, multiple(row)))
            .toList();
    rows.stream().filter(row -> !dear.contains(row)).forEach(this::sayNotWorth);
    if (dear.isEmpty()) {
      return List.of();
    }
    BigInteger cost =
        dear.size() == rows.size()
            ? share.multiply(BigInteger.valueOf(rows.size()))
            : cost(group, dear);
    if (settings.isWorth(group.token(), sum(dear), cost, settings.gasMultiple())) {
      return dear;
    }
    List<ChannelRow> closing =
        dear.stream().filter(row -> row.channel().closesAt().isPresent()).toList();
    return !closing.isEmpty()
            && settings.isWorth(group.token(), sum(closing), cost(group, closing), 1)
        ? closing
        : List.of();
  }

  private int multiple(ChannelRow row) {
    return row.channel().closesAt().isPresent()
        ? Math.min(1, settings.gasMultiple())
        : settings.gasMultiple();
  }

  private BigInteger cost(Group group, List<ChannelRow> rows) {
    return contract.redeemCostWei(
        group.payee(),
        group.token(),
        rows.stream()
            .map(row -> new ChannelContract.Claim(row.terms(), row.newest().orElseThrow()))
            .toList());
  }

  /// Said once for each channel that closes: its money goes back to the payer.
  private void sayNotWorth(ChannelRow row) {
    if (row.channel().closesAt().isPresent() && saidNotWorth.add(row.channelId())) {
      LOG.warn(
          "the channel {} closes and {} of it are not worth the gas of handing its voucher in",
          row.channelId(),
          gain(row));
    }
  }

  private void submit(RedemptionStore.Call call) {
    contract.submitRedeem(call.key(), call.payee(), call.token(), call.claims());
  }

  /// What handing in the newest voucher would move: no more than the channel holds.
  private static BigInteger gain(ChannelRow row) {
    Channel channel = row.channel();
    if (channel.closed()) {
      return BigInteger.ZERO;
    }
    TokenAmount promised = row.promised();
    TokenAmount most = promised.compareTo(channel.deposit()) < 0 ? promised : channel.deposit();
    return most.units().subtract(channel.redeemed().units());
  }

  private static BigInteger sum(List<ChannelRow> rows) {
    return rows.stream().map(RedemptionRound::gain).reduce(BigInteger.ZERO, BigInteger::add);
  }
}
