package io.rigmesh.node.store;

import io.rigmesh.ledger.receipt.ReceiptProof;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.PreparedBatch;
import org.jdbi.v3.core.statement.Query;

/// The roots over this node's receipts that one account writes into one ReceiptLog, and what is
/// under each: receipts of jobs that the node ran, and of jobs that it asked for once they are
/// settled. What is written is committed before a method returns. Safe for use by several threads.
public final class AnchorStore {
  private static final String SELECT =
      "SELECT anchor.number, anchor.id, anchor.root, anchor.receipts, anchor.created_at_ms,"
          + " anchor.anchored_at_seconds FROM anchor";

  private static final String HERE =
      " anchor.chain_id = :chain AND anchor.log = :log AND anchor.account = :account";

  /// An account stands by what it anchors: by its own receipts, and by those of others once they
  /// are audited and paid.
  private static final String WAITING =
      " FROM receipt JOIN job ON job.id = receipt.job_id WHERE (job.role = 'provider' OR job.state"
          + " = 'settled') AND NOT EXISTS (SELECT 1 FROM anchored_receipt JOIN anchor ON"
          + " anchor.number = anchored_receipt.anchor WHERE anchored_receipt.job_id ="
          + " receipt.job_id AND"
          + HERE
          + ")";

  private final Jdbi jdbi;
  private final Place place;
  private final Clock clock;

  /// Where an account anchors.
  ///
  /// @param chainId the chain's EIP-155 id
  /// @param log ReceiptLog
  /// @param account who writes
  public record Place(long chainId, Address log, Address account) {}

  /// The roots of one account at one log.
  public AnchorStore(Database database, Place place, Clock clock) {
    this.jdbi = database.jdbi();
    this.place = place;
    this.clock = clock;
  }

  /// A receipt and its job.
  private record Waiting(Hash job, Hash receipt) {}

  /// The root that is to be anchored next, which is on disk when this returns: the one of this id;
  /// else one that was begun and is not known to be anchored; else a new one over the receipts that
  /// are under none, in the order in which their jobs came, at most so many.
  ///
  /// @return empty if every receipt is under a root that is anchored
  public Optional<AnchorRow> plan(String id, int receiptsMax) {
    return jdbi.inTransaction(handle -> {
      Optional<AnchorRow> begun = find(handle, id).or(() -> begun(handle));
      if (begun.isPresent()) {
        return begun;
      }
      List<Waiting> waiting =
          here(handle.createQuery(
                  "SELECT receipt.job_id, receipt.hash"
                      + WAITING
                      + " ORDER BY job.number LIMIT :max"))
              .bind("max", receiptsMax)
              .map((row, _) ->
                  new Waiting(
                      Hash.fromHex(row.getString("job_id")), Hash.fromHex(row.getString("hash"))))
              .list();
      return waiting.isEmpty() ? Optional.empty() : Optional.of(insert(handle, id, waiting));
    });
  }

  private AnchorRow insert(Handle handle, String id, List<Waiting> waiting) {
    Hash root = ReceiptProof.root(waiting.stream().map(Waiting::receipt).toList());
    handle
        .createUpdate(
            "INSERT INTO anchor (id, chain_id, log, account, root, receipts, created_at_ms)"
                + " VALUES (:id, :chain, :log, :account, :root, :receipts, :now)")
        .bind("id", id)
        .bind("chain", place.chainId())
        .bind("log", place.log().hex())
        .bind("account", place.account().hex())
        .bind("root", root.hex())
        .bind("receipts", waiting.size())
        .bind("now", clock.millis())
        .execute();
    AnchorRow made = find(handle, id).orElseThrow();
    PreparedBatch batch =
        handle.prepareBatch(
            "INSERT INTO anchored_receipt (anchor, place, job_id, hash)"
                + " VALUES (:anchor, :place, :job, :hash)");
    for (int i = 0; i < waiting.size(); i++) {
      batch
          .bind("anchor", made.number())
          .bind("place", i)
          .bind("job", waiting.get(i).job().hex())
          .bind("hash", waiting.get(i).receipt().hex())
          .add();
    }
    batch.execute();
    return made;
  }

  /// A root is in a confirmed block of this time, or in none any more.
  public void anchored(long number, Optional<Instant> at) {
    jdbi.useTransaction(handle ->
        handle
            .createUpdate("UPDATE anchor SET anchored_at_seconds = :at WHERE number = :number")
            .bind("at", at.map(Instant::getEpochSecond).orElse(null))
            .bind("number", number)
            .execute());
  }

  /// The root of an id.
  public Optional<AnchorRow> find(String id) {
    return jdbi.withHandle(handle -> find(handle, id));
  }

  private Optional<AnchorRow> find(Handle handle, String id) {
    return one(
        here(handle.createQuery(SELECT + " WHERE" + HERE + " AND anchor.id = :id")).bind("id", id));
  }

  private Optional<AnchorRow> begun(Handle handle) {
    return one(
        here(
            handle.createQuery(
                SELECT
                    + " WHERE"
                    + HERE
                    + " AND anchor.anchored_at_seconds IS NULL ORDER BY anchor.number LIMIT 1")));
  }

  /// The root under which a job's receipt is, anchored or about to be.
  public Optional<AnchorRow> of(Hash job) {
    return jdbi.withHandle(handle ->
        one(
            here(handle.createQuery(
                    SELECT
                        + " JOIN anchored_receipt ON anchored_receipt.anchor = anchor.number"
                        + " WHERE"
                        + HERE
                        + " AND anchored_receipt.job_id = :job"))
                .bind("job", job.hex())));
  }

  /// The hashes of the receipts under a root, in their order.
  public List<Hash> receipts(long number) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery("SELECT hash FROM anchored_receipt WHERE anchor = :anchor ORDER BY place")
            .bind("anchor", number)
            .mapTo(String.class)
            .map(Hash::fromHex)
            .list());
  }

  /// The newest roots, the newest first.
  public List<AnchorRow> newest(int limit) {
    return jdbi.withHandle(handle ->
        here(handle.createQuery(
                SELECT + " WHERE" + HERE + " ORDER BY anchor.number DESC LIMIT :limit"))
            .bind("limit", limit)
            .map((row, _) -> read(row))
            .list());
  }

  /// How many receipts are under no root.
  public long waiting() {
    return jdbi.withHandle(
        handle -> here(handle.createQuery("SELECT count(*)" + WAITING)).mapTo(Long.class).one());
  }

  private Query here(Query query) {
    return query
        .bind("chain", place.chainId())
        .bind("log", place.log().hex())
        .bind("account", place.account().hex());
  }

  private static Optional<AnchorRow> one(Query query) {
    return query.map((row, _) -> read(row)).findOne();
  }

  private static AnchorRow read(ResultSet row) throws SQLException {
    long seconds = row.getLong("anchored_at_seconds");
    Optional<Instant> anchoredAt =
        row.wasNull() ? Optional.empty() : Optional.of(Instant.ofEpochSecond(seconds));
    return new AnchorRow(
        row.getLong("number"),
        row.getString("id"),
        Hash.fromHex(row.getString("root")),
        row.getInt("receipts"),
        Instant.ofEpochMilli(row.getLong("created_at_ms")),
        anchoredAt);
  }
}
