package io.rigmesh.ledger.intent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.ledger.ChainMismatchException;
import io.rigmesh.ledger.IntentConflictException;
import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.chain.Call;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the database itself refuses, whatever the code above it does.
class JdbiIntentStoreTest {
  private static final Instant NOW = Instant.ofEpochMilli(1_800_000_000_123L);
  private static final Address ACCOUNT = AccountKey.generate().address();
  private static final Call CALL = Call.payment(AccountKey.generate().address(), BigInteger.TEN);

  @TempDir Path folder;
  private Jdbi jdbi;
  private JdbiIntentStore store;

  @BeforeEach
  void open() {
    DataSource source = LedgerSchema.open(folder.resolve("node.db"));
    LedgerSchema.migrate(source);
    jdbi = Jdbi.create(source);
    store = new JdbiIntentStore(jdbi, 1, ACCOUNT);
    store.bindChain(hash("genesis"));
  }

  private static Hash hash(String name) {
    return Digests.sha256(name.getBytes(StandardCharsets.US_ASCII));
  }

  private static Attempt attempt(String name) {
    return new Attempt(
        hash(name), "0x0102", 21_000, BigInteger.TWO, BigInteger.ONE, NOW, Optional.empty());
  }

  private static Inclusion inclusion(String attempt, boolean succeeded) {
    return new Inclusion(
        hash(attempt),
        9,
        hash("block"),
        succeeded,
        20_000,
        BigInteger.TWO.pow(80),
        Optional.of(ACCOUNT));
  }

  private Intent plan(String key) {
    return store.plan(key, "purpose of " + key, CALL, NOW);
  }

  @Test
  void theWholeWalkIsReadBackAsItWasWritten() {
    long id = plan("a").id();
    assertThat(store.pending()).extracting(Intent::call).containsExactly(CALL);
    store.note(id, "waits", NOW);
    assertThat(state("a")).isEqualTo(new IntentState.Planned("waits"));
    store.sign(id, 7, attempt("first"));
    assertThat(state("a")).isEqualTo(new IntentState.Signed(7, ""));
    store.markSent(hash("first"), NOW);
    store.replace(id, attempt("second"));
    assertThat(store.attempts(id))
        .extracting(Attempt::hash)
        .containsExactly(hash("second"), hash("first"));
    assertThat(store.attempts(id).get(1).sentAt()).contains(NOW);
    store.mined(id, inclusion("first", true), NOW);
    assertThat(state("a")).isEqualTo(new IntentState.Mined(7, inclusion("first", true)));
    store.unmined(id, NOW);
    assertThat(state("a")).isEqualTo(new IntentState.Signed(7, ""));
    store.settle(id, inclusion("second", true), Optional.empty(), NOW);
    assertThat(state("a")).isEqualTo(new IntentState.Confirmed(7, inclusion("second", true)));
    assertThat(store.pending()).isEmpty();
    assertThat(store.settledFrom(7)).hasSize(1);
    assertThat(store.settledFrom(8)).isEmpty();
    store.reopen(id, NOW);
    store.settle(id, inclusion("first", false), Optional.of("why"), NOW);
    assertThat(state("a")).isEqualTo(new IntentState.Reverted(7, inclusion("first", false), "why"));
    assertThat(store.highestNonce()).hasValue(7);
  }

  @Test
  void totalsAreWhatIsInBlocksAlsoAfterReorganisations() {
    assertThat(store.totals()).isEqualTo(new IntentStore.Totals(Map.of(), 0));
    long nonce = 0;
    for (String key : List.of("fund:1", "fund:2", "settle:1:x", "plain")) {
      long id = plan(key).id();
      store.sign(id, nonce++, attempt(key));
      store.mined(id, inclusion(key, true), NOW);
    }
    plan("fund:3");
    Map<String, Long> all = Map.of("fund", 2L, "settle", 1L, "plain", 1L);
    assertThat(store.totals()).isEqualTo(new IntentStore.Totals(all, 80_000));
    store.unmined(id("settle:1:x"), NOW);
    store.settle(id("fund:1"), inclusion("fund:1", true), Optional.empty(), NOW);
    assertThat(store.totals())
        .isEqualTo(new IntentStore.Totals(Map.of("fund", 2L, "plain", 1L), 60_000));
    store.reopen(id("fund:1"), NOW);
    assertThat(store.totals().gasUsed()).isEqualTo(40_000);
    store.mined(id("fund:1"), inclusion("fund:1", false), NOW);
    store.mined(id("settle:1:x"), inclusion("settle:1:x", true), NOW);
    assertThat(store.totals()).isEqualTo(new IntentStore.Totals(all, 80_000));
    JdbiIntentStore other = new JdbiIntentStore(jdbi, 1, AccountKey.generate().address());
    assertThat(other.totals().count()).isEmpty();
  }

