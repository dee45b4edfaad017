package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.ChainUnavailableException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings a book up to what the chain says about a channel.
final class ChannelLook {
  private static final Logger LOG = LoggerFactory.getLogger(ChannelLook.class);

  private final ChannelStore store;
  private final ChannelContract contract;

  ChannelLook(ChannelStore store, ChannelContract contract) {
    this.store = store;
    this.contract = contract;
  }

  /// Asks the chain, stores the answer, and returns the channel as it is stored then.
  ///
  /// @throws ChainUnavailableException if the chain does not answer
  ChannelRow refresh(ChannelRow row) {
    ChannelContract.Reading reading = contract.read(row.terms());
    return store.transaction(handle -> {
      store.read(handle, row.id(), reading, row.news());
      // A watchtower may have been told to forget it meanwhile.
      return store.find(handle, row.channelId()).orElse(row);
    });
  }

  /// The same; a chain that is away does not stop what is paid out of money that is in a channel
  /// already.
  ChannelRow refreshIfPossible(ChannelRow row) {
    try {
      return refresh(row);
    } catch (ChainUnavailableException e) {
      LOG.warn("the channel {} is used as it was known last: {}", row.channelId(), e.getMessage());
      return row;
    }
  }
}
