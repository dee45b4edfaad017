package io.rigmesh.ledger.follow;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.EndpointProxy;
import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.Party;
import io.rigmesh.ledger.chain.ChainLog;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.Inclusion;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.TestChain;
import io.rigmesh.ledger.generated.DevToken;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.web3j.abi.EventEncoder;
import org.web3j.abi.FunctionEncoder;
import org.web3j.abi.datatypes.generated.Uint256;
import tools.jackson.databind.JsonNode;

/// Random transfers, blocks, restarts and reorganisations of up to eight blocks on a real chain:
/// what a follower kept up while they happened is what one reads that starts afterwards from the
/// first block, and what the chain itself answers.
class RandomScheduleIT {
  private static final int STEPS = 80;
  private static final int REORGANISED_BLOCKS_MAX = 8;
  private static final int CONFIRMATIONS = 3;
  private static final Hash TRANSFER = Hash.fromHex(EventEncoder.encode(DevToken.TRANSFER_EVENT));
  private static final Hash APPROVAL = Hash.fromHex(EventEncoder.encode(DevToken.APPROVAL_EVENT));
  private static final Address ALICE = Address.fromHex("0x" + "a1".repeat(20));
  private static final Address BOB = Address.fromHex("0x" + "b0".repeat(20));

  @TempDir static Path folder;
  private static DevChain chain;
  private static ChainRpc rpc;
  private static Address rich;

  @BeforeAll
  static void start() {
    chain = TestChain.start();
    rpc = ChainRpc.connect(RpcSettings.of(31337, chain.endpoint()));
    rich = Address.fromHex(chain.request("eth_accounts").get(0).stringValue());
    for (Address account : List.of(ALICE, BOB)) {
      chain.request("hardhat_impersonateAccount", account.hex());
      chain.setBalance(account, BigInteger.TEN.pow(18));
    }
  }

  @AfterAll
  static void stop() {
    rpc.close();
    chain.close();
  }

  /// The transfers to Alice and Bob, and the approvals of whoever has sent them any: the first name
  /// their parties, the second are known by the first.
  private record Payments(String name, Address contract) implements EventSource<ChainLog> {
    @Override
    public List<LogPattern> patterns() {
      return List.of(LogPattern.of(List.of(TRANSFER), 2, List.of(ALICE, BOB)));
    }

    @Override
    public Optional<Subjects> subjects() {
      return Optional.of(new Subjects(TRANSFER, List.of(APPROVAL, Hash.ZERO), Hash.ZERO));
    }

    @Override
    public ChainLog event(ChainLog log) {
      return log;
    }
  }

  /// Adds up in the follower's own transactions.
  private record Sums(String name) implements EventListener<ChainLog> {
    static void create(Jdbi jdbi) {
      jdbi.useHandle(handle ->
          handle.execute(
              "CREATE TABLE sums (name TEXT, account TEXT, amount INTEGER,"
                  + " PRIMARY KEY (name, account))"));
    }

    @Override
    public void happened(Handle transaction, ChainLog log) {
      add(transaction, log, 1);
    }

    @Override
    public void takenBack(Handle transaction, ChainLog log) {
      add(transaction, log, -1);
    }

    @Override
    public void forgotten(Handle transaction) {
      transaction.execute("DELETE FROM sums WHERE name = ?", name);
    }

    private void add(Handle transaction, ChainLog log, long sign) {
      // An approval is counted by itself: its amount says nothing.
      boolean transfer = log.isOf(TRANSFER);
      String account = transfer ? log.topics().get(2).hex() : "approvals";
      long amount = transfer ? new BigInteger(1, log.data()).longValueExact() : 1;
      transaction.execute(
          "INSERT INTO sums VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount"
              + " + excluded.amount",
          name,
          account,
          sign * amount);
    }
  }

  private static Jdbi database(String name) {
    DataSource source = LedgerSchema.open(folder.resolve(name + ".db"));
    LedgerSchema.migrate(source);
    Jdbi jdbi = Jdbi.create(source);
    Sums.create(jdbi);
    return jdbi;
  }

  private static LedgerFollower follow(
      Jdbi jdbi, List<Address> tokens, long fromBlock, int blocksPerQuery) {
    List<Followed<?>> followed = new ArrayList<>();
    for (int i = 0; i < tokens.size(); i++) {
      String name = "token " + i;
      followed.add(new Followed<>(new Payments(name, tokens.get(i)), new Sums(name)));
    }
    return LedgerFollower.start(
        rpc,
        jdbi,
        "test",
        followed,
        new FollowSettings(fromBlock, CONFIRMATIONS, blocksPerQuery, Duration.ofMillis(2)));
  }

  private static String submit(Address from, @Nullable Address to, String data) {
    Map<String, String> transaction = new HashMap<>();
    transaction.put("from", from.hex());
    transaction.put("data", data);
    if (to != null) {
      transaction.put("to", to.hex());
    }
    return chain.request("eth_sendTransaction", transaction).stringValue();
  }

