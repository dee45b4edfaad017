package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.TokenAmount;

/// A channel in its payer's book.
///
/// @param channel as the chain has it
/// @param state where it stands here
/// @param spent what the newest voucher promises
/// @param held what jobs hold above that
/// @param note why it failed or gets no further voucher; else empty
public record PayerChannel(
    Channel channel, State state, TokenAmount spent, TokenAmount held, String note) {
  /// Where a channel stands in its payer's book.
  public enum State {
    /// Its opening is on its way.
    OPENING,
    /// It pays.
    OPEN,
    /// Its opening had no effect.
    FAILED,
    /// It was found on the chain and not in the store, so nobody knows what it has promised: it
    /// only closes.
    FOUND,
    /// It is being closed.
    LEAVING
  }

  /// What is neither promised nor held.
  public TokenAmount free() {
    TokenAmount bound = spent.plus(held);
    return channel.deposit().compareTo(bound) > 0
        ? channel.deposit().minus(bound)
        : TokenAmount.ZERO;
  }
}
