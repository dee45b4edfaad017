package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;

/// What of a payer's channels can be used, and by how much.
///
/// @param store the book's channels
/// @param parts what jobs hold of them
/// @param signer the key that signs its vouchers
/// @param token what it pays in
record PayerRoom(ChannelStore store, PartStore parts, Address signer, Address token) {
  /// The channels to a payee that can pay.
  List<ChannelRow> usable(Handle handle, Address payee) {
    return store.to(handle, payee).stream().filter(this::isUsable).toList();
  }

  boolean isUsable(ChannelRow row) {
    boolean pays =
        row.state() == PayerChannel.State.OPEN || row.state() == PayerChannel.State.OPENING;
    return pays
        && row.note().isEmpty()
        && !row.isBeyondItsVouchers()
        && row.terms().token().equals(token)
        && row.terms().signer().equals(signer)
        && row.channel().isOpen();
  }

  /// What jobs hold of a channel and have not paid.
  TokenAmount held(Handle handle, ChannelRow row, Instant now, Optional<Hash> except) {
    TokenAmount held = TokenAmount.ZERO;
    for (Part part : parts.holding(handle, row.id())) {
      if (except.isEmpty() || !except.get().equals(part.job())) {
        held = held.plus(part.left(now));
      }
    }
    return held;
  }

  /// What is neither promised nor held.
  TokenAmount free(Handle handle, ChannelRow row, Instant now) {
    TokenAmount bound = row.spent().plus(held(handle, row, now, Optional.empty()));
    TokenAmount deposit = row.channel().deposit();
    return deposit.compareTo(bound) > 0 ? deposit.minus(bound) : TokenAmount.ZERO;
  }
}
