package io.rigmesh.node.market;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.Hash;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// A daemon as a process of its own, over a home that outlives it.
final class NodeProcess implements AutoCloseable {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  static final Duration PATIENCE = Duration.ofMinutes(8);

  /// The states of a job that goes well, in their order.
  private static final List<String> WAY =
      List.of("draft", "signed", "matched", "funded", "running", "completed", "settled");

  private static final List<String> ENDS =
      List.of("settled", "refused", "cancelled", "expired", "failed");

  private final Path home;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private Optional<Address> account = Optional.empty();
  private Process process;
  private int port;

  NodeProcess(Path home, String yaml) throws Exception {
    this.home = home;
    Files.createDirectories(home);
    Files.writeString(home.resolve("rigmesh.yaml"), yaml);
    start();
  }

  /// Starts it, again after a kill on the same port.
  final void start() throws Exception {
    Process started =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx256m",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-cp",
                    System.getProperty("java.class.path"),
                    NodeMain.class.getName(),
                    home.toString()))
            .redirectErrorStream(true)
            .start();
    // Also where a test breaks off before it could close this.
    Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly));
    CompletableFuture<Integer> listening = new CompletableFuture<>();
    Thread.ofVirtual()
        .start(() -> {
          try (BufferedReader lines = started.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
              System.out.println(home.getFileName() + ": " + line);
              if (line.startsWith("port ")) {
                listening.complete(Integer.parseInt(line.substring(5)));
              }
            }
          } catch (IOException e) {
            System.out.println(home.getFileName() + " is gone: " + e.getMessage());
          }
          listening.completeExceptionally(new IllegalStateException("it ended"));
        });
    process = started;
    port = listening.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
    // A restarted node keeps its addresses.
    String address = get("/v1/network").get("listening").get(0).asText();
    Path file = home.resolve("rigmesh.yaml");
    Files.writeString(
        file,
        Files.readString(file)
            .replace("port: 0", "port: " + port)
            .replace("/ip4/127.0.0.1/tcp/0", address));
  }

  /// Changes its settings for the next start.
  void configure(UnaryOperator<String> change) throws IOException {
    Path file = home.resolve("rigmesh.yaml");
    Files.writeString(file, change.apply(Files.readString(file)));
  }

  /// Where peers reach it, with its peer id.
  String multiaddr() {
    JsonNode network = get("/v1/network");
    return network.get("listening").get(0).asText() + "/p2p/" + peer();
  }

  /// Its account, which is known from then on while it is down, too.
  Address account() {
    if (account.isEmpty()) {
      account = Optional.of(Address.fromHex(get("/v1/node").get("account").asText()));
    }
    return account.get();
  }

  /// Its peer id.
  String peer() {
    return get("/v1/node").get("peer").asText();
  }

  /// Waits until it knows so many live offers.
  JsonNode awaitOffers(int count) throws InterruptedException {
    return awaitOffers(offers -> offers.size() == count, count + " offers");
  }

  private JsonNode awaitOffers(Predicate<JsonNode> wanted, String what)
      throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < end) {
      JsonNode offers = get("/v1/offers").get("offers");
      if (wanted.test(offers)) {
        return offers;
      }
      Thread.sleep(50);
    }
    throw new AssertionError(
        home.getFileName() + ": waited for " + what + ", has " + get("/v1/offers"));
  }

  /// Ends it as a power cut would.
  void kill() throws InterruptedException {
    process.destroyForcibly();
    process.waitFor();
  }

  /// Stops it as its owner would.
  void stop() throws InterruptedException {
    process.destroy();
    if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
      throw new AssertionError(home.getFileName() + " does not stop");
    }
  }

  /// Its children, which are its workers.
  List<ProcessHandle> workers() {
    try (Stream<ProcessHandle> children = process.children()) {
      return children.toList();
    }
  }

  String url() {
    return "http://127.0.0.1:" + port;
  }

  Path tokenFile() {
    return home.resolve("rest-token");
  }

  Path home() {
    return home;
  }

  JsonNode get(String path) {
    return read(bytes(path));
  }

  /// What a node answers, which may ask to be asked again when its machine is busy.
  byte[] bytes(String path) {
    long end = System.nanoTime() + PATIENCE.toNanos();
    HttpResponse<byte[]> response = send("GET", path, BodyPublishers.noBody(), 0);
    while (response.statusCode() == 503 && System.nanoTime() < end) {
      response = send("GET", path, BodyPublishers.noBody(), 0);
    }
    if (response.statusCode() != 200) {
      throw new AssertionError(
          "GET " + path + ": " + response.statusCode() + " " + new String(response.body()));
    }
    return response.body();
  }

  Hash upload(byte[] bytes) {
    Hash root = BlobRoot.of(bytes);
    int status =
        send("PUT", "/v1/blobs/" + root.hex(), BodyPublishers.ofByteArray(bytes), 0).statusCode();
    if (status != 200 && status != 201) {
      throw new AssertionError("uploading " + root + ": " + status);
    }
    return root;
  }

  /// Gets a folder that another node has, as a person would who uploads it.
  void copyFolder(NodeProcess from, String root) {
    JsonNode files = from.get("/v1/folders/" + root).get("files");
    for (JsonNode file : files) {
      upload(from.bytes("/v1/blobs/" + file.get("root").asText()));
    }
    send("POST", "/v1/folders", BodyPublishers.ofString("{\"files\":" + files + "}"), 200);
  }

  /// Hands a draft in and says its id. A node that was begun again has to hear of offers before it
  /// can say what a job may cost.
  String submit(ObjectNode draft) throws InterruptedException {
    if (!draft.has("priceMax")) {
      awaitOffers(offers -> offers.size() > 0, "an offer");
    }
    return read(send("POST", "/v1/jobs", BodyPublishers.ofString(draft.toString()), 201).body())
        .get("id")
        .asText();
  }

  HttpResponse<byte[]> post(String body) {
    return send("POST", "/v1/jobs", BodyPublishers.ofString(body), 0);
  }

  void cancel(String id) {
    send("DELETE", "/v1/jobs/" + id, BodyPublishers.noBody(), 202);
  }

  JsonNode job(String id) {
    return get("/v1/jobs/" + id);
  }

  boolean knows(String id) {
    return send("GET", "/v1/jobs/" + id, BodyPublishers.noBody(), 0).statusCode() == 200;
  }

  /// Waits until a job is as wanted.
  JsonNode await(String id, String what, Predicate<JsonNode> wanted) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    JsonNode last = MAPPER.createObjectNode();
    while (System.nanoTime() < end) {
      if (knows(id)) {
        last = job(id);
        if (wanted.test(last)) {
          return last;
        }
        boolean over = ENDS.contains(last.path("state").asText());
        if (over) {
          throw new AssertionError(
              home.getFileName() + ": waited for " + what + ", but the job ended: " + last);
        }
      }
      Thread.sleep(20);
    }
    throw new AssertionError(home.getFileName() + ": waited for " + what + ", last " + last);
  }

  JsonNode awaitState(String id, String state) throws InterruptedException {
    return await(id, state, job -> job.path("state").asText().equals(state));
  }

  /// Waits until a job is in a state or beyond it: on a slow machine a state may have passed before
  /// it is looked at.
  JsonNode awaitReached(String id, String state) throws InterruptedException {
    int at = WAY.indexOf(state);
    return await(id, state, job -> WAY.indexOf(job.path("state").asText()) >= at);
  }

  JsonNode awaitStep(String id, long step) throws InterruptedException {
    return await(id, "step " + step, job -> job.path("progress").path("step").asLong() >= step);
  }

  /// Waits until a job is at its end, whichever that is.
  JsonNode awaitEnd(String id) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (System.nanoTime() < end) {
      if (knows(id)) {
        JsonNode job = job(id);
        if (ENDS.contains(job.get("state").asText())) {
          return job;
        }
      }
      Thread.sleep(50);
    }
    throw new AssertionError(home.getFileName() + ": the job did not end: " + job(id));
  }

  void awaitReady() throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (send("GET", "/health/ready", BodyPublishers.noBody(), 0).statusCode() != 200) {
      if (System.nanoTime() > end) {
        throw new AssertionError(home.getFileName() + " did not become ready");
      }
      Thread.sleep(100);
    }
  }

  /// Waits until it says that it is not ready, and gives its reasons.
  JsonNode awaitNotReady(Duration patience) throws InterruptedException {
    long end = System.nanoTime() + patience.toNanos();
    while (System.nanoTime() < end) {
      HttpResponse<byte[]> response = send("GET", "/health/ready", BodyPublishers.noBody(), 0);
      if (response.statusCode() == 503) {
        return read(response.body()).get("reasons");
      }
      Thread.sleep(50);
    }
    throw new AssertionError(home.getFileName() + " still calls itself ready after " + patience);
  }

  /// Sends JSON, and says what became of it.
  HttpResponse<byte[]> send(String method, String path, String body) {
    return send(method, path, BodyPublishers.ofString(body), 0);
  }

  private HttpResponse<byte[]> send(String method, String path, BodyPublisher body, int status) {
    try {
      HttpResponse<byte[]> response =
          http.send(
              HttpRequest.newBuilder(URI.create(url() + path))
                  .timeout(Duration.ofSeconds(60))
                  .header("Authorization", "Bearer " + Files.readString(tokenFile()).strip())
                  .header("Content-Type", "application/json")
                  .method(method, body)
                  .build(),
              BodyHandlers.ofByteArray());
      if (status != 0 && response.statusCode() != status) {
        throw new AssertionError(
            method + " " + path + ": " + response.statusCode() + " " + new String(response.body()));
      }
      return response;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static JsonNode read(byte[] body) {
    try {
      return MAPPER.readTree(body);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(60, TimeUnit.SECONDS)) {
        // Gone before its folder is.
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
    http.shutdownNow();
  }
}
