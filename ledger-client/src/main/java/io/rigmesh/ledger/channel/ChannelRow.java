package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import java.util.Optional;

/// A channel in a book as it is stored.
///
/// @param id the store's number
/// @param channelId the channel's id
/// @param channel as the chain had it at `readAtBlock`
/// @param readAtBlock -1 where it was never read
/// @param news how often something happened to it on the chain
/// @param stale true if something happened to it since it was read
/// @param state where it stands; a payee's and a watchtower's are always open
/// @param note why it failed or gets no further voucher; else empty
/// @param newest the newest voucher
/// @param byContract true where the signer's contract takes the newest voucher and no key signed it
/// @param owedEnded what ended jobs owe, and what was redeemed before the book knew the channel
/// @param fundingNumber openings and top-ups so far
/// @param funding what is on its way into the channel
/// @param jobs how many jobs it was ever told to pay for
record ChannelRow(
    long id,
    Hash channelId,
    Channel channel,
    long readAtBlock,
    long news,
    boolean stale,
    PayerChannel.State state,
    String note,
    Optional<SignedVoucher> newest,
    boolean byContract,
    TokenAmount owedEnded,
    long fundingNumber,
    Optional<TokenAmount> funding,
    long jobs) {
  ChannelTerms terms() {
    return channel.terms();
  }

  /// What the newest voucher promises.
  TokenAmount promised() {
    return newest.map(signed -> signed.voucher().amount()).orElse(TokenAmount.ZERO);
  }

  /// True in a payer's book where more was paid out than its vouchers promised: they were lost, or
  /// the endpoint lies. Nothing more is to be signed, since a voucher goes on from what is spent.
  boolean isBeyondItsVouchers() {
    return channel.redeemed().compareTo(promised()) > 0;
  }

  /// What was promised or is gone already: the lower bound of the next voucher.
  TokenAmount spent() {
    TokenAmount promised = promised();
    return promised.compareTo(channel.redeemed()) > 0 ? promised : channel.redeemed();
  }
}
