package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SignedVoucher;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;

/// What a payee gives to a watchtower: with it anybody can hand the voucher in, and nobody can do
/// anything else.
///
/// @param terms the channel
/// @param voucher its newest voucher
public record Handover(ChannelTerms terms, SignedVoucher voucher) {
  /// The newest voucher that a payee's book has of a channel; empty where it has none.
  ///
  /// @param payee whose book
  public static Optional<Handover> of(Jdbi jdbi, Domain domain, Address payee, Hash channel) {
    return new ChannelStore(jdbi, domain, payee, ChannelStore.Role.PAYEE)
        .find(channel)
        .flatMap(row -> row.newest().map(voucher -> new Handover(row.terms(), voucher)));
  }
}
