package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import io.rigmesh.protocol.WalletSignature;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/// One book's channels in SQLite, which must be set up as [io.rigmesh.ledger.LedgerSchema#open]
/// does it. When a method returns, what it wrote survives the loss of power.
final class ChannelStore {
  /// Whose side of the channels a book is.
  enum Role {
    PAYER,
    PAYEE,
    WATCHED
  }

  private final Jdbi jdbi;
  private final long book;

  ChannelStore(Jdbi jdbi, Domain domain, Address account, Role role) {
    this.jdbi = jdbi;
    this.book =
        jdbi.inTransaction(handle -> {
          handle
              .createUpdate(
                  "INSERT INTO ledger_book (chain_id, contract, account, role)"
                      + " VALUES (:chain, :contract, :account, :role) ON CONFLICT DO NOTHING")
              .bind("chain", domain.chainId())
              .bind("contract", domain.verifyingContract().hex())
              .bind("account", account.hex())
              .bind("role", name(role))
              .execute();
          return handle
              .createQuery(
                  "SELECT id FROM ledger_book WHERE chain_id = :chain AND contract = :contract"
                      + " AND account = :account AND role = :role")
              .bind("chain", domain.chainId())
              .bind("contract", domain.verifyingContract().hex())
              .bind("account", account.hex())
              .bind("role", name(role))
              .mapTo(Long.class)
              .one();
        });
  }

  long book() {
    return book;
  }

  /// Runs one transaction: all of it is stored when this returns, or none.
  <T> T transaction(Function<Handle, T> work) {
    return jdbi.inTransaction(work::apply);
  }

  /// Reads without keeping a writer waiting; what is written meanwhile may be half in it.
  <T> T reading(Function<Handle, T> work) {
    return jdbi.withHandle(work::apply);
  }

  List<ChannelRow> channels() {
    return jdbi.withHandle(this::channels);
  }

  List<ChannelRow> channels(Handle handle) {
    return handle
        .createQuery("SELECT * FROM ledger_channel WHERE book_id = :book ORDER BY id")
        .bind("book", book)
        .map((row, context) -> row(row))
        .list();
  }

  /// Channels to a payee.
  List<ChannelRow> to(Handle handle, Address payee) {
    return handle
        .createQuery(
            "SELECT * FROM ledger_channel WHERE book_id = :book AND payee = :payee ORDER BY id")
        .bind("book", book)
        .bind("payee", payee.hex())
        .map((row, context) -> row(row))
        .list();
  }

