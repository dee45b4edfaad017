package io.rigmesh.ledger.intent;

import io.rigmesh.ledger.ChainMismatchException;
import io.rigmesh.ledger.IntentConflictException;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.math.BigInteger;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;

/// Intents in SQLite. The database must be set up as [io.rigmesh.ledger.LedgerSchema#open] does it:
/// `synchronous=FULL`, or a loss of power may forget a signature whose transaction is on its way.
public final class JdbiIntentStore implements IntentStore {
  private final Jdbi jdbi;
  private final long chainId;
  private final Address account;

  /// The intents of an account on a chain.
  public JdbiIntentStore(Jdbi jdbi, long chainId, Address account) {
    this.jdbi = jdbi;
    this.chainId = chainId;
    this.account = account;
  }

  @Override
  public void bindChain(Hash genesis) {
    jdbi.useTransaction(handle -> {
      Optional<String> stored =
          handle
              .createQuery("SELECT genesis_hash FROM ledger_chain WHERE chain_id = :chain")
              .bind("chain", chainId)
              .mapTo(String.class)
              .findOne();
      if (stored.isEmpty()) {
        handle
            .createUpdate("INSERT INTO ledger_chain VALUES (:chain, :genesis)")
            .bind("chain", chainId)
            .bind("genesis", genesis.hex())
            .execute();
      } else if (!stored.get().equals(genesis.hex())) {
        throw new ChainMismatchException(
            "The stored transactions belong to a chain %d that began with block %s, but this one began with %s;"
                    .formatted(chainId, stored.get(), genesis.hex())
                + " a development chain was started anew. Use a new data folder with it, or the old chain's state.");
      }
    });
  }

  @Override
  public Intent plan(String key, String purpose, Call call, Instant now) {
    return jdbi.inTransaction(handle -> {
      Optional<Intent> stored = find(handle, key);
      if (stored.isEmpty()) {
        handle
            .createUpdate(
                "INSERT INTO ledger_intent (chain_id, account, business_key, purpose, recipient, data, value_wei,"
                    + " state, note, created_at_ms, updated_at_ms) VALUES (:chain, :account, :key, :purpose,"
                    + " :recipient, :data, :value, 'planned', '', :now, :now)")
            .bind("chain", chainId)
            .bind("account", account.hex())
            .bind("key", key)
            .bind("purpose", purpose)
            .bind("recipient", call.recipient().map(Address::hex).orElse(null))
            .bind("data", call.data())
            .bind("value", call.valueWei().toString())
            .bind("now", now.toEpochMilli())
            .execute();
      } else if (stored.get().state() instanceof IntentState.Refused) {
        handle
            .createUpdate(
                "UPDATE ledger_intent SET purpose = :purpose, recipient = :recipient, data = :data,"
                    + " value_wei = :value, state = 'planned', note = '', updated_at_ms = :now WHERE id = :id"
                    + " AND state = 'refused'")
            .bind("purpose", purpose)
            .bind("recipient", call.recipient().map(Address::hex).orElse(null))
            .bind("data", call.data())
            .bind("value", call.valueWei().toString())
            .bind("now", now.toEpochMilli())
            .bind("id", stored.get().id())
            .execute();
      } else if (!stored.get().purpose().equals(purpose)) {
        throw new IntentConflictException(key, stored.get().purpose(), purpose);
      }
      return find(handle, key).orElseThrow();
    });
  }

  @Override
  public Optional<Intent> find(String key) {
    return jdbi.withHandle(handle -> find(handle, key));
  }