  @Test
  void theNewestComeFirst() {
    List.of("a", "b", "c").forEach(this::plan);
    assertThat(store.newest(2)).extracting(Intent::key).containsExactly("c", "b");
    assertThat(store.newest(9)).hasSize(3);
  }

  private long id(String key) {
    return store.find(key).orElseThrow().id();
  }

  private IntentState state(String key) {
    return store.find(key).orElseThrow().state();
  }

  @Test
  void anIntentIsSignedOnceAndANonceIsGivenOnce() {
    long first = plan("a").id();
    long second = plan("b").id();
    store.sign(first, 7, attempt("first"));
    assertThatThrownBy(() -> store.sign(first, 8, attempt("again")))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> store.sign(second, 7, attempt("same nonce")))
        .hasMessageContaining("UNIQUE constraint failed");
    // What failed has left nothing behind.
    assertThat(store.attempts(first)).hasSize(1);
    assertThat(store.attempts(second)).isEmpty();
    assertThat(state("b")).isEqualTo(new IntentState.Planned(""));
  }

  @Test
  void aKeyIsOneIntentForEver() {
    long id = plan("a").id();
    assertThat(plan("a").id()).isEqualTo(id);
    assertThatThrownBy(() -> store.plan("a", "something else", CALL, NOW))
        .isInstanceOf(IntentConflictException.class);
    store.sign(id, 0, attempt("first"));
    store.settle(id, inclusion("first", false), Optional.of("why"), NOW);
    assertThat(plan("a").state()).isInstanceOf(IntentState.Reverted.class);
    assertThatThrownBy(() -> store.refuse(id, "too late", NOW))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void onlyWhatWasNeverSignedMayBePlannedAgain() {
    long id = plan("a").id();
    store.refuse(id, "no money", NOW);
    assertThat(state("a")).isEqualTo(new IntentState.Refused("no money"));
    Call other = Call.payment(ACCOUNT, BigInteger.ONE);
    Intent again = store.plan("a", "another purpose", other, NOW);
    assertThat(again.id()).isEqualTo(id);
    assertThat(again.state()).isEqualTo(new IntentState.Planned(""));
    assertThat(again.call()).isEqualTo(other);
  }

  @Test
  void accountsAndChainsDoNotSeeEachOther() {
    plan("a");
    JdbiIntentStore other = new JdbiIntentStore(jdbi, 1, AccountKey.generate().address());
    assertThat(other.find("a")).isEmpty();
    JdbiIntentStore otherChain = new JdbiIntentStore(jdbi, 2, ACCOUNT);
    otherChain.bindChain(hash("other genesis"));
    assertThat(otherChain.pending()).isEmpty();
    assertThat(store.list("")).hasSize(1);
    assertThat(store.list("b")).isEmpty();
  }

  @Test
  void aPrefixIsTakenLetterByLetter() {
    List.of("fund:1", "fund:2", "fun", "release:1", "%und:1").forEach(this::plan);
    assertThat(store.list("fund:")).extracting(Intent::key).containsExactly("fund:1", "fund:2");
    assertThat(store.list("%")).extracting(Intent::key).containsExactly("%und:1");
  }

  @Test
  void anotherGenesisIsAnotherChain() {
    store.bindChain(hash("genesis"));
    assertThatThrownBy(() -> store.bindChain(hash("another")))
        .isInstanceOf(ChainMismatchException.class)
        .hasMessageContaining("new data folder");
  }
}
