package io.rigmesh.ledger;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// A server in front of a real chain that answers some requests by itself, as public endpoints do:
/// busy, limited, behind. Everything else is the chain's answer.
public final class EndpointProxy implements AutoCloseable {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpClient client =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final URI chain;
  private final List<String> methods = new CopyOnWriteArrayList<>();
  private volatile Function<JsonNode, Optional<Answer>> rule = request -> Optional.empty();

  /// What the server says by itself.
  public record Answer(int status, Map<String, String> headers, String body) {
    /// A JSON-RPC error.
    public static Answer error(JsonNode request, int code, String message) {
      return new Answer(
          200,
          Map.of(),
          "{\"jsonrpc\":\"2.0\",\"id\":%s,\"error\":{\"code\":%d,\"message\":\"%s\"}}"
              .formatted(request.path("id"), code, message));
    }

    /// A JSON-RPC result.
    public static Answer result(JsonNode request, String json) {
      return new Answer(
          200,
          Map.of(),
          "{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":%s}".formatted(request.path("id"), json));
    }
  }

  public EndpointProxy(URI chain) {
    this.chain = chain;
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
  }

  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
  }

  /// Sets what is not passed on.
  public void rule(Function<JsonNode, Optional<Answer>> rule) {
    this.rule = rule;
  }

  /// The methods that were asked for, oldest first.
  public List<String> methods() {
    return methods;
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readAllBytes();
      JsonNode request = JSON.readTree(body);
      methods.add(request.path("method").stringValue(""));
      Answer answer = rule.apply(request).orElseGet(() -> pass(body));
      byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
      answer.headers().forEach(exchange.getResponseHeaders()::add);
      exchange.sendResponseHeaders(answer.status(), bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  private Answer pass(byte[] body) {
    try {
      HttpResponse<String> response =
          client.send(
              HttpRequest.newBuilder(chain)
                  .header("Content-Type", "application/json")
                  .POST(HttpRequest.BodyPublishers.ofByteArray(body))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      return new Answer(response.statusCode(), Map.of(), response.body());
    } catch (IOException e) {
      return new Answer(502, Map.of(), String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Answer(502, Map.of(), "interrupted");
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
    client.shutdownNow();
  }
}
