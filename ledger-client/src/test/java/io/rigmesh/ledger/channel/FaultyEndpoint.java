package io.rigmesh.ledger.channel;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;

/// An endpoint in front of a real chain that fails as endpoints do, by a seed: errors, requests
/// that never arrive, answers that never come back, delays, and requests that arrive twice.
final class FaultyEndpoint implements AutoCloseable {
  /// What may happen to a request.
  enum Fault {
    /// Nothing: the chain's answer.
    NONE,
    /// HTTP 503.
    UNAVAILABLE,
    /// A JSON-RPC error in place of an answer.
    ERROR,
    /// The connection ends before the chain has heard of it.
    REQUEST_DROPPED,
    /// The chain has done it, and the connection ends without an answer.
    ANSWER_DROPPED,
    /// The answer comes late.
    DELAYED,
    /// The chain gets it twice.
    TWICE
  }

  private static final Fault[] FAULTS = Fault.values();

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final URI chain;
  private final Random random;
  private final Map<Fault, Integer> done = new EnumMap<>(Fault.class);
  private int permille;

  FaultyEndpoint(URI chain, long seed) {
    this.chain = chain;
    this.random = new Random(seed);
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
  }

  URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /// How many of a thousand requests fail from now on.
  synchronized void setFaults(int permille) {
    this.permille = permille;
  }

  /// What happened how often.
  synchronized Map<Fault, Integer> done() {
    return new EnumMap<>(done);
  }

  private synchronized Fault next() {
    Fault fault =
        random.nextInt(1_000) < permille
            ? FAULTS[1 + random.nextInt(FAULTS.length - 1)]
            : Fault.NONE;
    done.merge(fault, 1, Integer::sum);
    return fault;
  }

  private void answer(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    switch (next()) {
      case NONE -> reply(exchange, 200, pass(body));
      case UNAVAILABLE -> reply(exchange, 503, new byte[0]);
      case ERROR ->
          reply(
              exchange,
              200,
              "{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":-32603,\"message\":\"internal error\"}}"
                  .getBytes(StandardCharsets.UTF_8));
      case REQUEST_DROPPED -> exchange.close();
      case ANSWER_DROPPED -> {
        pass(body);
        exchange.close();
      }
      case DELAYED -> {
        byte[] answer = pass(body);
        LockSupport.parkNanos(100_000_000L);
        reply(exchange, 200, answer);
      }
      case TWICE -> {
        byte[] first = pass(body);
        pass(body);
        reply(exchange, 200, first);
      }
    }
  }

  private static void reply(HttpExchange exchange, int status, byte[] body) throws IOException {
    try (exchange) {
      exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
      exchange.getResponseBody().write(body);
    }
  }

  private byte[] pass(byte[] body) throws IOException {
    try {
      return client
          .send(
              HttpRequest.newBuilder(chain)
                  .header("Content-Type", "application/json")
                  .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                  .build(),
              HttpResponse.BodyHandlers.ofByteArray())
          .body();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
    client.shutdownNow();
  }
}
