package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;

/// What the newest vouchers in an account's books come to, for showing it: the chain knows only
/// what was handed in.
///
/// @param promises what this account's own vouchers promise above what is redeemed, by channel
/// @param earned what vouchers of others promise to it
public record KeptVouchers(Map<Hash, TokenAmount> promises, List<Earned> earned) {
  /// Copies the collections.
  public KeptVouchers {
    promises = Map.copyOf(promises);
    earned = List.copyOf(earned);
  }

  /// A channel from which something is still to be redeemed.
  ///
  /// @param channel its id
  /// @param payer who pays by it
  /// @param redeemable what its voucher is worth now
  /// @param closesAt from when on the payer may close it; empty while nobody asked for it
  public record Earned(
      Hash channel, Address payer, TokenAmount redeemable, Optional<Instant> closesAt) {}

  /// Of an account without books.
  public static KeptVouchers none() {
    return new KeptVouchers(Map.of(), List.of());
  }

  /// Those of the books in a database that has this module's tables.
  public static KeptVouchers of(Jdbi jdbi, Domain domain, Address account) {
    Map<Hash, TokenAmount> promises = new HashMap<>();
    for (ChannelRow row : rows(jdbi, domain, account, ChannelStore.Role.PAYER)) {
      promises.put(row.channelId(), open(row));
    }
    List<Earned> earned =
        rows(jdbi, domain, account, ChannelStore.Role.PAYEE).stream()
            .filter(row -> !row.channel().closed() && open(row).units().signum() > 0)
            .map(row ->
                new Earned(
                    row.channelId(), row.terms().payer(), open(row), row.channel().closesAt()))
            .toList();
    return new KeptVouchers(promises, earned);
  }

  private static List<ChannelRow> rows(
      Jdbi jdbi, Domain domain, Address account, ChannelStore.Role role) {
    return new ChannelStore(jdbi, domain, account, role).channels();
  }

  /// What a channel's newest voucher would move now: no more than is in it.
  private static TokenAmount open(ChannelRow row) {
    Channel channel = row.channel();
    TokenAmount most =
        row.promised().compareTo(channel.deposit()) < 0 ? row.promised() : channel.deposit();
    return most.compareTo(channel.redeemed()) > 0
        ? most.minus(channel.redeemed())
        : TokenAmount.ZERO;
  }

  /// What of a channel's content is promised; empty where its vouchers are not kept here.
  public Optional<TokenAmount> promised(Hash channel, TokenAmount content) {
    return Optional.ofNullable(promises.get(channel))
        .map(promise -> promise.compareTo(content) < 0 ? promise : content);
  }
}
