package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;

/// Guards channels of payees that may be away: when one is asked to close, it hands in the newest
/// voucher that it was given, within the challenge time. It needs no key of theirs, since the
/// contract pays the payee whoever hands the voucher in, and pays nothing for one that is older
/// than what was handed in before.
///
/// Whoever runs it pays the gas and gets nothing from the contract for it. A closing whose voucher
/// is not worth its gas is left alone.
///
/// Safe for use by several threads; one thread of its own hands vouchers in until [#close], and
/// [#look] finds out for which.
public final class Watchtower implements AutoCloseable {
  /// So many blocks are searched again, since a reorganisation may have brought other ones.
  private static final int BLOCKS_AGAIN = 64;

  /// Where more were missed, each channel is asked about itself.
  private static final int BLOCKS_SEARCHED_MAX = 1_000;

  private final ChannelStore store;
  private final WatchedStore watched;
  private final ChannelContract contract;
  private final Domain domain;
  private final CloseRequests requests;
  private final Redemption redemption;
  private final int channelsMax;
  private final ReentrantLock looking = new ReentrantLock();
  private long lookedTo = -1;

  private Watchtower(
      ChannelStore store,
      ChannelContract contract,
      CloseRequests requests,
      Redemption redemption,
      int channelsMax) {
    this.store = store;
    this.watched = new WatchedStore(store);
    this.contract = contract;
    this.domain = contract.domain();
    this.requests = requests;
    this.redemption = redemption;
    this.channelsMax = channelsMax;
  }

  /// Starts watching the channels that were given to it, now or before a restart.
  ///
  /// @param contract sends from the account that pays the gas
  /// @param requests finds the channels that were asked to close
  /// @param channelsMax how many channels that are not closed it takes
  public static Watchtower start(
      Jdbi jdbi,
      ChannelContract contract,
      CloseRequests requests,
      RedemptionSettings settings,
      int channelsMax,
      Clock clock) {
    ChannelStore store =
        new ChannelStore(jdbi, contract.domain(), contract.account(), ChannelStore.Role.WATCHED);
    return new Watchtower(
        store,
        contract,
        requests,
        Redemption.start(
            new RedemptionRound(store, contract, settings, clock, true),
            settings,
            "ledger-watchtower"),
        channelsMax);
  }

  /// Watches a channel with this voucher, unless a newer one is here already. Stored when this
  /// returns.
  ///
  /// @throws ChannelException if the voucher is not the channel's, or there is no room for another
  ///   channel
  /// @throws io.rigmesh.ledger.ChainUnavailableException if no key signed it and the chain, which
  ///   knows whether a contract did, does not answer
  public void watch(ChannelTerms terms, SignedVoucher voucher) {
    if (!voucher.voucher().channel().equals(terms.id())) {
      throw new ChannelException(
          "The voucher is of the channel %s and not of %s."
              .formatted(voucher.voucher().channel(), terms.id()));
    }
    boolean byKey = voucher.isSignedBy(terms.signer(), domain);
    if (!byKey
        && !contract.takes(
            terms.signer(), voucher.voucher().typedData().digest(domain), voucher.signature())) {
      throw new ChannelException(
          "The voucher is not signed by the signer %s of the channel %s for the chain %d and the contract %s."
              .formatted(terms.signer(), terms.id(), domain.chainId(), domain.verifyingContract()));
    }
    store.transaction(handle -> {
      watched.forgetClosed(handle, channelsMax);
      boolean known = store.find(handle, terms.id()).isPresent();
      if (!known && openChannels(handle) >= channelsMax) {
        throw new ChannelException(
            "This watchtower guards %d channels already, which is as many as it takes; forget one first."
                .formatted(channelsMax));
      }
      store.add(handle, terms, PayerChannel.State.OPEN, Optional.empty(), TokenAmount.ZERO);
      ChannelRow row = store.get(handle, terms.id());
      if (voucher.voucher().amount().compareTo(row.promised()) > 0) {
        store.setNewest(handle, row.id(), voucher, !byKey);
      }
      return true;
    });
  }

  private long openChannels(Handle handle) {
    return store.channels(handle).stream().filter(row -> !row.channel().closed()).count();
  }

  /// The channels that it guards or has guarded, the first to be given to it first.
  public List<WatchedChannel> channels() {
    return watched.channels();
  }

  /// Guards a channel no longer.
  ///
  /// @return whether it did
  /// @throws ChannelException if its voucher is being handed in
  public boolean forget(Hash channel) {
    return store.transaction(handle -> watched.remove(handle, channel));
  }

  /// Finds out which channels were asked to close since the last look, and has their vouchers
  /// handed in. To be called every few blocks, and far more often than the challenge time.
  ///
  /// @throws io.rigmesh.ledger.LedgerException if the chain does not answer; the next look finds
  ///   what this one did not
  public void look() {
    looking.lock();
    try {
      List<Hash> open = watched.open();
      if (!open.isEmpty()) {
        long newest = requests.newest();
        boolean searched = lookedTo >= 0 && newest - lookedTo + BLOCKS_AGAIN <= BLOCKS_SEARCHED_MAX;
        watched.news(
            searched
                ? requests.find(open, Math.max(0, lookedTo - BLOCKS_AGAIN), Math.max(0, newest))
                : open);
        lookedTo = newest;
      }
    } finally {
      looking.unlock();
    }
    redemption.wake();
  }

  @Override
  public void close() {
    redemption.close();
  }
}
