package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.chain.ChainLog;
import io.rigmesh.ledger.follow.EventSource;
import io.rigmesh.ledger.follow.LogPattern;
import io.rigmesh.ledger.follow.Subjects;
import io.rigmesh.ledger.generated.PaymentChannels;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.web3j.abi.EventEncoder;
import org.web3j.abi.datatypes.Event;
import org.web3j.protocol.core.methods.response.Log;

/// The events of channels that some accounts pay into or are paid from.
public final class ChannelEvents implements EventSource<ChannelEvent> {
  private static final Hash OPENED = kind(PaymentChannels.OPENED_EVENT);
  private static final Hash TOPPED_UP = kind(PaymentChannels.TOPPEDUP_EVENT);
  private static final Hash REDEEMED = kind(PaymentChannels.REDEEMED_EVENT);
  private static final Hash CLOSE_REQUESTED = kind(PaymentChannels.CLOSEREQUESTED_EVENT);
  private static final Hash CLOSED = kind(PaymentChannels.CLOSED_EVENT);
  private static final Hash CLAIM_REFUSED = kind(PaymentChannels.CLAIMREFUSED_EVENT);

  private final Address channels;
  private final List<Address> accounts;

  /// The events of the contract at an address about any of the accounts, as payer or payee.
  public ChannelEvents(Address channels, List<Address> accounts) {
    this.channels = channels;
    this.accounts = List.copyOf(accounts);
  }

  private static Hash kind(Event event) {
    return Hash.fromHex(EventEncoder.encode(event));
  }

  @Override
  public String name() {
    return "channels";
  }

  @Override
  public Address contract() {
    return channels;
  }

  /// Only an opening names the parties; [#subjects] are the others.
  @Override
  public List<LogPattern> patterns() {
    return List.of(
        LogPattern.of(List.of(OPENED), 2, accounts), LogPattern.of(List.of(OPENED), 3, accounts));
  }

  @Override
  public Optional<Subjects> subjects() {
    return Optional.of(
        new Subjects(
            OPENED, List.of(TOPPED_UP, REDEEMED, CLOSE_REQUESTED, CLOSED, CLAIM_REFUSED), CLOSED));
  }

  @Override
  public ChannelEvent event(ChainLog from) {
    Log log = from.web3j();
    if (from.isOf(OPENED)) {
      PaymentChannels.OpenedEventResponse raw = PaymentChannels.getOpenedEventFromLog(log);
      return new ChannelEvent.Opened(
          from.place(),
          new ChannelTerms(
              Address.fromHex(raw.payer),
              Address.fromHex(raw.signer),
              Address.fromHex(raw.payee),
              Address.fromHex(raw.token),
              raw.salt.longValue()),
          new TokenAmount(raw.amount));
    }
    if (from.isOf(TOPPED_UP)) {
      PaymentChannels.ToppedUpEventResponse raw = PaymentChannels.getToppedUpEventFromLog(log);
      return new ChannelEvent.ToppedUp(
          from.place(),
          Hash.of(raw.channel),
          new TokenAmount(raw.amount),
          new TokenAmount(raw.deposit));
    }
    if (from.isOf(REDEEMED)) {
      PaymentChannels.RedeemedEventResponse raw = PaymentChannels.getRedeemedEventFromLog(log);
      return new ChannelEvent.Redeemed(
          from.place(),
          Hash.of(raw.channel),
          new TokenAmount(raw.redeemed),
          Hash.of(raw.receiptsRoot));
    }
    if (from.isOf(CLOSE_REQUESTED)) {
      PaymentChannels.CloseRequestedEventResponse raw =
          PaymentChannels.getCloseRequestedEventFromLog(log);
      return new ChannelEvent.CloseRequested(
          from.place(), Hash.of(raw.channel), Instant.ofEpochSecond(raw.closesAt.longValueExact()));
    }
    if (from.isOf(CLOSED)) {
      PaymentChannels.ClosedEventResponse raw = PaymentChannels.getClosedEventFromLog(log);
      return new ChannelEvent.Closed(
          from.place(),
          Hash.of(raw.channel),
          new TokenAmount(raw.redeemed),
          new TokenAmount(raw.returned));
    }
    PaymentChannels.ClaimRefusedEventResponse raw =
        PaymentChannels.getClaimRefusedEventFromLog(log);
    return new ChannelEvent.ClaimRefused(
        from.place(),
        Hash.of(raw.channel),
        ChannelEvent.Reason.ofNumber(raw.reason.intValueExact()));
  }
}