  /// Channels that are being left and are not closed.
  List<ChannelRow> leaving() {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT * FROM ledger_channel WHERE book_id = :book AND state = 'leaving' AND closed = 0"
                    + " ORDER BY id")
            .bind("book", book)
            .map((row, context) -> row(row))
            .list());
  }

  /// Channels whose newest voucher promises more than was redeemed when the chain was asked last,
  /// or about which the chain has news.
  List<ChannelRow> worthALook() {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT * FROM ledger_channel WHERE book_id = :book"
                    + " AND (news > news_read OR (closed = 0 AND amount <> '0' AND amount <> redeemed)) ORDER BY id")
            .bind("book", book)
            .map((row, context) -> row(row))
            .list());
  }

  Optional<ChannelRow> find(Hash channel) {
    return jdbi.withHandle(handle -> find(handle, channel));
  }

  Optional<ChannelRow> find(Handle handle, Hash channel) {
    return handle
        .createQuery("SELECT * FROM ledger_channel WHERE book_id = :book AND channel = :channel")
        .bind("book", book)
        .bind("channel", channel.hex())
        .map((row, context) -> row(row))
        .findOne();
  }

  ChannelRow get(Handle handle, Hash channel) {
    return find(handle, channel)
        .orElseThrow(
            () -> new ChannelException("The channel " + channel + " is not in this book."));
  }

  /// Adds a channel, unless it is there.
  void add(
      Handle handle,
      ChannelTerms terms,
      PayerChannel.State state,
      Optional<TokenAmount> funding,
      TokenAmount owedEnded) {
    handle
        .createUpdate(
            "INSERT INTO ledger_channel (book_id, channel, payer, signer, payee, token, salt, state, note,"
                + " deposit, redeemed, closed, read_at_block, news, news_read, amount, owed_ended, funding_number,"
                + " funding_amount) VALUES (:book, :channel, :payer, :signer, :payee, :token, :salt, :state, '',"
                + " '0', '0', 0, -1, 1, 0, '0', :owed, 0, :funding) ON CONFLICT DO NOTHING")
        .bind("book", book)
        .bind("channel", terms.id().hex())
        .bind("payer", terms.payer().hex())
        .bind("signer", terms.signer().hex())
        .bind("payee", terms.payee().hex())
        .bind("token", terms.token().hex())
        .bind("salt", terms.salt())
        .bind("state", name(state))
        .bind("owed", owedEnded.toString())
        .bind("funding", funding.map(TokenAmount::toString).orElse(null))
        .execute();
  }

  void setState(Handle handle, long id, PayerChannel.State state, String note) {
    handle
        .createUpdate("UPDATE ledger_channel SET state = :state, note = :note WHERE id = :id")
        .bind("state", name(state))
        .bind("note", note)
        .bind("id", id)
        .execute();
  }

  /// Notes what is on its way into a channel; empty: nothing any more.
  void setFunding(Handle handle, long id, long number, Optional<TokenAmount> amount) {
    handle
        .createUpdate(
            "UPDATE ledger_channel SET funding_number = :number, funding_amount = :amount WHERE id = :id")
        .bind("number", number)
        .bind("amount", amount.map(TokenAmount::toString).orElse(null))
        .bind("id", id)
        .execute();
  }

  /// Notes what the chain said. A reading of an earlier block than the last one changes nothing: an
  /// endpoint is behind.
  ///
  /// @param news how many news there were of the channel before the chain was asked; what came
  ///   since is not in the reading
  void read(Handle handle, long id, ChannelContract.Reading reading, long news) {
    Optional<Channel> channel = reading.channel();
    handle
        .createUpdate(
            "UPDATE ledger_channel SET deposit = :deposit, redeemed = :redeemed, closes_at = :closes,"
                + " closed = :closed, read_at_block = :block,"
                + " news_read = CASE WHEN :block >= news_block THEN :news ELSE news_read END"
                + " WHERE id = :id AND read_at_block <= :block")
        .bind("deposit", channel.map(c -> c.deposit().toString()).orElse("0"))
        .bind("redeemed", channel.map(c -> c.redeemed().toString()).orElse("0"))
        .bind(
            "closes", channel.flatMap(Channel::closesAt).map(Instant::getEpochSecond).orElse(null))
        .bind("closed", channel.map(Channel::closed).orElse(false))
        .bind("block", reading.block())
        .bind("news", news)
        .bind("id", id)
        .execute();
  }

  /// Notes that something happened to a channel, in whichever books of this database it stands.
  static void news(Handle handle, Hash channel) {
    handle
        .createUpdate("UPDATE ledger_channel SET news = news + 1 WHERE channel = :channel")
        .bind("channel", channel.hex())
        .execute();
  }

  /// The same of something that stands in a block: a reading of an earlier one does not tell it.
  static void news(Handle handle, Hash channel, long block) {
    handle
        .createUpdate(
            "UPDATE ledger_channel SET news = news + 1, news_block = max(news_block, :block)"
                + " WHERE channel = :channel")
        .bind("block", block)
        .bind("channel", channel.hex())
        .execute();
  }

  /// Notes that a reorganisation took something back: the chain may be shorter than what was read.
  static void takenBack(Handle handle, Hash channel) {
    handle
        .createUpdate(
            "UPDATE ledger_channel SET news = news + 1, read_at_block = -1, news_block = -1"
                + " WHERE channel = :channel")
        .bind("channel", channel.hex())
        .execute();
  }

  /// Notes that nothing that was read is certain.
  static void forgotten(Handle handle) {
    handle
        .createUpdate(
            "UPDATE ledger_channel SET news = news + 1, read_at_block = -1, news_block = -1")
        .execute();
  }

  /// Stores the newest voucher.
  ///
  /// @param byContract true where not the signer's key signed it, but its contract takes it
  void setNewest(Handle handle, long id, SignedVoucher newest, boolean byContract) {
    handle
        .createUpdate(
            "UPDATE ledger_channel SET amount = :amount, receipts_root = :root, signature = :signature,"
                + " by_contract = :contract WHERE id = :id")
        .bind("contract", byContract)
        .bind("amount", newest.voucher().amount().toString())
        .bind("root", newest.voucher().receiptsRoot().hex())
        .bind("signature", newest.signature().hex())
        .bind("id", id)
        .execute();
  }

  void setOwedEnded(Handle handle, long id, TokenAmount owed) {
    handle
        .createUpdate("UPDATE ledger_channel SET owed_ended = :owed WHERE id = :id")
        .bind("owed", owed.toString())
        .bind("id", id)
        .execute();
  }

  static String name(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  static ChannelRow row(ResultSet row) throws SQLException {
    Hash channelId = Hash.fromHex(row.getString("channel"));
    ChannelTerms terms =
        new ChannelTerms(
            Address.fromHex(row.getString("payer")),
            Address.fromHex(row.getString("signer")),
            Address.fromHex(row.getString("payee")),
            Address.fromHex(row.getString("token")),
            row.getLong("salt"));
    long closes = row.getLong("closes_at");
    Optional<Instant> closesAt =
        row.wasNull() ? Optional.empty() : Optional.of(Instant.ofEpochSecond(closes));
    Channel channel =
        new Channel(
            terms,
            TokenAmount.parse(row.getString("deposit")),
            TokenAmount.parse(row.getString("redeemed")),
            closesAt,
            row.getBoolean("closed"));
    return new ChannelRow(
        row.getLong("id"),
        channelId,
        channel,
        row.getLong("read_at_block"),
        row.getLong("news"),
        row.getLong("news") > row.getLong("news_read"),
        PayerChannel.State.valueOf(row.getString("state").toUpperCase(Locale.ROOT)),
        row.getString("note"),
        newest(
            channelId,
            TokenAmount.parse(row.getString("amount")),
            row.getString("receipts_root"),
            row.getString("signature")),
        row.getBoolean("by_contract"),
        TokenAmount.parse(row.getString("owed_ended")),
        row.getLong("funding_number"),
        Optional.ofNullable(row.getString("funding_amount")).map(TokenAmount::parse),
        row.getLong("jobs"));
  }

  private static Optional<SignedVoucher> newest(
      Hash channel, TokenAmount amount, @Nullable String root, @Nullable String signature) {
    if (root == null || signature == null) {
      return Optional.empty();
    }
    return Optional.of(
        new SignedVoucher(
            new Voucher(channel, amount, Hash.fromHex(root)), WalletSignature.fromHex(signature)));
  }
}
