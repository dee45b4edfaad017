package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// The state of channels that follows from their events alone, from the first on. What the books
/// keep from day to day must be the same.
public final class ChannelHistory {
  private ChannelHistory() {}

  /// The channels after these events.
  ///
  /// @param events in the order of the chain
  public static Map<Hash, Channel> after(List<ChannelEvent> events) {
    Map<Hash, Channel> channels = new LinkedHashMap<>();
    for (ChannelEvent event : events) {
      next(Optional.ofNullable(channels.get(event.channel())), event)
          .ifPresent(channel -> channels.put(event.channel(), channel));
    }
    return channels;
  }

  private static Optional<Channel> next(Optional<Channel> before, ChannelEvent event) {
    return switch (event) {
      case ChannelEvent.Opened opened ->
          Optional.of(
              new Channel(
                  opened.terms(), opened.amount(), TokenAmount.ZERO, Optional.empty(), false));
      case ChannelEvent.ToppedUp up ->
          before.map(c -> new Channel(c.terms(), up.deposit(), c.redeemed(), c.closesAt(), false));
      case ChannelEvent.Redeemed paid ->
          before.map(
              c -> new Channel(c.terms(), c.deposit(), paid.redeemed(), c.closesAt(), false));
      case ChannelEvent.CloseRequested asked ->
          before.map(c ->
              new Channel(
                  c.terms(), c.deposit(), c.redeemed(), Optional.of(asked.closesAt()), false));
      case ChannelEvent.Closed closed ->
          before.map(
              c -> new Channel(c.terms(), c.deposit(), c.redeemed(), Optional.empty(), true));
      case ChannelEvent.ClaimRefused _ -> before;
    };
  }
}
