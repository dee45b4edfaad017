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
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.LockSupport;

/// The two endpoints of a party in front of a real chain, which fail as endpoints do, by a seed:
/// errors, requests that never arrive, answers that never come back or come when nobody waits for
/// them any more, requests that arrive twice, and times in which one of the two is away, or both.
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
    /// The answer comes late, and is waited for, or another endpoint is asked.
    DELAYED,
    /// The answer comes after the party's timeout.
    TIMED_OUT,
    /// The chain gets it twice.
    TWICE,
    /// The endpoint is away, and stays away for some requests.
    AWAY
  }

  private static final Fault[] FAULTS = Fault.values();
  private static final int ENDPOINTS = 2;

  private final List<HttpServer> servers = new ArrayList<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final URI chain;
  private final Random random;
  private final Map<Fault, Integer> done = new EnumMap<>(Fault.class);
  private final long timeoutNanos;
  private final int[] away = new int[ENDPOINTS];
  private int permille;

  /// Two endpoints in front of a chain.
  ///
  /// @param timeout how long the party waits for an answer
  FaultyEndpoint(URI chain, long seed, Duration timeout) {
    this.chain = chain;
    this.random = new Random(seed);
    this.timeoutNanos = timeout.toNanos();
    try {
      for (int i = 0; i < ENDPOINTS; i++) {
        HttpServer server =
            HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        int number = i;
        server.setExecutor(threads);
        server.createContext("/", exchange -> answer(exchange, number));
        server.start();
        servers.add(server);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  List<URI> endpoints() {
    return servers.stream()
        .map(server -> URI.create("http://127.0.0.1:" + server.getAddress().getPort()))
        .toList();
  }

  /// How many of a thousand requests fail from now on.
  synchronized void setFaults(int permille) {
    this.permille = permille;
    if (permille == 0) {
      Arrays.fill(away, 0);
    }
  }

  /// What happened how often.
  synchronized Map<Fault, Integer> done() {
    return new EnumMap<>(done);
  }

  private synchronized Fault next(int endpoint) {
    if (away[endpoint] > 0) {
      away[endpoint]--;
      done.merge(Fault.AWAY, 1, Integer::sum);
      return Fault.AWAY;
    }
    Fault fault =
        random.nextInt(1_000) < permille
            ? FAULTS[1 + random.nextInt(FAULTS.length - 1)]
            : Fault.NONE;
    if (fault == Fault.TIMED_OUT && random.nextBoolean()) {
      // Half as many as others, since the party waits for each.
      fault = Fault.DELAYED;
    }
    if (fault == Fault.AWAY) {
      // Every second time the other one too, and there is no chain.
      int requests = 1 + random.nextInt(12);
      away[endpoint] = requests;
      if (random.nextBoolean()) {
        away[1 - endpoint] = requests;
      }
    }
    done.merge(fault, 1, Integer::sum);
    return fault;
  }

  private void answer(HttpExchange exchange, int endpoint) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    switch (next(endpoint)) {
      case NONE -> reply(exchange, 200, pass(body));
      case UNAVAILABLE -> reply(exchange, 503, new byte[0]);
      case ERROR ->
          reply(
              exchange,
              200,
              "{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":-32603,\"message\":\"internal error\"}}"
                  .getBytes(StandardCharsets.UTF_8));
      case REQUEST_DROPPED, AWAY -> exchange.close();
      case ANSWER_DROPPED -> {
        pass(body);
        exchange.close();
      }
      case DELAYED -> {
        byte[] answer = pass(body);
        LockSupport.parkNanos(timeoutNanos / 3);
        reply(exchange, 200, answer);
      }
      case TIMED_OUT -> {
        byte[] answer = pass(body);
        LockSupport.parkNanos(timeoutNanos * 3 / 2);
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
    servers.forEach(server -> server.stop(0));
    threads.shutdownNow();
    client.shutdownNow();
  }
}
