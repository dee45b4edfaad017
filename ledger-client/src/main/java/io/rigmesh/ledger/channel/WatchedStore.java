package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Hash;
import java.util.List;
import org.jdbi.v3.core.Handle;

/// The channels of a watchtower's book, which may be forgotten again.
final class WatchedStore {
  private final ChannelStore store;

  WatchedStore(ChannelStore store) {
    this.store = store;
  }

  List<WatchedChannel> channels() {
    return store.channels().stream()
        .map(row -> new WatchedChannel(row.channel(), row.promised()))
        .toList();
  }

  /// Those that are not closed yet.
  List<Hash> open() {
    return store.channels().stream()
        .filter(row -> !row.channel().closed())
        .map(ChannelRow::channelId)
        .toList();
  }

  /// Notes that something may have happened to channels.
  void news(Iterable<Hash> channels) {
    store.transaction(handle -> {
      channels.forEach(channel -> ChannelStore.news(handle, channel));
      return true;
    });
  }

  /// Forgets a channel, unless its voucher is being handed in.
  ///
  /// @return whether it was there
  /// @throws ChannelException if its voucher is on its way
  boolean remove(Handle handle, Hash channel) {
    return store.find(handle, channel).map(row -> remove(handle, row)).orElse(false);
  }

  private boolean remove(Handle handle, ChannelRow row) {
    boolean underWay =
        handle
            .createQuery(
                "SELECT EXISTS (SELECT 1 FROM ledger_redemption_claim k JOIN ledger_redemption r"
                    + " ON r.id = k.redemption_id WHERE k.channel_id = :id AND r.state = 'open')")
            .bind("id", row.id())
            .mapTo(Boolean.class)
            .one();
    if (underWay) {
      throw new ChannelException(
          "The voucher of the channel %s is being handed in now; it can be forgotten when that is done."
              .formatted(row.channelId()));
    }
    handle.execute("DELETE FROM ledger_redemption_claim WHERE channel_id = ?", row.id());
    handle.execute("DELETE FROM ledger_channel WHERE id = ?", row.id());
    return true;
  }

  /// Makes room by forgetting closed channels, those that are here longest first.
  void forgetClosed(Handle handle, int keep) {
    List<ChannelRow> closed =
        store.channels(handle).stream().filter(row -> row.channel().closed()).toList();
    closed.stream().limit(Math.max(0, closed.size() - keep)).forEach(row -> remove(handle, row));
  }
}
