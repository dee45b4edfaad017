package io.rigmesh.ledger.follow;

import io.rigmesh.ledger.chain.ChainHead;
import io.rigmesh.ledger.chain.ChainLog;
import io.rigmesh.ledger.chain.Place;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.PreparedBatch;

/// What a follower remembers: which blocks it has read to, and the logs that it told.
final class FollowStore {
  /// Enough to find the common ancestor of any reorganisation that a chain survives.
  private static final int MARKS_KEPT = 512;

  /// How many logs are taken back at once, so that a deep reorganisation fits into memory.
  private static final int PAGE = 500;

  private final Jdbi jdbi;
  private final long id;

  private FollowStore(Jdbi jdbi, long id) {
    this.jdbi = jdbi;
    this.id = id;
  }

  /// A block up to which everything was read and told.
  ///
  /// @param number its number
  /// @param hash its hash at that time
  record Mark(long number, Hash hash) {
    static Mark of(ChainHead block) {
      return new Mark(block.number(), block.hash());
    }
  }

  /// A log and the source that wanted it.
  ///
  /// @param source its name
  /// @param log the log
  record Entry(String source, ChainLog log) {}

  /// What is done with each log inside of a transaction.
  @FunctionalInterface
  interface Step {
    void take(Handle transaction, Entry entry);
  }

  /// The memory of a follower by its name. Where it followed something else before, everything is
  /// forgotten first.
  static FollowStore open(
      Jdbi jdbi, long chainId, String name, List<Followed<?>> followed, long fromBlock) {
    String what = fingerprint(followed, fromBlock);
    long id =
        jdbi.inTransaction(handle -> {
          handle
              .createUpdate(
                  "INSERT INTO ledger_follow (chain_id, name, what) VALUES (:chain, :name, :what)"
                      + " ON CONFLICT DO NOTHING")
              .bind("chain", chainId)
              .bind("name", name)
              .bind("what", what)
              .execute();
          long found =
              handle
                  .createQuery(
                      "SELECT id FROM ledger_follow WHERE chain_id = :chain AND name = :name")
                  .bind("chain", chainId)
                  .bind("name", name)
                  .mapTo(Long.class)
                  .one();
          String before =
              handle
                  .createQuery("SELECT what FROM ledger_follow WHERE id = :id")
                  .bind("id", found)
                  .mapTo(String.class)
                  .one();
          if (!before.equals(what)) {
            for (String table : List.of("ledger_followed_log", "ledger_follow_mark")) {
              handle.execute("DELETE FROM " + table + " WHERE follow_id = ?", found);
            }
            handle.execute("UPDATE ledger_follow SET what = ? WHERE id = ?", what, found);
            followed.forEach(one -> one.listener().forgotten(handle));
          }
          return found;
        });
    return new FollowStore(jdbi, id);
  }

  private static String fingerprint(List<Followed<?>> followed, long fromBlock) {
    StringBuilder text = new StringBuilder().append(fromBlock);
    for (Followed<?> one : followed) {
      EventSource<?> source = one.source();
      text.append('\n')
          .append(source.name())
          .append(source.contract())
          .append(source.patterns())
          .append(source.subjects());
    }
    return Digests.sha256(text.toString().getBytes(StandardCharsets.UTF_8)).hex();
  }