  /// Sends a transaction and waits until it is in a block: the chain answers before it is.
  private static Inclusion send(Address from, @Nullable Address to, String data) {
    Hash hash = Hash.fromHex(submit(from, to, data));
    long deadline = System.nanoTime() + Party.TIMEOUT.toNanos();
    Optional<Inclusion> inclusion = rpc.inclusion(hash);
    while (inclusion.isEmpty() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(1_000_000);
      inclusion = rpc.inclusion(hash);
    }
    return inclusion.orElseThrow();
  }

  private static Address token() {
    return send(
            rich,
            null,
            DevToken.BINARY
                + FunctionEncoder.encodeConstructor(
                    List.of(
                        new org.web3j.abi.datatypes.Address(rich.hex()),
                        new Uint256(BigInteger.TEN.pow(18)))))
        .contractCreated()
        .orElseThrow();
  }

  private static String transfer(Address to, long amount) {
    return call("transfer", to, amount);
  }

  private static String call(String function, Address account, long amount) {
    return FunctionEncoder.encode(
        new org.web3j.abi.datatypes.Function(
            function,
            List.of(
                new org.web3j.abi.datatypes.Address(account.hex()),
                new Uint256(BigInteger.valueOf(amount))),
            List.of()));
  }

  /// A state of the chain that can be gone back to.
  private record Snapshot(String id, long head) {}

  /// Goes back by some blocks, and comes past where it was by others.
  private static void reorganise(Random random, List<Snapshot> snapshots) {
    long head = rpc.head().number();
    int chosen = random.nextInt(snapshots.size());
    chain.request("evm_revert", snapshots.get(chosen).id());
    // What was remembered later than this is gone.
    long lost = head - snapshots.get(chosen).head();
    snapshots.subList(chosen, snapshots.size()).clear();
    // Another time makes other blocks, where they are empty too.
    chain.request("evm_increaseTime", 1 + random.nextInt(100));
    TestChain.mine(chain, Math.toIntExact(lost) + random.nextInt(2));
  }

