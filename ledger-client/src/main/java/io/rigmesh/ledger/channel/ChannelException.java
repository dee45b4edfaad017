package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.LedgerException;

/// Something was asked of a channel that its book does not allow, such as to pay more than is held.
public final class ChannelException extends LedgerException {
  private static final long serialVersionUID = 1L;

  /// An error in one or two sentences.
  public ChannelException(String message) {
    super(message);
  }
}
