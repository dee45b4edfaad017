package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.LedgerException;
import io.rigmesh.protocol.Hash;
import java.time.Clock;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Closes channels of a payer: asks first, and closes when the challenge time is over.
final class PayerLeaving {
  private static final Logger LOG = LoggerFactory.getLogger(PayerLeaving.class);

  private final ChannelStore store;
  private final ChannelContract contract;
  private final UnaryOperator<ChannelRow> refresh;
  private final Clock clock;

  PayerLeaving(
      ChannelStore store,
      ChannelContract contract,
      UnaryOperator<ChannelRow> refresh,
      Clock clock) {
    this.store = store;
    this.contract = contract;
    this.refresh = refresh;
    this.clock = clock;
  }

  /// Asks to close a channel; from now on it gets no further voucher.
  void leave(Hash channel) {
    ChannelRow row =
        store.transaction(handle -> {
          ChannelRow found = store.get(handle, channel);
          store.setState(handle, found.id(), PayerChannel.State.LEAVING, found.note());
          return found;
        });
    contract.requestClose(row.terms());
    ChannelRow _ = refresh.apply(row);
  }

  /// Goes on with channels that are being left.
  ///
  /// @return how many were closed
  int closeDue() {
    int closed = 0;
    for (ChannelRow row : store.leaving()) {
      try {
        closed += goOn(row) ? 1 : 0;
      } catch (LedgerException e) {
        // One channel's trouble does not keep the others.
        LOG.warn("the channel {} is not closed yet: {}", row.channelId(), e.getMessage());
      }
    }
    return closed;
  }

  private boolean goOn(ChannelRow row) {
    ChannelRow now = refresh.apply(row);
    boolean closing = false;
    if (!now.channel().closed() && now.channel().closesAt().isEmpty()) {
      contract.requestClose(now.terms());
    } else if (!now.channel().closed()
        && now.channel().closesAt().orElseThrow().isBefore(clock.instant())) {
      contract.close(now.terms());
      closing = true;
    }
    ChannelRow _ = refresh.apply(now);
    return closing;
  }
}