  private static List<String> stored(Jdbi jdbi) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT block_number || ' ' || log_index || ' ' || source || ' ' || block_hash || ' ' ||"
                    + " tx_hash || ' ' || block_time || ' ' || hex(topics) || ' ' || hex(data)"
                    + " FROM ledger_followed_log ORDER BY block_number, log_index, source")
            .mapTo(String.class)
            .list());
  }

  private static List<String> sums(Jdbi jdbi) {
    return jdbi.withHandle(handle ->
        handle
            .createQuery(
                "SELECT name || ' ' || account || ' ' || amount FROM sums WHERE amount != 0"
                    + " ORDER BY name, account")
            .mapTo(String.class)
            .list());
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void whatWasKeptLiveIsWhatIsReadFromTheFirstBlock(long seed) {
    Random random = new Random(seed);
    List<Address> tokens = List.of(token(), token());
    for (Address token : tokens) {
      send(rich, token, transfer(Address.fromHex("0x" + "c0".repeat(20)), 1));
    }
    long first = rpc.head().number();
    TestChain.mine(chain, 10);
    List<Snapshot> snapshots = new ArrayList<>();
    Jdbi live = database("live " + seed);
    LedgerFollower follower = follow(live, tokens, first, 1 + random.nextInt(8));
    try {
      for (int step = 0; step < STEPS; step++) {
        Address token = tokens.get(random.nextInt(2));
        long head = rpc.head().number();
        snapshots.add(new Snapshot(chain.request("evm_snapshot").stringValue(), head));
        snapshots.removeIf(old -> old.head() < head - REORGANISED_BLOCKS_MAX);
        switch (random.nextInt(12)) {
          case 0 -> {
            if (random.nextBoolean()) {
              follower.awaitBlock(head - CONFIRMATIONS + 1, Party.TIMEOUT);
            }
            reorganise(random, snapshots);
          }
          case 1 -> TestChain.mine(chain, 1 + random.nextInt(45));
          case 2 -> {
            follower.close();
            follower = follow(live, tokens, first, 1 + random.nextInt(8));
          }
          case 3 -> follower.awaitBlock(rpc.head().number() - CONFIRMATIONS + 1, Party.TIMEOUT);
          case 4 -> send(rich, token, call("approve", BOB, step));
          case 5 -> send(BOB, token, call("approve", ALICE, step));
          default ->
              send(
                  rich,
                  token,
                  transfer(random.nextBoolean() ? ALICE : BOB, 1 + random.nextInt(99)));
        }
      }
      TestChain.mine(chain, CONFIRMATIONS + 40);
      long end = rpc.head().number() - CONFIRMATIONS + 1;
      follower.awaitBlock(end, Party.TIMEOUT);

      Jdbi anew = database("anew " + seed);
      try (LedgerFollower rebuilt = follow(anew, tokens, first, 1_000)) {
        rebuilt.awaitBlock(end, Party.TIMEOUT);
      }
      assertThat(stored(live)).isNotEmpty().containsExactlyElementsOf(stored(anew));
      assertThat(sums(live)).isNotEmpty().isEqualTo(sums(anew));
      List<String> onChain = new ArrayList<>();
      for (int i = 0; i < tokens.size(); i++) {
        for (Address account : List.of(ALICE, BOB)) {
          String answer =
              chain
                  .request(
                      "eth_call",
                      Map.of(
                          "to",
                          tokens.get(i).hex(),
                          "data",
                          FunctionEncoder.encode(
                              new org.web3j.abi.datatypes.Function(
                                  "balanceOf",
                                  List.of(new org.web3j.abi.datatypes.Address(account.hex())),
                                  List.of()))),
                      "latest")
                  .stringValue();
          BigInteger balance = new BigInteger(answer.substring(2), 16);
          if (balance.signum() > 0) {
            onChain.add("token " + i + " " + LogPattern.topic(account).hex() + " " + balance);
          }
        }
      }
      assertThat(sums(live).stream().filter(sum -> !sum.contains("approvals")))
          .containsExactlyElementsOf(onChain);
    } finally {
      follower.close();
    }
  }

  @Test
  void rangesThatAnEndpointRefusesAreHalvedUntilItAnswers() {
    Address token = token();
    long first = rpc.head().number() + 1;
    for (int i = 1; i <= 30; i++) {
      send(rich, token, transfer(i % 7 == 0 ? ALICE : BOB, i));
      TestChain.mine(chain, 2);
    }
    TestChain.mine(chain, 64);
    AtomicInteger refused = new AtomicInteger();
    try (EndpointProxy limited = new EndpointProxy(chain.endpoint());
        ChainRpc behind = ChainRpc.connect(RpcSettings.of(31337, limited.endpoint()))) {
      // Thirty blocks at most, as some endpoints say it, and fewer where much happened, as others
      // do.
      limited.rule(request -> {
        JsonNode filter = request.path("params").path(0);
        if (!request.path("method").stringValue("").equals("eth_getLogs")
            || filter.has("blockHash")) {
          return Optional.empty();
        }
        long from = Long.decode(filter.path("fromBlock").stringValue());
        long to = Long.decode(filter.path("toBlock").stringValue());
        if (to - from + 1 > (from < first + 90 ? 5 : 30)) {
          refused.incrementAndGet();
          return Optional.of(
              to - from > 60
                  ? EndpointProxy.Answer.error(request, -32600, "block range too large")
                  : EndpointProxy.Answer.error(
                      request, -32005, "query returned more than 10000 results"));
        }
        return Optional.empty();
      });
      Jdbi jdbi = database("limited");
      long end = rpc.head().number();
      try (LedgerFollower follower =
          LedgerFollower.start(
              behind,
              jdbi,
              "test",
              List.of(new Followed<>(new Payments("token 0", token), new Sums("token 0"))),
              new FollowSettings(first, 1, 1_000, Duration.ofMillis(20)))) {
        follower.awaitBlock(end, Party.TIMEOUT);
      }
      assertThat(refused).hasValueGreaterThan(5);
      assertThat(sums(jdbi))
          .containsExactly(
              "token 0 " + LogPattern.topic(ALICE).hex() + " " + 7 * (4 * 5 / 2),
              "token 0 " + LogPattern.topic(BOB).hex() + " " + (30 * 31 / 2 - 7 * (4 * 5 / 2)));
    }
  }

  /// Above so many subjects an endpoint is no longer asked for each, and the answer is the same.
  @Test
  void moreSubjectsThanAnEndpointIsAskedForAreFollowedAllTheSame() {
    Address token = token();
    long first = rpc.head().number();
    chain.request("evm_setAutomine", false);
    int senders = LogReader.SUBJECTS_ASKED_MAX + 20;
    try {
      for (int i = 0; i < senders; i++) {
        Address sender = Address.fromHex("0x" + "%040x".formatted(0xd00000 + i));
        chain.request("hardhat_impersonateAccount", sender.hex());
        chain.setBalance(sender, BigInteger.TEN.pow(18));
        submit(sender, token, transfer(ALICE, 0));
        submit(sender, token, call("approve", BOB, 1));
        if (i % 50 == 49) {
          TestChain.mine(chain, 1);
        }
      }
      submit(rich, token, call("approve", BOB, 1));
    } finally {
      chain.request("evm_setAutomine", true);
    }
    TestChain.mine(chain, 48);
    Jdbi jdbi = database("many subjects");
    try (LedgerFollower follower = follow(jdbi, List.of(token), first, 2)) {
      follower.awaitBlock(rpc.head().number() - CONFIRMATIONS + 1, Party.TIMEOUT);
      Address last = Address.fromHex("0x" + "%040x".formatted(0xd00000 + senders - 1));
      send(last, token, call("approve", ALICE, 2));
      TestChain.mine(chain, 48);
      follower.awaitBlock(rpc.head().number() - CONFIRMATIONS + 1, Party.TIMEOUT);
    }
    assertThat(sums(jdbi)).containsExactly("token 0 approvals " + (senders + 1));
  }
}