  /// The block that reading has come to.
  Optional<Mark> cursor() {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT * FROM ledger_follow_mark WHERE follow_id = :id"
                    + " ORDER BY block_number DESC LIMIT 1")
            .bind("id", id)
            .map((row, context) -> mark(row))
            .findFirst());
  }

  /// Blocks below the cursor that were in the chain, the newest first: the ends of ranges, and the
  /// blocks that logs stand in. Going back to one of them loses nothing before it.
  List<Mark> ancestors() {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT block_number, block_hash FROM ledger_follow_mark WHERE follow_id = :id"
                    + " UNION SELECT block_number, block_hash FROM ledger_followed_log"
                    + " WHERE follow_id = :id AND block_number >="
                    + " (SELECT min(block_number) FROM ledger_follow_mark WHERE follow_id = :id)"
                    + " ORDER BY block_number DESC LIMIT :kept")
            .bind("id", id)
            .bind("kept", MARKS_KEPT)
            .map((row, context) -> mark(row))
            .list());
  }

  /// Tells logs and notes them, and the blocks that reading has come to.
  void advance(List<Mark> marks, List<Entry> entries, Step step) {
    jdbi.useTransaction(handle -> {
      insert(handle, entries);
      entries.forEach(entry -> step.take(handle, entry));
      marks.forEach(mark -> addMark(handle, mark));
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

  /// Goes back to a block, or to nothing. Takes the logs above it back, the newest first, and
  /// forgets them.
  ///
  /// @return how many they were
  long rollBack(Optional<Mark> ancestor, Step step) {
    long above = ancestor.map(Mark::number).orElse(-1L);
    return jdbi.inTransaction(handle -> {
      long taken = 0;
      while (true) {
        List<Entry> page =
            handle
                .createQuery(
                    "SELECT * FROM ledger_followed_log WHERE follow_id = :id AND block_number > :above"
                        + " ORDER BY block_number DESC, log_index DESC, source DESC LIMIT :page")
                .bind("id", id)
                .bind("above", above)
                .bind("page", PAGE)
                .map((row, context) -> entry(row))
                .list();
        if (page.isEmpty()) {
          break;
        }
        for (Entry entry : page) {
          step.take(handle, entry);
          handle
              .createUpdate(
                  "DELETE FROM ledger_followed_log WHERE follow_id = :id"
                      + " AND block_number = :number AND log_index = :index AND source = :source")
              .bind("id", id)
              .bind("number", entry.log().place().blockNumber())
              .bind("index", entry.log().place().logIndex())
              .bind("source", entry.source())
              .execute();
        }
        taken += page.size();
      }
      handle.execute(
          "DELETE FROM ledger_follow_mark WHERE follow_id = ? AND block_number > ?", id, above);
      ancestor.ifPresent(mark -> addMark(handle, mark));
      return taken;
    });
  }

  /// The subjects of a source that are open, at most `limit` of them.
  Set<Hash> openSubjects(String source, Subjects subjects, int limit) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT topic1 FROM ledger_followed_log WHERE follow_id = :id AND source = :source"
                    + " AND topic0 = :opened EXCEPT SELECT topic1 FROM ledger_followed_log"
                    + " WHERE follow_id = :id AND source = :source AND topic0 = :closed LIMIT :limit")
            .bind("id", id)
            .bind("source", source)
            .bind("opened", subjects.openedBy().hex())
            .bind("closed", subjects.closedBy().hex())
            .bind("limit", limit)
            .mapTo(String.class)
            .map(Hash::fromHex)
            .collect(Collectors.toSet()));
  }

  /// True if a log that opens this subject was told.
  boolean isSubject(String source, Subjects subjects, Hash subject) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT EXISTS (SELECT 1 FROM ledger_followed_log WHERE follow_id = :id"
                    + " AND source = :source AND topic0 = :opened AND topic1 = :subject)")
            .bind("id", id)
            .bind("source", source)
            .bind("opened", subjects.openedBy().hex())
            .bind("subject", subject.hex())
            .mapTo(Boolean.class)
            .one());
  }

  /// A page of the logs of some sources, the newest first.
  ///
  /// @param before only older ones than this block and index
  List<Entry> newest(Set<String> sources, Optional<Place> before, int limit) {
    if (sources.isEmpty()) {
      return List.of();
    }
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT * FROM ledger_followed_log WHERE follow_id = :id AND source IN (<sources>)"
                    + " AND (block_number < :number OR (block_number = :number AND log_index < :index))"
                    + " ORDER BY block_number DESC, log_index DESC, source DESC LIMIT :limit")
            .bindList("sources", List.copyOf(sources))
            .bind("id", id)
            .bind("number", before.map(Place::blockNumber).orElse(Long.MAX_VALUE))
            .bind("index", before.map(Place::logIndex).orElse(0L))
            .bind("limit", limit)
            .map((row, context) -> entry(row))
            .list());
  }

  private void addMark(Handle handle, Mark mark) {
    handle
        .createUpdate("INSERT OR REPLACE INTO ledger_follow_mark VALUES (:id, :number, :hash)")
        .bind("id", id)
        .bind("number", mark.number())
        .bind("hash", mark.hash().hex())
        .execute();
  }

  private void insert(Handle handle, List<Entry> entries) {
    if (entries.isEmpty()) {
      return;
    }
    PreparedBatch batch =
        handle.prepareBatch(
            "INSERT INTO ledger_followed_log VALUES (:id, :number, :index, :source, :block, :tx, :at,"
                + " :contract, :topic0, :topic1, :topics, :data)");
    for (Entry entry : entries) {
      ChainLog log = entry.log();
      ByteArrayOutputStream topics = new ByteArrayOutputStream();
      log.topics().forEach(topic -> topics.writeBytes(topic.bytes()));
      batch
          .bind("id", id)
          .bind("number", log.place().blockNumber())
          .bind("index", log.place().logIndex())
          .bind("source", entry.source())
          .bind("block", log.place().blockHash().hex())
          .bind("tx", log.place().transaction().hex())
          .bind("at", log.at().getEpochSecond())
          .bind("contract", log.contract().hex())
          .bind("topic0", log.topics().isEmpty() ? "" : log.topics().get(0).hex())
          .bind("topic1", log.topics().size() < 2 ? "" : log.topics().get(1).hex())
          .bind("topics", topics.toByteArray())
          .bind("data", log.data())
          .add();
    }
    batch.execute();
  }

  private static Mark mark(ResultSet row) throws SQLException {
    return new Mark(row.getLong("block_number"), Hash.fromHex(row.getString("block_hash")));
  }

  private static Entry entry(ResultSet row) throws SQLException {
    byte[] bytes = row.getBytes("topics");
    List<Hash> topics = new ArrayList<>();
    for (int i = 0; i < bytes.length; i += Hash.BYTES) {
      topics.add(Hash.of(Arrays.copyOfRange(bytes, i, i + Hash.BYTES)));
    }
    return new Entry(
        row.getString("source"),
        new ChainLog(
            new Place(
                row.getLong("block_number"),
                Hash.fromHex(row.getString("block_hash")),
                Hash.fromHex(row.getString("tx_hash")),
                row.getLong("log_index"),
                Instant.ofEpochSecond(row.getLong("block_time"))),
            Address.fromHex(row.getString("contract")),
            topics,
            row.getBytes("data")));
  }
}
