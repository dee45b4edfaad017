package io.rigmesh.ledger.wallet;

import io.rigmesh.ledger.chain.Place;
import io.rigmesh.ledger.escrow.EscrowEvent;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jspecify.annotations.Nullable;

/// An account's history and channels in SQLite.
///
/// @param book names the chain and the account
record WalletStore(String book) {
  /// What an account has. The wallet's part is counted from the first block that was read, so it
  /// may be below zero where the account had tokens before.
  record Balances(BigInteger wallet, BigInteger channels, BigInteger locked) {
    static final Balances NONE = new Balances(BigInteger.ZERO, BigInteger.ZERO, BigInteger.ZERO);

    Balances plus(Balances change) {
      return new Balances(
          wallet.add(change.wallet), channels.add(change.channels), locked.add(change.locked));
    }
  }

  /// A channel of this account, as payer or payee.
  record ChannelState(Address payer, Address payee, BigInteger deposit, BigInteger redeemed) {}

  /// An entry without what follows from it.
  record Line(
      Place place,
      WalletKind kind,
      boolean shown,
      Address counterparty,
      Optional<Hash> channel,
      Optional<BigInteger> redeemed,
      BigInteger amount) {}

  Balances balances(Handle handle) {
    return handle
        .createQuery(
            "SELECT * FROM ledger_wallet_entry WHERE book = :book"
                + " ORDER BY block_number DESC, log_index DESC LIMIT 1")
        .bind("book", book)
        .map((row, context) -> balances(row, ""))
        .findFirst()
        .orElse(Balances.NONE);
  }

  void add(Handle handle, Line line, Balances change) {
    Balances after = balances(handle).plus(change);
    handle
        .createUpdate(
            "INSERT INTO ledger_wallet_entry VALUES (:book, :number, :index, :block, :tx, :at,"
                + " :kind, :shown, :counterparty, :channel, :redeemed, :amount, :wallet, :channels,"
                + " :locked)")
        .bind("book", book)
        .bind("number", line.place().blockNumber())
        .bind("index", line.place().logIndex())
        .bind("block", line.place().blockHash().hex())
        .bind("tx", line.place().transaction().hex())
        .bind("at", line.place().at().getEpochSecond())
        .bind("kind", line.kind().id())
        .bind("shown", line.shown())
        .bind("counterparty", line.counterparty().hex())
        .bind("channel", line.channel().map(Hash::hex).orElse(null))
        .bind("redeemed", line.redeemed().map(BigInteger::toString).orElse(null))
        .bind("amount", line.amount().toString())
        .bind("wallet", after.wallet().toString())
        .bind("channels", after.channels().toString())
        .bind("locked", after.locked().toString())
        .execute();
  }

  /// Takes an entry back, which is the newest.
  void remove(Handle handle, Place place) {
    handle.execute(
        "DELETE FROM ledger_wallet_entry WHERE book = ? AND block_number = ? AND log_index = ?",
        book,
        place.blockNumber(),
        place.logIndex());
  }

  /// All that a channel had paid out by its newest entry.
  BigInteger redeemed(Handle handle, Hash channel) {
    return handle
        .createQuery(
            "SELECT redeemed FROM ledger_wallet_entry WHERE book = :book AND channel = :channel"
                + " AND redeemed IS NOT NULL ORDER BY block_number DESC, log_index DESC LIMIT 1")
        .bind("book", book)
        .bind("channel", channel.hex())
        .mapTo(String.class)
        .map(BigInteger::new)
        .findFirst()
        .orElse(BigInteger.ZERO);
  }

  Optional<ChannelState> channel(Handle handle, Hash id) {
    return handle
        .createQuery("SELECT * FROM ledger_wallet_channel WHERE book = :book AND channel = :id")
        .bind("book", book)
        .bind("id", id.hex())
        .map((row, context) ->
            new ChannelState(
                Address.fromHex(row.getString("payer")),
                Address.fromHex(row.getString("payee")),
                new BigInteger(row.getString("deposit")),
                new BigInteger(row.getString("redeemed"))))
        .findFirst();
  }

  void open(Handle handle, Hash id, Address payer, Address payee, BigInteger deposit) {
    handle.execute(
        "INSERT INTO ledger_wallet_channel VALUES (?, ?, ?, ?, ?, '0', NULL, 0)",
        book,
        id.hex(),
        payer.hex(),
        payee.hex(),
        deposit.toString());
  }

  void forget(Handle handle, Hash id) {
    handle.execute(
        "DELETE FROM ledger_wallet_channel WHERE book = ? AND channel = ?", book, id.hex());
  }

  void update(Handle handle, Hash id, BigInteger deposit, BigInteger redeemed) {
    handle.execute(
        "UPDATE ledger_wallet_channel SET deposit = ?, redeemed = ? WHERE book = ? AND channel = ?",
        deposit.toString(),
        redeemed.toString(),
        book,
        id.hex());
  }

  void closing(Handle handle, Hash id, @Nullable Long closesAt) {
    handle.execute(
        "UPDATE ledger_wallet_channel SET closes_at = ? WHERE book = ? AND channel = ?",
        closesAt,
        book,
        id.hex());
  }

  void closed(Handle handle, Hash id, boolean closed) {
    handle.execute(
        "UPDATE ledger_wallet_channel SET closed = ? WHERE book = ? AND channel = ?",
        closed,
        book,
        id.hex());
  }

  void addEscrow(Handle handle, EscrowEvent.Funded funded) {
    handle.execute(
        "INSERT OR REPLACE INTO ledger_wallet_escrow VALUES (?, ?, ?, ?, ?, '0', ?, ?)",
        book,
        funded.job().requester().hex(),
        funded.job().jobId().hex(),
        funded.job().provider().hex(),
        funded.amount().toString(),
        funded.deadline().getEpochSecond(),
        funded.milestones());
  }

