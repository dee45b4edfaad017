package io.rigmesh.ledger.chain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.rigmesh.ledger.ChainMismatchException;
import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.TestChain;
import io.rigmesh.protocol.AccountKey;
import java.io.IOException;
import java.math.BigInteger;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Endpoints that fail in every way that endpoints do, beside one that works.
class ChainRpcIT {
  private static DevChain chain;

  @BeforeAll
  static void start() {
    chain = TestChain.start();
  }

  @AfterAll
  static void stop() {
    chain.close();
  }

  private static RpcSettings settings(URI... endpoints) {
    return new RpcSettings(
        31337, List.of(endpoints), Duration.ofSeconds(30), Duration.ofSeconds(60));
  }

  /// A server that gives every request the same answer.
  private static HttpServer answering(int status, String body, AtomicInteger asked)
      throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          asked.incrementAndGet();
          byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(status, bytes.length);
          exchange.getResponseBody().write(bytes);
          exchange.close();
        });
    server.start();
    return server;
  }

  private static URI uri(HttpServer server) {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  private static URI nobody() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return URI.create("http://127.0.0.1:" + socket.getLocalPort());
    }
  }

  @Test
  void theHeadIsReadWithItsAge() {
    try (ChainRpc rpc = ChainRpc.connect(settings(chain.endpoint()))) {
      TestChain.mine(chain, 2);
      ChainHead head = rpc.head();
      assertThat(head.number()).isGreaterThanOrEqualTo(2);
      assertThat(rpc.block(head.number())).contains(head);
      assertThat(rpc.block(head.number() - 1).orElseThrow().hash()).isEqualTo(head.parent());
      assertThat(rpc.block(head.number() + 1_000)).isEmpty();
      assertThat(rpc.genesisHash()).isEqualTo(rpc.block(0).orElseThrow().hash());
      assertThat(head.age(head.timestamp().plusSeconds(7))).isEqualTo(Duration.ofSeconds(7));
      assertThat(head.age(Instant.EPOCH)).isZero();
    }
  }

  @Test
  void theNextEndpointAnswersWhereTheFirstIsGoneOrFails() throws IOException {
    AtomicInteger asked = new AtomicInteger();
    HttpServer overloaded = answering(503, "too busy", asked);
    try (ChainRpc rpc = ChainRpc.connect(settings(nobody(), uri(overloaded), chain.endpoint()))) {
      for (int i = 0; i < 20; i++) {
        assertThat(rpc.head().number()).isNotNegative();
      }
      // One that failed is left alone for a while.
      assertThat(asked).hasValueLessThan(3);
    } finally {
      overloaded.stop(0);
    }
  }

  @Test
  void anEndpointThatDiesLaterIsPassedOver() throws Exception {
    AccountKey key = AccountKey.generate();
    DevChain second = TestChain.startOwn();
    try (ChainRpc rpc = ChainRpc.connect(settings(second.endpoint(), chain.endpoint()))) {
      second.setBalance(key.address(), BigInteger.ONE);
      chain.setBalance(key.address(), BigInteger.TWO);
      assertThat(rpc.balanceWei(key.address())).isEqualTo(1);
      second.close();
      assertThat(rpc.balanceWei(key.address())).isEqualTo(2);
    }
  }

  @Test
  void noEndpointAtAllIsOneSentenceWithARemedy() throws IOException {
    URI first = nobody();
    assertThatThrownBy(() -> ChainRpc.connect(settings(first)))
        .isInstanceOf(ChainUnavailableException.class)
        .hasMessageContaining(first.toString())
        .hasMessageContaining("check the node's RPC endpoints");
  }

  @Test
  void anEndpointOfAnotherChainIsRefusedEvenAsASubstitute() throws IOException {
    DevChain other = TestChain.start(0, 5);
    try (other) {
      assertThatThrownBy(() -> ChainRpc.connect(settings(chain.endpoint(), other.endpoint())))
          .isInstanceOf(ChainMismatchException.class)
          .hasMessageContaining("serves the chain 5, but 31337 is configured");
    }
  }

  @Test
  void answersThatAreNoChainsAreRefused() throws IOException {
    AtomicInteger asked = new AtomicInteger();
    for (String body :
        List.of("", "<html>", "{}", "{\"result\":\"0xzz\"}", "{\"result\":\"0x\"}", "[]", "7")) {
      HttpServer server = answering(200, body, asked);
      try {
        assertThatThrownBy(() -> ChainRpc.connect(settings(uri(server))))
            .as(body)
            .isInstanceOf(ChainUnavailableException.class);
      } finally {
        server.stop(0);
      }
    }
  }

  @Test
  void anAnswerWithoutEndIsCutOff() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          byte[] block = new byte[1 << 20];
          try (exchange) {
            for (int i = 0; i < 64; i++) {
              exchange.getResponseBody().write(block);
            }
          }
        });
    server.start();
    try {
      assertThatThrownBy(() -> ChainRpc.connect(settings(uri(server))))
          .isInstanceOf(ChainUnavailableException.class)
          .hasMessageContaining("above " + RpcEndpoint.RESPONSE_BYTES_MAX + " bytes");
    } finally {
      server.stop(0);
    }
  }

  /// The time limit of the client itself ends with the headers.
  @Test
  void anAnswerThatStopsInTheMiddleIsGivenUp() throws IOException {
    CountDownLatch over = new CountDownLatch(1);
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(200, 1_000);
          exchange.getResponseBody().write("{\"jsonrpc\":".getBytes(StandardCharsets.UTF_8));
          exchange.getResponseBody().flush();
          try {
            over.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          exchange.close();
        });
    server.start();
    try {
      assertThatThrownBy(() ->
              ChainRpc.connect(
                  new RpcSettings(
                      31337, List.of(uri(server)), Duration.ofSeconds(30), Duration.ofSeconds(4))))
          .isInstanceOf(ChainUnavailableException.class)
          .hasMessageContaining("its answer began and did not end within 4000 ms");
    } finally {
      over.countDown();
      server.stop(0);
    }
  }

  @Test
  void endpointsMustSpeakHttpAndThereMustBeOne() {
    assertThatThrownBy(() -> settings())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("at least one");
    assertThatThrownBy(() -> settings(URI.create("ws://127.0.0.1:1")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("neither http nor https");
  }
}
