package io.rigmesh.ledger.channel;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;

/// The parts that jobs have of one book's channels: what they hold of them (payer) or may cost
/// (payee).
final class PartStore {
  /// How long a part is kept after its lease ended, for whoever asks what its job has paid.
  private static final Duration KEPT = Duration.ofDays(7);

  private final long book;

  PartStore(ChannelStore store) {
    this.book = store.book();
  }

  /// A job's part of a channel.
  Optional<Part> find(Handle handle, long id, Hash job) {
    return handle
        .createQuery("SELECT * FROM ledger_channel_job WHERE channel_id = :id AND job = :job")
        .bind("id", id)
        .bind("job", job.hex())
        .map((row, context) -> part(row))
        .findOne();
  }

  /// The parts of a payee's channel whose jobs have not ended.
  List<Part> running(Handle handle, long id) {
    return list(handle, id, "ended = 0");
  }

  /// The parts of a payer's channel that hold more than they have paid.
  List<Part> holding(Handle handle, long id) {
    return list(handle, id, "most <> used");
  }

  private static List<Part> list(Handle handle, long id, String which) {
    return handle
        .createQuery("SELECT * FROM ledger_channel_job WHERE channel_id = :id AND " + which)
        .bind("id", id)
        .map((row, context) -> part(row))
        .list();
  }

  /// The channels of this book in which a job has a part.
  List<Hash> channelsOf(Handle handle, Hash job) {
    return handle
        .createQuery(
            "SELECT c.channel FROM ledger_channel_job j JOIN ledger_channel c ON c.id = j.channel_id"
                + " WHERE c.book_id = :book AND j.job = :job ORDER BY c.id")
        .bind("book", book)
        .bind("job", job.hex())
        .map((row, context) -> Hash.fromHex(row.getString("channel")))
        .list();
  }

  void put(Handle handle, long id, Part part) {
    handle
        .createUpdate(
            "INSERT INTO ledger_channel_job VALUES (:id, :job, :most, :used, :until, :ended)"
                + " ON CONFLICT DO UPDATE SET most = :most, used = :used, until_ms = :until, ended = :ended")
        .bind("id", id)
        .bind("job", part.job().hex())
        .bind("most", part.most().toString())
        .bind("used", part.used().toString())
        .bind("until", part.until().toEpochMilli())
        .bind("ended", part.ended())
        .execute();
  }

  /// Forgets parts whose leases ended so long ago that nobody asks for them any more.
  void forgetOld(Handle handle, long id, Instant now) {
    handle
        .createUpdate(
            "DELETE FROM ledger_channel_job WHERE channel_id = :id AND until_ms < :until"
                + " AND (ended = 1 OR most = used)")
        .bind("id", id)
        .bind("until", now.minus(KEPT).toEpochMilli())
        .execute();
  }

  private static Part part(ResultSet row) throws SQLException {
    return new Part(
        Hash.fromHex(row.getString("job")),
        TokenAmount.parse(row.getString("most")),
        TokenAmount.parse(row.getString("used")),
        Instant.ofEpochMilli(row.getLong("until_ms")),
        row.getBoolean("ended"));
  }
}
