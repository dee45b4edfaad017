package io.rigmesh.node.store;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobEvents;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.node.jobs.JobQuery;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jdbi.v3.core.statement.Query;

/// The jobs on disk. A transition is checked against the state machine and committed together with
/// its event before this returns, so that whatever follows from it can be done again after a crash.
/// Safe for use by several threads.
public final class JobStore implements AutoCloseable {
  /// As the index job_completed_channel has it. The plus keeps SQLite from the indexes that begin
  /// with the role, which every job of a provider shares.
  static final String COMPLETED_ON =
      JobRows.SELECT
          + " WHERE job.state = 'completed' AND job.channel = :channel AND +job.role = 'provider'"
          + " ORDER BY job.number";

  private final Jdbi jdbi;
  private final Clock clock;
  private final EventLog events;

  /// The jobs of a database.
  ///
  /// @param eventsMax the most events kept of one job; progress and tokens beyond it are dropped
  public JobStore(Database database, Clock clock, int eventsMax) {
    this.jdbi = database.jdbi();
    this.clock = clock;
    this.events = new EventLog(jdbi, eventsMax);
  }

  /// Keeps a new job and marks its nonce as used.
  ///
  /// @return false if its nonce was used before, by this job or another; then nothing is kept
  public boolean insert(JobRole role, SignedJob signed, Transition first) {
    return insert(role, signed, first, Optional.empty());
  }

  /// As [#insert(JobRole, SignedJob, Transition)], for a provider that was named.
  public boolean insert(
      JobRole role, SignedJob signed, Transition first, Optional<PeerId> wantedPeer) {
    return events.inTransaction(handle -> {
      Hash id = signed.job().id();
      int fresh =
          handle
              .createUpdate(
                  "INSERT INTO nonce (requester, nonce, job_id) VALUES (:requester, :nonce,"
                      + " :job) ON CONFLICT DO NOTHING")
              .bind("requester", signed.job().requester().hex())
              .bind("nonce", signed.job().nonce().toString())
              .bind("job", id.hex())
              .execute();
      if (fresh == 0) {
        return false;
      }
      handle
          .createUpdate(
              "INSERT INTO job (id, role, signed_json, state, wanted_peer, created_at_ms,"
                  + " updated_at_ms) VALUES (:id, :role, :signed, :state, :wanted, :now, :now)")
          .bind("id", id.hex())
          .bind("role", role.id())
          .bind("signed", ProtocolJson.write(signed).toString())
          .bind("state", first.next().id())
          .bind("wanted", wantedPeer.map(PeerId::toString).orElse(null))
          .bind("now", clock.millis())
          .execute();
      write(handle, id, first);
      return true;
    });
  }

  /// Moves a job to its next state.
  ///
  /// @throws IllegalStateException if that may not follow
  /// @throws StoreException if there is no such job
  public JobRow transition(Hash id, Transition transition) {
    return events.inTransaction(handle -> {
      JobRow row = require(handle, id);
      // Throws if it may not follow.
      JobState _ = row.state().become(transition.next());
      write(handle, id, transition);
      return require(handle, id);
    });
  }

  private void write(Handle handle, Hash id, Transition t) {
    var json = JobJson.write(t.next());
    handle
        .createUpdate(
            "UPDATE job SET state = :state, state_code = :code, state_message = :message,"
                + " closing = :closing, provider = coalesce(:provider, provider),"
                + " provider_peer = coalesce(:peer, provider_peer),"
                + " channel = coalesce(:channel, channel),"
                + " started_at_seconds = coalesce(started_at_seconds, :started),"
                + " updated_at_ms = :now WHERE id = :id")
        .bind("state", t.next().id())
        .bind("code", json.path("code").asText(""))
        .bind("message", json.path("message").asText(""))
        .bind("closing", t.closing().id())
        .bind("provider", t.provider().map(Address::hex).orElse(null))
        .bind("peer", t.peer().map(PeerId::toString).orElse(null))
        .bind("channel", t.channel().map(ChannelText::write).orElse(null))
        .bind("started", t.startedAtSeconds().isPresent() ? t.startedAtSeconds().getAsLong() : null)
        .bind("now", clock.millis())
        .bind("id", id.hex())
        .execute();
    t.completed().ifPresent(c -> writeReceipt(handle, id, c));
    events.append(handle, id, clock.millis(), JobEvent.Type.STATE, json.toString());
  }

