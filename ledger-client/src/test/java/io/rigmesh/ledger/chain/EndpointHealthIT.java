package io.rigmesh.ledger.chain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.ledger.EndpointProxy;
import io.rigmesh.ledger.EndpointProxy.Answer;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.TestChain;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/// A real chain behind two endpoints, the first of which misbehaves as public ones do.
class EndpointHealthIT {
  private static DevChain chain;

  private EndpointProxy first;
  private EndpointProxy second;

  @BeforeAll
  static void start() {
    chain = TestChain.start();
    TestChain.mine(chain, 20);
  }

  @AfterAll
  static void stop() {
    chain.close();
  }

  @BeforeEach
  void open() {
    first = new EndpointProxy(chain.endpoint());
    second = new EndpointProxy(chain.endpoint());
  }

  @AfterEach
  void close() {
    first.close();
    second.close();
  }

  private ChainRpc connect(Duration hedgeAfter) {
    return ChainRpc.connect(
        new RpcSettings(
            31337,
            List.of(first.endpoint(), second.endpoint()),
            Duration.ofSeconds(30),
            Duration.ofSeconds(60),
            hedgeAfter,
            5));
  }

  private ChainRpc connect() {
    return connect(Duration.ofSeconds(50));
  }

  private static boolean isMethod(JsonNode request, String method) {
    return request.path("method").stringValue("").equals(method);
  }

