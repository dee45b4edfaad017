package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rigmesh.node.metrics.NodeMetrics;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/// A real server on a free port, over a [MemoryNode], and a real client of it.
final class TestServer implements AutoCloseable {
  static final ObjectMapper MAPPER = new ObjectMapper();
  static final String TOKEN = "0123456789abcdef0123456789abcdef";

  final MemoryNode node;
  final RestServer server;
  private final NodeMetrics metrics;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  static TestServer start(Path home) {
    return start(home, Map.of(), new RestServer.Limits(Duration.ofMillis(50), 1e6, 1e6));
  }

  static TestServer start(Path home, Map<String, String> settings, RestServer.Limits limits) {
    return new TestServer(home, settings, limits);
  }

  private TestServer(Path home, Map<String, String> settings, RestServer.Limits limits) {
    Map<String, String> all = new HashMap<>(Map.of("rest.port", "0"));
    all.putAll(settings);
    node = new MemoryNode(home, all);
    metrics = new NodeMetrics(node, "0.1.0");
    server = new RestServer(node.config().rest(), node, metrics, BearerToken.of(TOKEN), limits);
    server.start();
  }

  URI uri(String path) {
    return URI.create("http://127.0.0.1:" + server.port() + path);
  }

  HttpRequest.Builder anonymous(String path) {
    return HttpRequest.newBuilder(uri(path)).timeout(Duration.ofMinutes(2));
  }

  HttpRequest.Builder request(String path) {
    return anonymous(path).header("Authorization", "Bearer " + TOKEN);
  }

  HttpResponse<byte[]> send(HttpRequest.Builder request) throws IOException, InterruptedException {
    return http.send(request.build(), BodyHandlers.ofByteArray());
  }

  HttpClient http() {
    return http;
  }

  HttpResponse<byte[]> get(String path) throws IOException, InterruptedException {
    return send(request(path).GET());
  }

  HttpResponse<byte[]> post(String path, String json) throws IOException, InterruptedException {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(json)));
  }

  HttpResponse<byte[]> put(String path, byte[] bytes) throws IOException, InterruptedException {
    BodyPublisher body = BodyPublishers.ofByteArray(bytes);
    return send(request(path).PUT(body));
  }

  static JsonNode json(HttpResponse<byte[]> response) throws IOException {
    return MAPPER.readTree(response.body());
  }

  static JsonNode error(HttpResponse<byte[]> response) throws IOException {
    return json(response).path("error");
  }

  /// Stops the server and does not wait: its threads take two seconds to be sure that nobody wants
  /// them any more, and each test would.
  @Override
  public void close() {
    Thread.ofPlatform().name("stopping").daemon().start(server::stop);
    metrics.close();
    // Not close(), which waits for streams that a test left open.
    http.shutdownNow();
  }
}