  private static void writeReceipt(Handle handle, Hash id, Transition.Completed completed) {
    Receipt receipt = completed.receipt().receipt().receipt();
    handle
        .createUpdate(
            "INSERT INTO receipt (job_id, hash, price, tokens_in, tokens_out, steps, output,"
                + " output_model, file) VALUES (:id, :hash, :price, :in, :out, :steps, :output,"
                + " :model, :file)")
        .bind("id", id.hex())
        .bind("file", ProtocolJson.write(completed.receipt()))
        .bind("hash", receipt.hash().hex())
        .bind("price", receipt.price().toString())
        .bind("in", receipt.meter().tokensIn())
        .bind("out", receipt.meter().tokensOut())
        .bind("steps", receipt.meter().steps())
        .bind("output", receipt.output().hex())
        .bind("model", completed.outputModel().map(Hash::hex).orElse(null))
        .execute();
  }

  /// The money of a job that ended is where it belongs.
  public void closed(Hash id) {
    update(id, "closing = ''");
  }

  /// So much was paid for a job so far.
  public void paid(Hash id, TokenAmount amount) {
    events.inTransaction(handle -> {
      Before before =
          handle
              .createQuery("SELECT role, paid FROM job WHERE id = :id")
              .bind("id", id.hex())
              .map((row, _) ->
                  new Before(
                      JobRole.of(row.getString("role")), new BigInteger(row.getString("paid"))))
              .one();
      BigInteger sum = paid(handle, before.role).add(amount.units().subtract(before.units));
      handle
          .createUpdate("UPDATE job SET paid = :paid, updated_at_ms = :now WHERE id = :id")
          .bind("paid", amount.toString())
          .bind("now", clock.millis())
          .bind("id", id.hex())
          .execute();
      handle
          .createUpdate(
              "INSERT INTO paid_total VALUES (:role, :amount)"
                  + " ON CONFLICT (role) DO UPDATE SET amount = excluded.amount")
          .bind("role", before.role.id())
          .bind("amount", sum.toString())
          .execute();
      return true;
    });
  }

  private record Before(JobRole role, BigInteger units) {}

  /// What was paid for all jobs on a side, also for those that ended early.
  public TokenAmount paid(JobRole role) {
    return new TokenAmount(jdbi.withHandle(handle -> paid(handle, role)));
  }

  private static BigInteger paid(Handle handle, JobRole role) {
    return handle
        .createQuery("SELECT amount FROM paid_total WHERE role = :role")
        .bind("role", role.id())
        .mapTo(String.class)
        .findOne()
        .map(BigInteger::new)
        .orElse(BigInteger.ZERO);
  }

  /// Another channel pays for a job than was written down before.
  public void paidBy(Hash id, ChannelTerms channel) {
    events.inTransaction(handle ->
        handle
            .createUpdate("UPDATE job SET channel = :channel, updated_at_ms = :now WHERE id = :id")
            .bind("channel", ChannelText.write(channel))
            .bind("now", clock.millis())
            .bind("id", id.hex())
            .execute());
  }

  /// A job is to be called off; its driver does the rest.
  public void askCancel(Hash id) {
    update(id, "cancel_asked = 1");
  }

  /// A worker ended while it ran this job.
  ///
  /// @return how many did so far
  public int crashed(Hash id) {
    update(id, "crashes = crashes + 1");
    return find(id).map(JobRow::crashes).orElse(0);
  }

  private void update(Hash id, String assignment) {
    events.inTransaction(handle ->
        handle
            .createUpdate("UPDATE job SET " + assignment + ", updated_at_ms = :now WHERE id = :id")
            .bind("now", clock.millis())
            .bind("id", id.hex())
            .execute());
  }

  /// Writes an event down soon; it may be lost in a crash, and is bounded.
  ///
  /// @param remoteSequence the provider's number of an event that is mirrored, else 0
  public void note(Hash id, JobEvent.Type type, String data, long remoteSequence) {
    events.later(id, clock.millis(), type, data, remoteSequence);
  }

  /// Writes down what waits.
  public void flush() {
    events.flush();
  }

  /// One job.
  public Optional<JobRow> find(Hash id) {
    return jdbi.withHandle(handle -> find(handle, id));
  }

  private static JobRow require(Handle handle, Hash id) {
    return find(handle, id).orElseThrow(() -> new StoreException("There is no job " + id + "."));
  }

  private static Optional<JobRow> find(Handle handle, Hash id) {
    return handle
        .createQuery(JobRows.SELECT + " WHERE job.id = :id")
        .bind("id", id.hex())
        .map((row, _) -> JobRows.read(row))
        .findOne();
  }

