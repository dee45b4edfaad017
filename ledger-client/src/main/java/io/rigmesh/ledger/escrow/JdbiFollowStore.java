package io.rigmesh.ledger.escrow;

import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.Update;

/// A follower's memory in SQLite.
final class JdbiFollowStore implements FollowStore {
  /// Enough to find the common ancestor of any reorganisation that a chain survives.
  private static final int MARKS_KEPT = 512;

  private final Jdbi jdbi;
  private final long id;

  JdbiFollowStore(Jdbi jdbi, long chainId, Address escrow, Address account) {
    this.jdbi = jdbi;
    this.id =
        jdbi.inTransaction(handle -> {
          handle
              .createUpdate(
                  "INSERT INTO ledger_follow (chain_id, escrow, account) VALUES (:chain, :escrow, :account)"
                      + " ON CONFLICT DO NOTHING")
              .bind("chain", chainId)
              .bind("escrow", escrow.hex())
              .bind("account", account.hex())
              .execute();
          return handle
              .createQuery(
                  "SELECT id FROM ledger_follow WHERE chain_id = :chain AND escrow = :escrow"
                      + " AND account = :account")
              .bind("chain", chainId)
              .bind("escrow", escrow.hex())
              .bind("account", account.hex())
              .mapTo(Long.class)
              .one();
        });
  }

  @Override
  public List<Mark> marks() {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT * FROM ledger_follow_mark WHERE follow_id = :id ORDER BY block_number DESC")
            .bind("id", id)
            .map((row, context) ->
                new Mark(row.getLong("block_number"), Hash.fromHex(row.getString("block_hash"))))
            .list());
  }

  @Override
  public void advance(Mark mark, List<EscrowEvent> events) {
    jdbi.useTransaction(handle -> {
      for (EscrowEvent event : events) {
        insert(handle, event);
      }
      handle
          .createUpdate("INSERT INTO ledger_follow_mark VALUES (:id, :number, :hash)")
          .bind("id", id)
          .bind("number", mark.number())
          .bind("hash", mark.hash().hex())
          .execute();
      handle
          .createUpdate(
              "DELETE FROM ledger_follow_mark WHERE follow_id = :id AND block_number <"
                  + " (SELECT min(block_number) FROM (SELECT block_number FROM ledger_follow_mark"
                  + " WHERE follow_id = :id ORDER BY block_number DESC LIMIT :kept))")
          .bind("id", id)
          .bind("kept", MARKS_KEPT)
          .execute();
    });
  }

  @Override
  public List<EscrowEvent> eventsAbove(long block) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT * FROM ledger_escrow_event WHERE follow_id = :id AND block_number > :block"
                    + " ORDER BY block_number DESC, log_index DESC")
            .bind("id", id)
            .bind("block", block)
            .map((row, context) -> event(row))
            .list());
  }

  @Override
  public void rollBack(long block) {
    jdbi.useTransaction(handle -> {
      for (String table : List.of("ledger_escrow_event", "ledger_follow_mark")) {
        handle
            .createUpdate(
                "DELETE FROM " + table + " WHERE follow_id = :id AND block_number > :block")
            .bind("id", id)
            .bind("block", block)
            .execute();
      }
    });
  }

  @Override
  public List<EscrowEvent> events() {
    return eventsAbove(-1).reversed();
  }

  private void insert(Handle handle, EscrowEvent event) {
    Update update =
        handle
            .createUpdate(
                "INSERT INTO ledger_escrow_event VALUES (:id, :number, :index, :block, :tx, :kind, :requester,"
                    + " :provider, :job, :amount, :returned, :deadline, :root)")
            .bind("id", id)
            .bind("number", event.place().blockNumber())
            .bind("index", event.place().logIndex())
            .bind("block", event.place().blockHash().hex())
            .bind("tx", event.place().transaction().hex())
            .bind("requester", event.job().requester().hex())
            .bind("provider", event.job().provider().hex())
            .bind("job", event.job().jobId().hex())
            .bind("returned", (String) null)
            .bind("deadline", (Long) null)
            .bind("root", (String) null)
            .bind("amount", (String) null);
    switch (event) {
      case EscrowEvent.Funded funded ->
          update
              .bind("kind", "funded")
              .bind("amount", funded.amount().toString())
              .bind("deadline", funded.deadline().getEpochSecond());
      case EscrowEvent.Accepted accepted -> update.bind("kind", "accepted");
      case EscrowEvent.ProofSubmitted proof ->
          update
              .bind("kind", "proof-submitted")
              .bind("amount", proof.amountDue().toString())
              .bind("root", proof.proofRoot().hex());
      case EscrowEvent.Released released ->
          update
              .bind("kind", "released")
              .bind("amount", released.amountPaid().toString())
              .bind("returned", released.amountReturned().toString());
      case EscrowEvent.Refunded refunded ->
          update.bind("kind", "refunded").bind("amount", refunded.amount().toString());
    }
    update.execute();
  }

  private static EscrowEvent event(ResultSet row) throws SQLException {
    EscrowEvent.Place place =
        new EscrowEvent.Place(
            row.getLong("block_number"),
            Hash.fromHex(row.getString("block_hash")),
            Hash.fromHex(row.getString("tx_hash")),
            row.getLong("log_index"));
    EscrowEvent.JobOf job =
        new EscrowEvent.JobOf(
            Address.fromHex(row.getString("requester")),
            Address.fromHex(row.getString("provider")),
            Hash.fromHex(row.getString("job_id")));
    return switch (row.getString("kind")) {
      case "funded" ->
          new EscrowEvent.Funded(
              place,
              job,
              TokenAmount.parse(row.getString("amount")),
              Instant.ofEpochSecond(row.getLong("deadline")));
      case "accepted" -> new EscrowEvent.Accepted(place, job);
      case "proof-submitted" ->
          new EscrowEvent.ProofSubmitted(
              place,
              job,
              Hash.fromHex(row.getString("proof_root")),
              TokenAmount.parse(row.getString("amount")));
      case "released" ->
          new EscrowEvent.Released(
              place,
              job,
              TokenAmount.parse(row.getString("amount")),
              TokenAmount.parse(row.getString("returned")));
      case "refunded" ->
          new EscrowEvent.Refunded(place, job, TokenAmount.parse(row.getString("amount")));
      default -> throw new IllegalStateException("unknown event " + row.getString("kind"));
    };
  }
}