  private static EndpointHealth.State state(ChainRpc rpc, int endpoint) {
    return rpc.endpoints().get(endpoint).state();
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (!condition.getAsBoolean() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(5_000_000);
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }

  @Test
  void anEndpointThatIsBusyRestsAsLongAsItAsksAndTheNextAnswers() {
    try (ChainRpc rpc = connect()) {
      first.rule(
          request -> Optional.of(new Answer(429, Map.of("Retry-After", "300"), "slow down")));
      assertThat(rpc.head().number()).isEqualTo(20);
      assertThat(state(rpc, 0)).isEqualTo(EndpointHealth.State.FAILING);
      assertThat(rpc.endpoints().get(0).failures()).isPositive();
      first.methods().clear();
      for (int i = 0; i < 20; i++) {
        assertThat(rpc.genesisHash()).isNotNull();
      }
      // The comparison of heads may ask it once meanwhile, a request never does.
      assertThat(first.methods()).doesNotContain("eth_getBlockByNumber");
      assertThat(state(rpc, 1)).isEqualTo(EndpointHealth.State.WORKING);
    }
  }

  @Test
  void aRateLimitInAnAnswerIsNoAnswer() {
    try (ChainRpc rpc = connect()) {
      first.rule(request ->
          Optional.of(Answer.error(request, -32005, "daily request count exceeded, rate limited")));
      assertThat(rpc.head().number()).isEqualTo(20);
      assertThat(state(rpc, 0)).isEqualTo(EndpointHealth.State.FAILING);
    }
  }

  @Test
  void aRefusalWithAnErrorsStatusIsTheAnswer() {
    try (ChainRpc rpc = connect()) {
      first.rule(request ->
          isMethod(request, "eth_getLogs")
              ? Optional.of(
                  new Answer(
                      400, Map.of(), Answer.error(request, -32602, "at most 500 blocks").body()))
              : Optional.empty());
      assertThatThrownBy(() ->
              rpc.logs(io.rigmesh.protocol.Address.ZERO, 0, 1_000, List.of(List.of()), rpc::block))
          .isInstanceOf(RpcRefusedException.class)
          .hasMessageContaining("at most 500 blocks");
      assertThat(second.methods()).doesNotContain("eth_getLogs");
    }
  }

  @Test
  void anEndpointThatIsBehindIsPassedOverUntilItHasCaughtUp() {
    first.rule(request ->
        isMethod(request, "eth_blockNumber")
            ? Optional.of(Answer.result(request, "\"0xe\""))
            : Optional.empty());
    try (ChainRpc rpc = connect()) {
      await(() -> state(rpc, 0) == EndpointHealth.State.BEHIND);
      first.methods().clear();
      assertThat(rpc.head().number()).isEqualTo(20);
      assertThat(first.methods()).doesNotContain("eth_getBlockByNumber");
      assertThat(rpc.endpoints().get(0).head()).hasValue(14);
      first.rule(request -> Optional.empty());
      await(() -> state(rpc, 0) == EndpointHealth.State.WORKING);
      rpc.head();
      assertThat(first.methods()).contains("eth_getBlockByNumber");
    }
  }

  @Test
  void whereAnEndpointTakesLongTheNextIsAskedAsWell() {
    CountDownLatch never = new CountDownLatch(1);
    try (ChainRpc rpc = connect(Duration.ofMillis(200))) {
      first.rule(request -> {
        try {
          never.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        return Optional.empty();
      });
      assertThat(rpc.head().number()).isEqualTo(20);
      await(() -> state(rpc, 0) == EndpointHealth.State.FAILING);
      assertThat(state(rpc, 1)).isEqualTo(EndpointHealth.State.WORKING);
    } finally {
      never.countDown();
    }
  }

  @Test
  void anEndpointThatComesBackAsAnotherChainIsNotAskedAgain() {
    try (ChainRpc rpc = connect()) {
      first.rule(request ->
          Optional.of(
              isMethod(request, "eth_chainId")
                  ? Answer.result(request, "\"0x5\"")
                  : new Answer(503, Map.of("Retry-After", "1"), "starting")));
      assertThat(rpc.head().number()).isEqualTo(20);
      await(() -> {
        rpc.head();
        return state(rpc, 0) == EndpointHealth.State.WRONG_CHAIN;
      });
      assertThat(rpc.head().number()).isEqualTo(20);
    }
  }

  @Test
  void anEndpointOfAnotherChainIsAskedAgainOnceItIsCorrected() {
    RpcSettings settings = RpcSettings.of(31337, first.endpoint());
    try (HttpClient client = HttpClient.newHttpClient()) {
      RpcEndpoint endpoint = new RpcEndpoint(first.endpoint(), "the first", settings, client);
      first.rule(request ->
          isMethod(request, "eth_chainId")
              ? Optional.of(Answer.result(request, "\"0x5\""))
              : Optional.empty());
      assertThatThrownBy(endpoint::check)
          .hasMessageContaining("the first serves the chain 5, but 31337 is configured");
      assertThat(endpoint.health().state()).isEqualTo(EndpointHealth.State.WRONG_CHAIN);
      endpoint.lookAgain();
      assertThat(endpoint.isOfAnotherChain()).isTrue();
      first.rule(request -> Optional.empty());
      endpoint.lookAgain();
      assertThat(endpoint.health().state()).isEqualTo(EndpointHealth.State.WORKING);
      assertThat(endpoint.health().trouble()).isEmpty();
      assertThat(endpoint.health().answers()).isEqualTo(3);
      assertThat(endpoint.health().answering()).isPositive();
    }
  }

  @Test
  void requestsThatBelongTogetherGoToOneEndpointAndFailWithIt() {
    try (ChainRpc rpc = connect()) {
      assertThatThrownBy(() ->
              rpc.atOneEndpoint(() -> {
                rpc.head();
                first.rule(request -> Optional.of(new Answer(502, Map.of(), "gone")));
                return rpc.head();
              }))
          .hasMessageContaining("HTTP status 502");
      assertThat(second.methods()).doesNotContain("eth_getBlockByNumber");
      assertThat(rpc.<Long>atOneEndpoint(() -> rpc.head().number())).isEqualTo(20);
    }
  }

  @Test
  void aClientWithoutATipsSuggestionIsAskedForItsPrice() {
    try (ChainRpc rpc = connect()) {
      FeeQuote suggested = rpc.fees();
      first.rule(request ->
          isMethod(request, "eth_maxPriorityFeePerGas")
              ? Optional.of(Answer.error(request, -32601, "method not found"))
              : Optional.empty());
      FeeQuote priced = rpc.fees();
      assertThat(priced.baseFeeWei()).isEqualTo(suggested.baseFeeWei());
      assertThat(priced.priorityFeeWei()).isNotNegative();
    }
  }

  @Test
  void newBlocksAreHeardOverAWebSocketWhichConnectsAgain() throws Exception {
    DevChain own = TestChain.startOwn();
    int port = own.endpoint().getPort();
    Semaphore heads = new Semaphore(0);
    try (NewHeads listening =
        NewHeads.start(31337, List.of(URI.create("ws://127.0.0.1:" + port)), heads::release)) {
      // Once when it is connected, so that nothing from before is missed, and once for each block.
      assertThat(heads.tryAcquire(120, TimeUnit.SECONDS)).isTrue();
      TestChain.mine(own, 1);
      assertThat(heads.tryAcquire(120, TimeUnit.SECONDS)).isTrue();
      own.close();
      await(() -> !listening.isConnected());
      own = TestChain.start(port, 31337);
      assertThat(heads.tryAcquire(120, TimeUnit.SECONDS)).isTrue();
      assertThat(listening.isConnected()).isTrue();
      TestChain.mine(own, 1);
      assertThat(heads.tryAcquire(120, TimeUnit.SECONDS)).isTrue();
    } finally {
      own.close();
    }
  }

  @Test
  void newBlocksAreHeardFromTheNextWebSocketWhereTheFirstGoesAway() throws Exception {
    DevChain preferred = TestChain.startOwn();
    Semaphore heads = new Semaphore(0);
    try (DevChain other = TestChain.startOwn();
        NewHeads listening =
            NewHeads.start(
                31337,
                List.of(
                    URI.create("ws://127.0.0.1:" + preferred.endpoint().getPort()),
                    URI.create("ws://127.0.0.1:" + other.endpoint().getPort())),
                heads::release)) {
      assertThat(heads.tryAcquire(120, TimeUnit.SECONDS)).isTrue();
      TestChain.mine(preferred, 1);
      assertThat(heads.tryAcquire(120, TimeUnit.SECONDS)).isTrue();
      assertThat(listening.heads()).isEqualTo(1);
      preferred.close();
      // Once when it is connected to the other, and once for the block that only the other has.
      assertThat(heads.tryAcquire(120, TimeUnit.SECONDS)).isTrue();
      TestChain.mine(other, 1);
      assertThat(heads.tryAcquire(120, TimeUnit.SECONDS)).isTrue();
      assertThat(listening.heads()).isEqualTo(2);
      assertThat(listening.trouble()).isEmpty();
    } finally {
      preferred.close();
    }
  }
}