  @Override
  public List<Intent> pending() {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT * FROM ledger_intent WHERE chain_id = :chain AND account = :account"
                    + " AND state IN ('planned', 'signed', 'mined') ORDER BY id")
            .bind("chain", chainId)
            .bind("account", account.hex())
            .map((row, context) -> intent(row))
            .list());
  }

  @Override
  public List<Intent> list(String keyPrefix) {
    // A range of the index, where a comparison of each key's beginning would read them all.
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT * FROM ledger_intent WHERE chain_id = :chain AND account = :account"
                    + " AND business_key >= :from AND business_key < :to ORDER BY id")
            .bind("chain", chainId)
            .bind("account", account.hex())
            .bind("from", keyPrefix)
            .bind("to", keyPrefix + Character.toString(Character.MAX_CODE_POINT))
            .map((row, context) -> intent(row))
            .list());
  }

  @Override
  public List<Intent> newest(int limit) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                // The plus keeps SQLite from an index that would have to be sorted.
                "SELECT * FROM ledger_intent WHERE +chain_id = :chain AND account = :account"
                    + " ORDER BY id DESC LIMIT :limit")
            .bind("chain", chainId)
            .bind("account", account.hex())
            .bind("limit", limit)
            .map((row, context) -> intent(row))
            .list());
  }

  @Override
  public Totals totals() {
    Map<String, Long> count = new HashMap<>();
    long gasUsed =
        jdbi.withHandle(handle ->
            handle
                .createQuery(
                    "SELECT verb, transactions, gas_used FROM ledger_intent_total"
                        + " WHERE chain_id = :chain AND account = :account AND transactions > 0")
                .bind("chain", chainId)
                .bind("account", account.hex())
                .map((row, context) -> {
                  count.put(row.getString("verb"), row.getLong("transactions"));
                  return row.getLong("gas_used");
                })
                .stream()
                .mapToLong(Long::longValue)
                .sum());
    return new Totals(Map.copyOf(count), gasUsed);
  }

  @Override
  public OptionalLong highestNonce() {
    Optional<Long> highest =
        jdbi.withHandle(handle ->
            handle
                .createQuery(
                    "SELECT nonce FROM ledger_intent WHERE chain_id = :chain AND account = :account"
                        + " AND nonce IS NOT NULL ORDER BY nonce DESC LIMIT 1")
                .bind("chain", chainId)
                .bind("account", account.hex())
                .mapTo(Long.class)
                .findOne());
    return highest.map(OptionalLong::of).orElseGet(OptionalLong::empty);
  }

  @Override
  public void sign(long intentId, long nonce, Attempt attempt) {
    jdbi.useTransaction(handle -> {
      requireOne(
          handle
              .createUpdate(
                  "UPDATE ledger_intent SET state = 'signed', nonce = :nonce, note = '', updated_at_ms = :now"
                      + " WHERE id = :id AND state = 'planned'")
              .bind("nonce", nonce)
              .bind("now", attempt.signedAt().toEpochMilli())
              .bind("id", intentId)
              .execute(),
          intentId,
          "planned");
      insert(handle, intentId, attempt);
    });
  }

  @Override
  public void replace(long intentId, Attempt attempt) {
    jdbi.useTransaction(handle -> {
      requireOne(
          handle
              .createUpdate(
                  "UPDATE ledger_intent SET note = '', updated_at_ms = :now WHERE id = :id AND state = 'signed'")
              .bind("now", attempt.signedAt().toEpochMilli())
              .bind("id", intentId)
              .execute(),
          intentId,
          "signed");
      insert(handle, intentId, attempt);
    });
  }

  @Override
  public List<Attempt> attempts(long intentId) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery("SELECT * FROM ledger_attempt WHERE intent_id = :id ORDER BY rowid DESC")
            .bind("id", intentId)
            .map((row, context) -> attempt(row))
            .list());
  }

  @Override
  public void markSent(Hash attempt, Instant now) {
    jdbi.useHandle(handle ->
        handle
            .createUpdate("UPDATE ledger_attempt SET sent_at_ms = :now WHERE tx_hash = :hash")
            .bind("now", now.toEpochMilli())
            .bind("hash", attempt.hex())
            .execute());
  }

  @Override
  public void note(long intentId, String note, Instant now) {
    jdbi.useHandle(handle ->
        handle
            .createUpdate(
                "UPDATE ledger_intent SET note = :note, updated_at_ms = :now WHERE id = :id AND note <> :note"
                    + " AND state IN ('planned', 'signed')")
            .bind("note", note)
            .bind("now", now.toEpochMilli())
            .bind("id", intentId)
            .execute());
  }

  @Override
  public void refuse(long intentId, String reason, Instant now) {
    end(intentId, "planned", "refused", reason, now);
  }

  @Override
  public void displace(long intentId, String reason, Instant now) {
    end(intentId, "signed", "displaced", reason, now);
  }

  @Override
  public void mined(long intentId, Inclusion inclusion, Instant now) {
    include(intentId, inclusion, "mined", "", now);
  }

  @Override
  public void unmined(long intentId, Instant now) {
    takeOut(intentId, List.of("mined"), now);
  }

  @Override
  public void reopen(long intentId, Instant now) {
    takeOut(intentId, List.of("confirmed", "reverted"), now);
  }

  @Override
  public List<Intent> settledFrom(long nonce) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT * FROM ledger_intent WHERE chain_id = :chain AND account = :account"
                    + " AND nonce >= :nonce AND state IN ('confirmed', 'reverted') ORDER BY nonce")
            .bind("chain", chainId)
            .bind("account", account.hex())
            .bind("nonce", nonce)
            .map((row, context) -> intent(row))
            .list());
  }

  @Override
  public void settle(
      long intentId, Inclusion inclusion, Optional<String> revertReason, Instant now) {
    include(
        intentId,
        inclusion,
        revertReason.isPresent() ? "reverted" : "confirmed",
        revertReason.orElse(""),
        now);
  }

  private void end(long intentId, String from, String to, String reason, Instant now) {
    jdbi.useHandle(handle ->
        requireOne(
            handle
                .createUpdate(
                    "UPDATE ledger_intent SET state = :to, note = :reason, updated_at_ms = :now"
                        + " WHERE id = :id AND state = :from")
                .bind("to", to)
                .bind("reason", reason)
                .bind("now", now.toEpochMilli())
                .bind("id", intentId)
                .bind("from", from)
                .execute(),
            intentId,
            from));
  }

  private void takeOut(long intentId, List<String> from, Instant now) {
    jdbi.useHandle(handle ->
        handle
            .createUpdate(
                "UPDATE ledger_intent SET state = 'signed', note = '', tx_hash = NULL, block_number = NULL,"
                    + " block_hash = NULL, succeeded = NULL, gas_used = NULL, gas_price_wei = NULL,"
                    + " contract_created = NULL, updated_at_ms = :now WHERE id = :id AND state IN (<from>)")
            .bindList("from", from)
            .bind("now", now.toEpochMilli())
            .bind("id", intentId)
            .execute());
  }

  private void include(long intentId, Inclusion inclusion, String state, String note, Instant now) {
    jdbi.useHandle(handle ->
        requireOne(
            handle
                .createUpdate(
                    "UPDATE ledger_intent SET state = :state, note = :note, tx_hash = :hash,"
                        + " block_number = :number, block_hash = :block, succeeded = :succeeded, gas_used = :gas,"
                        + " gas_price_wei = :price, contract_created = :created, updated_at_ms = :now"
                        + " WHERE id = :id AND state IN ('signed', 'mined')")
                .bind("state", state)
                .bind("note", note)
                .bind("hash", inclusion.transaction().hex())
                .bind("number", inclusion.blockNumber())
                .bind("block", inclusion.blockHash().hex())
                .bind("succeeded", inclusion.succeeded())
                .bind("gas", inclusion.gasUsed())
                .bind("price", inclusion.gasPriceWei().toString())
                .bind("created", inclusion.contractCreated().map(Address::hex).orElse(null))
                .bind("now", now.toEpochMilli())
                .bind("id", intentId)
                .execute(),
            intentId,
            "signed or mined"));
  }

  private static void requireOne(int rows, long intentId, String state) {
    if (rows != 1) {
      throw new IllegalStateException("intent " + intentId + " is not " + state);
    }
  }

  private Optional<Intent> find(Handle handle, String key) {
    return handle
        .createQuery(
            "SELECT * FROM ledger_intent WHERE chain_id = :chain AND account = :account AND business_key = :key")
        .bind("chain", chainId)
        .bind("account", account.hex())
        .bind("key", key)
        .map((row, context) -> intent(row))
        .findOne();
  }

  private static void insert(Handle handle, long intentId, Attempt attempt) {
    handle
        .createUpdate(
            "INSERT INTO ledger_attempt VALUES (:hash, :intent, :raw, :gas, :maxFee, :priorityFee, :signed, NULL)")
        .bind("hash", attempt.hash().hex())
        .bind("intent", intentId)
        .bind("raw", attempt.raw())
        .bind("gas", attempt.gasLimit())
        .bind("maxFee", attempt.maxFeeWei().toString())
        .bind("priorityFee", attempt.priorityFeeWei().toString())
        .bind("signed", attempt.signedAt().toEpochMilli())
        .execute();
  }

  private static Attempt attempt(ResultSet row) throws SQLException {
    long sentAt = row.getLong("sent_at_ms");
    Optional<Instant> sent =
        row.wasNull() ? Optional.empty() : Optional.of(Instant.ofEpochMilli(sentAt));
    return new Attempt(
        Hash.fromHex(row.getString("tx_hash")),
        row.getString("raw"),
        row.getLong("gas_limit"),
        new BigInteger(row.getString("max_fee_wei")),
        new BigInteger(row.getString("priority_fee_wei")),
        Instant.ofEpochMilli(row.getLong("signed_at_ms")),
        sent);
  }

  private static Intent intent(ResultSet row) throws SQLException {
    return new Intent(
        row.getLong("id"),
        row.getString("business_key"),
        row.getString("purpose"),
        Call.of(
            address(row.getString("recipient")),
            row.getBytes("data"),
            new BigInteger(row.getString("value_wei"))),
        state(row),
        Instant.ofEpochMilli(row.getLong("created_at_ms")));
  }

  private static IntentState state(ResultSet row) throws SQLException {
    long nonce = row.getLong("nonce");
    String note = row.getString("note");
    return switch (row.getString("state")) {
      case "planned" -> new IntentState.Planned(note);
      case "refused" -> new IntentState.Refused(note);
      case "signed" -> new IntentState.Signed(nonce, note);
      case "mined" -> new IntentState.Mined(nonce, inclusion(row));
      case "confirmed" -> new IntentState.Confirmed(nonce, inclusion(row));
      case "reverted" -> new IntentState.Reverted(nonce, inclusion(row), note);
      case "displaced" -> new IntentState.Displaced(nonce, note);
      default -> throw new IllegalStateException("unknown state " + row.getString("state"));
    };
  }

  private static Inclusion inclusion(ResultSet row) throws SQLException {
    return new Inclusion(
        Hash.fromHex(row.getString("tx_hash")),
        row.getLong("block_number"),
        Hash.fromHex(row.getString("block_hash")),
        row.getBoolean("succeeded"),
        row.getLong("gas_used"),
        new BigInteger(row.getString("gas_price_wei")),
        address(row.getString("contract_created")));
  }

  private static Optional<Address> address(@Nullable String hex) {
    return hex == null ? Optional.empty() : Optional.of(Address.fromHex(hex));
  }
}