  /// Jobs, newest first.
  public List<JobRow> list(JobQuery query) {
    // Only what is asked for: a condition that may be empty keeps SQLite from its indexes.
    StringBuilder where = new StringBuilder(" WHERE TRUE");
    query.state().ifPresent(_ -> where.append(" AND job.state = :state"));
    query.role().ifPresent(_ -> where.append(" AND job.role = :role"));
    query
        .after()
        .ifPresent(
            _ -> where.append(" AND job.number < (SELECT number FROM job WHERE id = :after)"));
    return jdbi.withHandle(handle -> {
      Query rows =
          handle
              .createQuery(JobRows.SELECT + where + " ORDER BY job.number DESC LIMIT :limit")
              .bind("limit", query.limit());
      query.state().ifPresent(state -> rows.bind("state", state));
      query.role().ifPresent(role -> rows.bind("role", role.id()));
      query.after().ifPresent(after -> rows.bind("after", after.hex()));
      return rows.map((row, _) -> JobRows.read(row)).list();
    });
  }

  /// Jobs that are not at their end, or whose money is not, oldest first.
  public List<JobRow> unfinished(JobRole role) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                JobRows.SELECT
                    // As the index job_unfinished has it.
                    + " WHERE job.role = :role AND (job.closing <> '' OR job.state NOT IN"
                    + " ('settled', 'refused', 'cancelled', 'expired', 'failed'))"
                    + " ORDER BY job.number")
            .bind("role", role.id())
            .map((row, _) -> JobRows.read(row))
            .list());
  }

  /// Jobs of a provider that are done and not yet paid in full by a channel, oldest first.
  public List<JobRow> completedOn(ChannelTerms channel) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(COMPLETED_ON)
            .bind("channel", ChannelText.write(channel))
            .map((row, _) -> JobRows.read(row))
            .list());
  }

  /// The job for which a requester used a nonce.
  public Optional<Hash> jobOfNonce(Address requester, BigInteger nonce) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery("SELECT job_id FROM nonce WHERE requester = :requester AND nonce = :nonce")
            .bind("requester", requester.hex())
            .bind("nonce", nonce.toString())
            .mapTo(String.class)
            .findOne()
            .map(Hash::fromHex));
  }

  /// The `receipt.json` of a job.
  public Optional<byte[]> receipt(Hash id) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery("SELECT file FROM receipt WHERE job_id = :id")
            .bind("id", id.hex())
            .mapTo(byte[].class)
            .findOne());
  }

  /// Remembers the folder of a model that somebody put here by hand.
  ///
  /// @return false if it was remembered already
  public boolean keepModel(Hash root) {
    return jdbi.withHandle(handle ->
        handle.execute(
                "INSERT INTO model (root, added_at_ms) VALUES (?, ?) ON CONFLICT DO NOTHING",
                root.hex(),
                clock.millis())
            > 0);
  }

  /// The folders of models that were put here by hand, oldest first.
  public List<Hash> keptModels() {
    return jdbi.withHandle(handle ->
        handle
            .createQuery("SELECT root FROM model ORDER BY added_at_ms, root")
            .mapTo(String.class)
            .map(Hash::fromHex)
            .list());
  }

  /// A sequence number above every one that was handed out before, and at least `least`.
  public long nextOfferSequence(long least) {
    return jdbi.inTransaction(handle -> {
      handle.execute("UPDATE offer_sequence SET sequence = max(sequence + 1, ?)", least);
      return handle.createQuery("SELECT sequence FROM offer_sequence").mapTo(Long.class).one();
    });
  }

  /// The roots of all models that jobs made here.
  public List<Hash> trainedModels() {
    return jdbi.withHandle(handle ->
        handle
            .createQuery("SELECT DISTINCT output_model FROM receipt WHERE output_model IS NOT NULL")
            .mapTo(String.class)
            .map(Hash::fromHex)
            .list());
  }

  /// How many jobs there are, by the name of their state.
  public Map<String, Long> counts(JobRole role) {
    return jdbi.withHandle(handle -> {
      Map<String, Long> counts = new HashMap<>();
      handle
          .createQuery("SELECT state, jobs FROM job_total WHERE role = :role AND jobs > 0")
          .bind("role", role.id())
          .map((row, _) -> Map.entry(row.getString("state"), row.getLong("jobs")))
          .forEach(e -> counts.put(e.getKey(), e.getValue()));
      return counts;
    });
  }

  /// How many events of a type a job has.
  public long eventCount(Hash id, JobEvent.Type type) {
    events.flush();
    return jdbi.withHandle(handle ->
        handle
            .createQuery("SELECT count(*) FROM job_event WHERE job_id = :id AND type = :type")
            .bind("id", id.hex())
            .bind("type", type.id())
            .mapTo(Long.class)
            .one());
  }

  /// A job's events behind a number, and those to come; empty if there is no such job.
  public Optional<JobEvents> events(Hash id, long after) {
    return find(id).map(_ -> events.follow(id, after));
  }

  @Override
  public void close() {
    events.close();
  }
}
