package io.rigmesh.node;

import io.rigmesh.ledger.channel.Handover;
import io.rigmesh.ledger.channel.WatchedChannel;
import io.rigmesh.protocol.Hash;
import java.util.List;
import java.util.Optional;

/// Channels of others that this node guards, and what it hands over for others to guard. Safe for
/// use by several threads; needs no network.
public interface Watch {
  /// The channels that are guarded or were, the first to be given first.
  List<WatchedChannel> channels();

  /// How many that are not closed it takes.
  int channelsMax();

  /// Guards a channel with this voucher, unless a newer one is here already; stored when this
  /// returns.
  ///
  /// @throws io.rigmesh.ledger.channel.ChannelException if the voucher is not the channel's, the
  ///   channel is of another token than this node reckons in, or there is no room
  /// @throws io.rigmesh.ledger.ChainUnavailableException if only the chain knows whether the
  ///   voucher is the channel's, and does not answer
  void add(Handover handover);

  /// Guards a channel no longer.
  ///
  /// @return whether it did
  /// @throws io.rigmesh.ledger.channel.ChannelException if its voucher is being handed in
  boolean remove(Hash channel);

  /// The newest voucher of a channel by which this node is paid, for a watchtower; empty where
  /// there is none.
  Optional<Handover> handover(Hash channel);
}
