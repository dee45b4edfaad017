package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import java.time.Clock;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;

/// Guards channels of payees that may be away: when one is asked to close, it hands in the newest
/// voucher that it was given, within the challenge time. It needs no key of theirs, since the
/// contract pays the payee whoever hands the voucher in, and pays nothing for one that is older
/// than what was handed in before.
///
/// Safe for use by several threads; one thread of its own watches until [#close].
public final class Watchtower implements AutoCloseable {
  private final ChannelStore store;
  private final Domain domain;
  private final Redemption redemption;

  private Watchtower(ChannelStore store, Domain domain, Redemption redemption) {
    this.store = store;
    this.domain = domain;
    this.redemption = redemption;
  }

  /// Starts watching the channels that were given to it, now or before a restart.
  ///
  /// @param contract sends from the account that pays the gas
  public static Watchtower start(
      Jdbi jdbi, ChannelContract contract, RedemptionSettings settings, Clock clock) {
    ChannelStore store =
        new ChannelStore(jdbi, contract.domain(), contract.account(), ChannelStore.Role.WATCHED);
    return new Watchtower(
        store,
        contract.domain(),
        Redemption.start(
            new RedemptionRound(store, contract, settings, clock, true),
            settings,
            "ledger-watchtower"));
  }

  /// Watches a channel with this voucher, unless a newer one is here already. Stored when this
  /// returns.
  ///
  /// @throws ChannelException if the voucher is not the channel's
  public void watch(ChannelTerms terms, SignedVoucher voucher) {
    if (!voucher.voucher().channel().equals(terms.id())) {
      throw new ChannelException(
          "The voucher is of the channel %s and not of %s."
              .formatted(voucher.voucher().channel(), terms.id()));
    }
    if (!voucher.isSignedBy(terms.signer(), domain)) {
      throw new ChannelException(
          "The voucher is not signed by the signer %s of the channel %s for the chain %d and the contract %s."
              .formatted(terms.signer(), terms.id(), domain.chainId(), domain.verifyingContract()));
    }
    store.transaction(handle -> {
      store.add(handle, terms, PayerChannel.State.OPEN, Optional.empty(), TokenAmount.ZERO);
      ChannelRow row = store.get(handle, terms.id());
      if (voucher.voucher().amount().compareTo(row.promised()) > 0) {
        store.setNewest(handle, row.id(), voucher);
      }
      return true;
    });
  }

  /// Looks at the channels now instead of at the next interval.
  public void wake() {
    redemption.wake();
  }

  @Override
  public void close() {
    redemption.close();
  }
}
