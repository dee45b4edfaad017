package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import io.rigmesh.protocol.WalletSignature;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jdbi.v3.core.Handle;

/// Calls that hand vouchers in, of one book.
final class RedemptionStore {
  /// A call.
  ///
  /// @param id the store's number
  /// @param payee who is paid
  /// @param token in what
  /// @param claims what is handed in
  /// @param byContract true where it is one voucher whose signer is a contract
  record Call(
      long id,
      Address payee,
      Address token,
      List<ChannelContract.Claim> claims,
      boolean byContract) {
    /// The key of its transaction.
    String key() {
      return "channel-redeem:" + id;
    }
  }

  private final ChannelStore store;

  RedemptionStore(ChannelStore store) {
    this.store = store;
  }

  /// Writes a call down.
  Call plan(Address payee, Address token, List<ChannelRow> rows, Instant now) {
    boolean byContract = rows.stream().anyMatch(ChannelRow::byContract);
    if (byContract && rows.size() > 1) {
      throw new IllegalArgumentException("a voucher whose signer is a contract goes in alone");
    }
    return store.transaction(handle -> {
      long id =
          handle
              .createUpdate(
                  "INSERT INTO ledger_redemption (book_id, payee, token, state, note, created_at_ms,"
                      + " by_contract) VALUES (:book, :payee, :token, 'open', '', :now, :contract)")
              .bind("contract", byContract)
              .bind("book", store.book())
              .bind("payee", payee.hex())
              .bind("token", token.hex())
              .bind("now", now.toEpochMilli())
              .executeAndReturnGeneratedKeys("id")
              .mapTo(Long.class)
              .one();
      List<ChannelContract.Claim> claims = new ArrayList<>();
      for (ChannelRow row : rows) {
        SignedVoucher newest = row.newest().orElseThrow();
        handle
            .createUpdate(
                "INSERT INTO ledger_redemption_claim VALUES (:id, :channel, :amount, :root, :signature)")
            .bind("id", id)
            .bind("channel", row.id())
            .bind("amount", newest.voucher().amount().toString())
            .bind("root", newest.voucher().receiptsRoot().hex())
            .bind("signature", newest.signature().hex())
            .execute();
        claims.add(new ChannelContract.Claim(row.terms(), newest));
      }
      return new Call(id, payee, token, claims, byContract);
    });
  }

  /// Calls whose outcome is not known.
  List<Call> open() {
    return store.transaction(handle ->
        handle
            .createQuery(
                "SELECT id, payee, token, by_contract FROM ledger_redemption WHERE book_id = :book AND state = 'open'"
                    + " ORDER BY id")
            .bind("book", store.book())
            .map((row, context) -> {
              long id = row.getLong("id");
              return new Call(
                  id,
                  Address.fromHex(row.getString("payee")),
                  Address.fromHex(row.getString("token")),
                  claims(handle, id),
                  row.getBoolean("by_contract"));
            })
            .list());
  }

  /// Ends a call. Its channels have news.
  void end(Call call, Optional<String> failure) {
    store.transaction(handle -> {
      for (ChannelContract.Claim claim : call.claims()) {
        ChannelStore.news(handle, claim.terms().id());
      }
      return handle
          .createUpdate("UPDATE ledger_redemption SET state = :state, note = :note WHERE id = :id")
          .bind("state", failure.isPresent() ? "failed" : "done")
          .bind("note", failure.orElse(""))
          .bind("id", call.id())
          .execute();
    });
  }

  /// When the newest call that had no effect was made; those with a voucher that its signer's
  /// contract no longer takes are left out, since they say nothing about others.
  Optional<Instant> lastFailure() {
    return store.transaction(handle ->
        handle
            .createQuery(
                "SELECT created_at_ms FROM ledger_redemption WHERE book_id = :book AND state = 'failed'"
                    + " AND by_contract = 0 ORDER BY id DESC LIMIT 1")
            .bind("book", store.book())
            .mapTo(Long.class)
            .findOne()
            .map(Instant::ofEpochMilli));
  }

  /// How often each channel's newest voucher was handed in, in calls that are open or had their
  /// effect; of one whose signer is a contract also in those that had none.
  Map<Hash, Integer> handedIn() {
    return store.transaction(handle -> {
      Map<Hash, Integer> times = new HashMap<>();
      handle
          .createQuery(
              "SELECT c.channel, count(*) AS times FROM ledger_redemption_claim k"
                  + " JOIN ledger_redemption r ON r.id = k.redemption_id"
                  + " JOIN ledger_channel c ON c.id = k.channel_id"
                  + " WHERE r.book_id = :book AND (r.state <> 'failed' OR r.by_contract = 1) AND k.amount = c.amount"
                  + " AND c.closed = 0 AND c.amount <> c.redeemed GROUP BY c.channel")
          .bind("book", store.book())
          .map((row, context) -> {
            times.put(Hash.fromHex(row.getString("channel")), row.getInt("times"));
            return true;
          })
          .list();
      return times;
    });
  }

  private static List<ChannelContract.Claim> claims(Handle handle, long id) {
    return handle
        .createQuery(
            "SELECT c.*, k.amount AS claimed, k.receipts_root AS claimed_root, k.signature AS claimed_by"
                + " FROM ledger_redemption_claim k JOIN ledger_channel c ON c.id = k.channel_id"
                + " WHERE k.redemption_id = :id ORDER BY c.id")
        .bind("id", id)
        .map((row, context) -> {
          ChannelRow channel = ChannelStore.row(row);
          return new ChannelContract.Claim(
              channel.terms(),
              new SignedVoucher(
                  new Voucher(
                      channel.channelId(),
                      TokenAmount.parse(row.getString("claimed")),
                      Hash.fromHex(row.getString("claimed_root"))),
                  WalletSignature.fromHex(row.getString("claimed_by"))));
        })
        .list();
  }
}
