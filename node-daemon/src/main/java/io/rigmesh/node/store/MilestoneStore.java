package io.rigmesh.node.store;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Signature;
import io.rigmesh.protocol.TokenAmount;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.jdbi.v3.core.Jdbi;

/// Milestones and acceptances on disk. What is written is committed before a method returns. Safe
/// for use by several threads.
public final class MilestoneStore {
  private static final String COLUMNS =
      "job_id, number, steps, hash, price, amount_due, output, reached_at_ms, verdict, reason,"
          + " approval, delivered, paid";

  private final Jdbi jdbi;

  /// The milestones of a database.
  public MilestoneStore(Database database) {
    this.jdbi = database.jdbi();
  }

  /// Keeps a part that was reached.
  ///
  /// @param file its `receipt.json`; empty for a job's last, whose receipt is the job's
  /// @return false if it was kept before; then it stays what it was
  public boolean reached(MilestoneRow row, Optional<byte[]> file) {
    return jdbi.inTransaction(handle ->
        handle
                .createUpdate(
                    "INSERT INTO milestone (job_id, number, steps, hash, price, amount_due, output,"
                        + " reached_at_ms, file) VALUES (:job, :number, :steps, :hash, :price,"
                        + " :due, :output, :at, :file) ON CONFLICT DO NOTHING")
                .bind("job", row.job().hex())
                .bind("number", row.number())
                .bind("steps", row.steps())
                .bind("hash", row.proof().hex())
                .bind("price", row.price().toString())
                .bind("due", row.amountDue().toString())
                .bind("output", row.output().hex())
                .bind("at", row.reachedAt().toEpochMilli())
                .bind("file", file.orElse(null))
                .execute()
            > 0);
  }

  /// What a requester found about a part that it has not judged yet.
  ///
  /// @param approval its signature, where the part may be paid
  public void judged(
      Hash job,
      int number,
      MilestoneRow.Verdict verdict,
      String reason,
      Optional<Signature> approval) {
    jdbi.useTransaction(handle ->
        handle
            .createUpdate(
                "UPDATE milestone SET verdict = :verdict, reason = :reason, approval = :approval"
                    + " WHERE job_id = :job AND number = :number AND verdict = ''")
            .bind("verdict", verdict.id())
            .bind("reason", reason)
            .bind("approval", approval.map(Signature::hex).orElse(null))
            .bind("job", job.hex())
            .bind("number", number)
            .execute());
  }

  /// A provider was given the approval of a part.
  public void approved(Hash job, int number, Signature approval) {
    jdbi.useTransaction(handle ->
        handle
            .createUpdate(
                "UPDATE milestone SET approval = :approval, delivered = 1"
                    + " WHERE job_id = :job AND number = :number")
            .bind("approval", approval.hex())
            .bind("job", job.hex())
            .bind("number", number)
            .execute());
  }

  /// The provider has the approval of a part.
  public void delivered(Hash job, int number) {
    boolean _ = mark(job, number, "delivered");
  }

  /// The money of a part has gone where it goes.
  ///
  /// @return whether that is news
  public boolean paid(Hash job, int number) {
    return mark(job, number, "paid");
  }

  private boolean mark(Hash job, int number, String column) {
    return jdbi.inTransaction(handle ->
        handle
                .createUpdate(
                    "UPDATE milestone SET "
                        + column
                        + " = 1 WHERE job_id = :job AND number = :number AND "
                        + column
                        + " = 0")
                .bind("job", job.hex())
                .bind("number", number)
                .execute()
            > 0);
  }

  /// The parts of a job that were reached, in order.
  public List<MilestoneRow> of(Hash job) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT " + COLUMNS + " FROM milestone WHERE job_id = :job ORDER BY number")
            .bind("job", job.hex())
            .map((row, _) -> read(row))
            .list());
  }

  /// One part of a job.
  public Optional<MilestoneRow> find(Hash job, int number) {
    return of(job).stream().filter(row -> row.number() == number).findFirst();
  }

  /// The `receipt.json` of a part that is not its job's last.
  public Optional<byte[]> receipt(Hash job, int number) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT file FROM milestone WHERE job_id = :job AND number = :number"
                    + " AND file IS NOT NULL")
            .bind("job", job.hex())
            .bind("number", number)
            .mapTo(byte[].class)
            .findOne());
  }

  /// The signature with which a job's provider takes it on, on the requester's side.
  public Optional<Signature> acceptance(Hash job) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery("SELECT acceptance FROM job WHERE id = :job AND acceptance IS NOT NULL")
            .bind("job", job.hex())
            .mapTo(String.class)
            .findOne()
            .map(Signature::fromHex));
  }

  /// Keeps it, in place of an earlier one.
  public void accepted(Hash job, Signature acceptance) {
    jdbi.useTransaction(handle ->
        handle.execute("UPDATE job SET acceptance = ? WHERE id = ?", acceptance.hex(), job.hex()));
  }

  private static MilestoneRow read(ResultSet row) throws SQLException {
    return new MilestoneRow(
        Hash.fromHex(row.getString("job_id")),
        row.getInt("number"),
        row.getLong("steps"),
        Hash.fromHex(row.getString("hash")),
        TokenAmount.parse(row.getString("price")),
        TokenAmount.parse(row.getString("amount_due")),
        Hash.fromHex(row.getString("output")),
        Instant.ofEpochMilli(row.getLong("reached_at_ms")),
        MilestoneRow.Verdict.of(row.getString("verdict")),
        row.getString("reason"),
        Optional.ofNullable(row.getString("approval")).map(Signature::fromHex),
        row.getBoolean("delivered"),
        row.getBoolean("paid"));
  }
}
