package io.rigmesh.ledger.channel;

import io.rigmesh.ledger.chain.Place;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;

/// Something that happened to a channel, as the chain's log tells it.
public sealed interface ChannelEvent {
  /// Where in the chain it stands.
  Place place();

  /// The channel's id.
  Hash channel();

  /// A channel came to be.
  ///
  /// @param place where in the chain
  /// @param terms what it is
  /// @param amount what is in it
  record Opened(Place place, ChannelTerms terms, TokenAmount amount) implements ChannelEvent {
    @Override
    public Hash channel() {
      return terms.id();
    }
  }

  /// More was put in.
  ///
  /// @param place where in the chain
  /// @param channel the channel's id
  /// @param amount what was added
  /// @param deposit all that was ever put in
  record ToppedUp(Place place, Hash channel, TokenAmount amount, TokenAmount deposit)
      implements ChannelEvent {}

  /// A voucher was handed in.
  ///
  /// @param place where in the chain
  /// @param channel the channel's id
  /// @param redeemed all that was ever paid out
  /// @param receiptsRoot the voucher's
  record Redeemed(Place place, Hash channel, TokenAmount redeemed, Hash receiptsRoot)
      implements ChannelEvent {}

  /// It was asked to close.
  ///
  /// @param place where in the chain
  /// @param channel the channel's id
  /// @param closesAt from when on anybody may close it; until then vouchers are taken
  record CloseRequested(Place place, Hash channel, Instant closesAt) implements ChannelEvent {}

  /// It is over.
  ///
  /// @param place where in the chain
  /// @param channel the channel's id
  /// @param redeemed all that was ever paid out
  /// @param returned what went back to the payer
  record Closed(Place place, Hash channel, TokenAmount redeemed, TokenAmount returned)
      implements ChannelEvent {}

  /// A voucher was handed in that was good for nothing.
  ///
  /// @param place where in the chain
  /// @param channel the channel's id
  /// @param reason why
  record ClaimRefused(Place place, Hash channel, Reason reason) implements ChannelEvent {}

  /// Why a voucher was good for nothing, in the contract's order.
  enum Reason {
    /// There is no such channel, or it is closed.
    NOT_OPEN,
    /// The channel has paid this amount, or all that it holds, already.
    NOTHING_NEW,
    /// The channel's signer did not sign it.
    BAD_SIGNATURE;

    /// The reason with the contract's number.
    static Reason ofNumber(int number) {
      return switch (number) {
        case 0 -> NOT_OPEN;
        case 1 -> NOTHING_NEW;
        case 2 -> BAD_SIGNATURE;
        default -> throw new MalformedException("there is no reason " + number);
      };
    }
  }
}
