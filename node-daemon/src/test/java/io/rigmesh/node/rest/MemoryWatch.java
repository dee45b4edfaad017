package io.rigmesh.node.rest;

import io.rigmesh.ledger.channel.Channel;
import io.rigmesh.ledger.channel.ChannelException;
import io.rigmesh.ledger.channel.Handover;
import io.rigmesh.ledger.channel.WatchedChannel;
import io.rigmesh.node.Watch;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/// Guards nothing, and remembers what it was given. The last voucher given is handed over too.
final class MemoryWatch implements Watch {
  private final Map<Hash, Handover> given = new ConcurrentHashMap<>();

  @Override
  public List<WatchedChannel> channels() {
    return given.values().stream()
        .map(handover ->
            new WatchedChannel(
                new Channel(
                    handover.terms(),
                    TokenAmount.of(10),
                    TokenAmount.of(1),
                    Optional.of(Instant.EPOCH),
                    false),
                handover.voucher().voucher().amount()))
        .toList();
  }

  @Override
  public int channelsMax() {
    return 1;
  }

  @Override
  public void add(Handover handover) {
    if (given.size() >= channelsMax() && !given.containsKey(handover.terms().id())) {
      throw new ChannelException("there is no room");
    }
    given.put(handover.terms().id(), handover);
  }

  @Override
  public boolean remove(Hash channel) {
    return given.remove(channel) != null;
  }

  @Override
  public Optional<Handover> handover(Hash channel) {
    return Optional.ofNullable(given.get(channel));
  }
}
