package io.rigmesh.node.chain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.EndpointHealth;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.node.ChainView;
import io.rigmesh.node.config.ConfigException;
import io.rigmesh.node.config.ConfigLoader;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.store.Database;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The link on a real chain, with endpoints that have keys in their addresses.
class ChainLinkIT {
  private static final String KEY = "s3cr3t-k3y-of-an-account";
  private static final String NEVER = "86400000";
  private static final List<String> NAMES = List.of("escrow", "channels", "registry", "token");

  private static DevChain chain;
  @TempDir Path home;

  @BeforeAll
  static void start() {
    chain = DevChain.start(DevChain.Settings.standard(AnvilBinary.find(Path.of(""))));
    for (int i = 1; i <= NAMES.size(); i++) {
      // Something that stands there; what it is, is not asked here.
      chain.request("anvil_setCode", address(i).hex(), "0x00");
    }
  }

  @AfterAll
  static void stop() {
    chain.close();
  }

  private static Address address(int number) {
    return Address.fromHex("0x" + "%040x".formatted(number));
  }

  private NodeConfig config(Map<String, String> more) {
    Map<String, String> settings = new HashMap<>();
    settings.put("chain.chain-id", "31337");
    settings.put("chain.rpc-urls", chain.endpoint() + "/?key=" + KEY);
    // This chain makes blocks only where a test asks for one.
    settings.put("chain.head-age-seconds-max", "86400");
    for (int i = 1; i <= NAMES.size(); i++) {
      settings.put("chain." + NAMES.get(i - 1), address(i).hex());
    }
    settings.putAll(more);
    return ConfigLoader.load(home, Optional.empty(), Map.of(), settings).config();
  }

  /// A started link, and a permit for each time that it woke what waits for blocks.
  private final class Linked implements AutoCloseable {
    final Semaphore woken = new Semaphore(0);
    final ChainLink link;
    private final Database database;

    Linked(Map<String, String> settings) {
      this(settings, Clock.systemUTC());
    }

    Linked(Map<String, String> settings, Clock clock) {
      NodeConfig config = config(settings);
      database = Database.open(config.databaseFile(), LedgerSchema.LOCATION);
      link =
          new ChainLink(
              config.chain(),
              Contracts.of(config.chain()),
              AccountSigner.of(AccountKey.generate()),
              database,
              clock);
      link.onHead(woken::release);
      link.start();
    }

    ChainView.Socket socket() {
      return link.view().socket().orElseThrow();
    }

    void awaitWoken() throws InterruptedException {
      assertThat(woken.tryAcquire(120, TimeUnit.SECONDS)).as(link.view().toString()).isTrue();
    }

    @Override
    public void close() {
      link.stop();
      database.close();
    }
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (!condition.getAsBoolean() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(5_000_000);
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }

  private static String socketUrl(int port) {
    return "ws://127.0.0.1:" + port + "/?key=" + KEY;
  }

  @Test
  void aClockFarBehindTheChainIsTrouble() {
    try (Linked linked =
        new Linked(Map.of(), Clock.offset(Clock.systemUTC(), Duration.ofHours(-1)))) {
      await(() -> linked.link.view().head().isPresent());
      await(() -> linked.link.trouble().orElse("").contains("s ahead of this machine's clock"));
    }
  }

  @Test
  void aJobIsDoneSoLongBeforeItsDeadlineThatAFeeCanBeRaisedTwice() {
    assertThat(ChainLink.settleMargin(config(Map.of("chain.confirmations", "12"))))
        .isEqualTo(Duration.ofSeconds(240));
    assertThat(ChainLink.settleMargin(config(Map.of()))).isEqualTo(Duration.ofSeconds(35));
    assertThat(ChainLink.settleMargin(config(Map.of("provider.settle-margin-seconds", "7"))))
        .isEqualTo(Duration.ofSeconds(7));
  }

  @Test
  void aBlockIsHeardOfBySocketLongBeforeItWouldBePolledFor() throws Exception {
    try (Linked linked =
        new Linked(
            Map.of(
                "chain.poll-millis",
                NEVER,
                "chain.ws-urls",
                socketUrl(chain.endpoint().getPort())))) {
      await(() -> linked.socket().connected() && linked.link.trouble().isEmpty());
      long before = linked.link.view().head().orElseThrow().number();
      linked.woken.drainPermits();
      chain.request("hardhat_mine", "0x1");
      linked.awaitWoken();
      // Nothing polls within a day, so only the socket can have brought it.
      await(() -> linked.link.view().head().orElseThrow().number() > before);
      assertThat(linked.socket().heads()).isPositive();
    }
  }

  @Test
  void withoutTheSocketBlocksArePolledForUntilItIsBack() throws Exception {
    try (TcpGate gate = new TcpGate(chain.endpoint().getPort());
        Linked linked =
            new Linked(
                Map.of("chain.poll-millis", "50", "chain.ws-urls", socketUrl(gate.port())))) {
      await(() -> linked.socket().connected() && linked.link.trouble().isEmpty());
      gate.shut();
      await(() -> !linked.socket().connected());
      assertThat(linked.socket().trouble())
          .startsWith("ws://127.0.0.1:" + gate.port() + ": ")
          .doesNotContain(KEY);
      assertThat(linked.link.trouble()).isEmpty();
      linked.woken.drainPermits();
      chain.request("hardhat_mine", "0x1");
      linked.awaitWoken();
      gate.open();
      await(() -> linked.socket().connected());
      assertThat(linked.socket().trouble()).isEmpty();
    }
  }

  @Test
  void anEndpointOfAnotherChainIsNamedWithBothChainsAndWithoutItsKey() {
    try (Linked linked = new Linked(Map.of("chain.chain-id", "5", "chain.poll-millis", "50"))) {
      await(() -> linked.link.trouble().orElse("").contains("serves the chain 31337, but 5"));
      assertThat(linked.link.trouble().orElseThrow())
          .contains("http://127.0.0.1:" + chain.endpoint().getPort())
          .doesNotContain(KEY);
      EndpointHealth health = linked.link.view().endpoints().getFirst();
      assertThat(health.state()).isEqualTo(EndpointHealth.State.WRONG_CHAIN);
      assertThat(health.trouble()).contains("serves the chain 31337, but 5");
      assertThat(health.requests()).isPositive();
      assertThat(linked.link.view().toString()).doesNotContain(KEY);
    }
  }

  @Test
  void aContractThatIsNotThereIsNamedByItsSetting() {
    try (Linked linked =
        new Linked(Map.of("chain.escrow", address(99).hex(), "chain.poll-millis", "50"))) {
      await(() -> linked.link.trouble().orElse("").contains("chain.escrow = " + address(99).hex()));
    }
  }

  @Test
  void addressesThatAreNoneAreRefusedWithoutRepeatingThem() {
    for (Map<String, String> wrong :
        List.of(
            Map.of("chain.rpc-urls", "https://rpc.example/" + KEY + "/{}"),
            Map.of("chain.rpc-urls", "ws://rpc.example/" + KEY),
            Map.of("chain.rpc-urls", ""),
            Map.of("chain.ws-urls", "https://rpc.example/" + KEY))) {
      String setting = wrong.keySet().iterator().next();
      NodeConfig config = config(wrong);
      assertThatThrownBy(
              () -> {
                ChainAddresses.rpc(config.chain(), 5);
                ChainAddresses.sockets(config.chain());
              })
          .isInstanceOf(ConfigException.class)
          .hasMessageContaining(setting)
          .hasNoCause()
          .message()
          .doesNotContain(KEY);
    }
  }
}