  void forgetEscrow(Handle handle, EscrowEvent.JobOf job) {
    handle.execute(
        "DELETE FROM ledger_wallet_escrow WHERE book = ? AND requester = ? AND job = ?",
        book,
        job.requester().hex(),
        job.jobId().hex());
  }

  /// Notes that tokens left an escrow, or did not after all.
  void leftEscrow(Handle handle, EscrowEvent.JobOf job, BigInteger amount, boolean takenBack) {
    BigInteger gone =
        handle
            .createQuery(
                "SELECT gone FROM ledger_wallet_escrow"
                    + " WHERE book = :book AND requester = :requester AND job = :job")
            .bind("book", book)
            .bind("requester", job.requester().hex())
            .bind("job", job.jobId().hex())
            .mapTo(String.class)
            .map(BigInteger::new)
            .one();
    handle.execute(
        "UPDATE ledger_wallet_escrow SET gone = ? WHERE book = ? AND requester = ? AND job = ?",
        (takenBack ? gone.subtract(amount) : gone.add(amount)).toString(),
        book,
        job.requester().hex(),
        job.jobId().hex());
  }

  /// The escrows that are not empty, the first to end before the others.
  List<LockedEscrow> escrows(Handle handle) {
    return handle
        .createQuery(
            "SELECT * FROM ledger_wallet_escrow WHERE book = :book AND gone <> amount"
                + " ORDER BY deadline, job")
        .bind("book", book)
        .map((row, context) ->
            new LockedEscrow(
                Address.fromHex(row.getString("requester")),
                Address.fromHex(row.getString("provider")),
                Hash.fromHex(row.getString("job")),
                new TokenAmount(
                    new BigInteger(row.getString("amount"))
                        .subtract(new BigInteger(row.getString("gone")))),
                Instant.ofEpochSecond(row.getLong("deadline"))))
        .list();
  }

  void clear(Handle handle) {
    handle.execute("DELETE FROM ledger_wallet_escrow WHERE book = ?", book);
    handle.execute("DELETE FROM ledger_wallet_entry WHERE book = ?", book);
    handle.execute("DELETE FROM ledger_wallet_channel WHERE book = ?", book);
  }

  List<LockedChannel> locked(Handle handle, Address account) {
    return handle
        .createQuery(
            "SELECT * FROM ledger_wallet_channel WHERE book = :book AND payer = :account"
                + " AND NOT closed ORDER BY closes_at IS NULL, closes_at, channel")
        .bind("book", book)
        .bind("account", account.hex())
        .map((row, context) -> {
          long closesAt = row.getLong("closes_at");
          boolean open = row.wasNull();
          return new LockedChannel(
              Hash.fromHex(row.getString("channel")),
              Address.fromHex(row.getString("payee")),
              new TokenAmount(
                  new BigInteger(row.getString("deposit"))
                      .subtract(new BigInteger(row.getString("redeemed")))),
              open ? Optional.empty() : Optional.of(Instant.ofEpochSecond(closesAt)));
        })
        .list();
  }

  /// A page of entries, the newest first.
  ///
  /// @param before only older ones
  /// @param opening what the account had before the first block that was read
  List<WalletEntry> history(Handle handle, Optional<Place> before, int limit, BigInteger opening) {
    return handle
        .createQuery(
            "SELECT e.*, l.wallet_after AS wallet_last, l.channels_after AS channels_last,"
                + " l.locked_after AS locked_last FROM ledger_wallet_entry e JOIN"
                + " ledger_wallet_entry l ON l.book = e.book AND l.block_number = e.block_number"
                + " AND l.log_index = (SELECT max(log_index) FROM ledger_wallet_entry t WHERE"
                + " t.book = e.book AND t.tx_hash = e.tx_hash) WHERE e.book = :book AND e.shown AND"
                + " (e.block_number < :number OR (e.block_number = :number AND e.log_index <"
                + " :index)) ORDER BY e.block_number DESC, e.log_index DESC LIMIT :limit")
        .bind("book", book)
        .bind("number", before.map(Place::blockNumber).orElse(Long.MAX_VALUE))
        .bind("index", before.map(Place::logIndex).orElse(0L))
        .bind("limit", limit)
        .map((row, context) -> entry(row, opening))
        .list();
  }

  private static WalletEntry entry(ResultSet row, BigInteger opening) throws SQLException {
    Balances after = balances(row, "_last");
    String channel = row.getString("channel");
    return new WalletEntry(
        new Place(
            row.getLong("block_number"),
            Hash.fromHex(row.getString("block_hash")),
            Hash.fromHex(row.getString("tx_hash")),
            row.getLong("log_index"),
            Instant.ofEpochSecond(row.getLong("block_time"))),
        WalletKind.of(row.getString("kind")),
        Address.fromHex(row.getString("counterparty")),
        channel == null ? Optional.empty() : Optional.of(Hash.fromHex(channel)),
        TokenAmount.parse(row.getString("amount")),
        new TokenAmount(after.wallet().add(opening)),
        new TokenAmount(after.channels()),
        new TokenAmount(after.locked()));
  }

  private static Balances balances(ResultSet row, String suffix) throws SQLException {
    String ending = suffix.isEmpty() ? "_after" : suffix;
    return new Balances(
        new BigInteger(row.getString("wallet" + ending)),
        new BigInteger(row.getString("channels" + ending)),
        new BigInteger(row.getString("locked" + ending)));
  }
}
