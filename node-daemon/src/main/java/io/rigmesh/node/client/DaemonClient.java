package io.rigmesh.node.client;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.worker.task.Folders;
import io.rigmesh.worker.task.InvalidJobException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/// The daemon's REST interface, from the command line's side. With the JDK's own HTTP client, so
/// that a command starts fast.
public final class DaemonClient {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Duration CONNECT_MAX = Duration.ofSeconds(5);
  private static final Duration ANSWER_MAX = Duration.ofSeconds(60);
  private static final int RECONNECTS_MAX = 30;

  private final HttpClient http;
  private final URI base;
  private final String token;

  private DaemonClient(URI base, String token) {
    this.base = base;
    this.token = token;
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_MAX)
            .build();
  }

  /// A client of the daemon with these settings.
  ///
  /// @throws ClientException if it has no token yet
  public static DaemonClient of(NodeConfig config) {
    Path file = config.rest().tokenFile();
    String host = config.rest().host();
    // A daemon that listens everywhere is reached on this machine.
    String reached = host.equals("0.0.0.0") || host.equals("::") ? "127.0.0.1" : host;
    String named = reached.contains(":") ? "[" + reached + "]" : reached;
    try {
      return new DaemonClient(
          URI.create("http://" + named + ":" + config.rest().port()),
          Files.readString(file).strip());
    } catch (IOException e) {
      throw ClientException.retry(
          "no daemon has run in "
              + config.home()
              + " yet (there is no token "
              + file
              + "); start it with 'rigmesh up'",
          e);
    }
  }

  /// A client of the daemon at an address.
  ///
  /// @throws ClientException if the token cannot be read
  public static DaemonClient of(URI base, Path tokenFile) {
    try {
      return new DaemonClient(base, Files.readString(tokenFile).strip());
    } catch (IOException e) {
      throw ClientException.retry("cannot read the token " + tokenFile + ": " + e.getMessage(), e);
    }
  }

  /// Whether the daemon answers.
  public boolean isLive() {
    return says200("/health/live");
  }

  /// Whether the daemon says that it can take new work.
  public boolean isReady() {
    return says200("/health/ready");
  }

  private boolean says200(String path) {
    try {
      return exchange(request(path).GET(), BodyHandlers.discarding()).statusCode() == 200;
    } catch (ClientException e) {
      return false;
    }
  }

  /// Takes the events of a job.
  @FunctionalInterface
  public interface EventSink {
    /// @param type such as `progress`
    /// @param event the whole event: `{"sequence", "at", "type", "data"}`
    void event(String type, JsonNode event);
  }

  /// The JSON at a path.
  public JsonNode get(String path) {
    return json(send(request(path).GET(), BodyHandlers.ofByteArray()));
  }

  /// What is at a path, or nothing if there is no such thing.
  public Optional<JsonNode> find(String path) {
    HttpResponse<byte[]> response = exchange(request(path).GET(), BodyHandlers.ofByteArray());
    return response.statusCode() == 404 ? Optional.empty() : Optional.of(json(checked(response)));
  }

  /// The bytes at a path.
  public byte[] bytes(String path) {
    return send(request(path).GET(), BodyHandlers.ofByteArray()).body();
  }

  /// Posts JSON and gives the JSON that comes back.
  public JsonNode post(String path, JsonNode body) {
    return json(
        send(
            request(path)
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body.toString())),
            BodyHandlers.ofByteArray()));
  }

  /// Posts nothing and gives the JSON that comes back.
  public JsonNode post(String path) {
    return json(send(request(path).POST(BodyPublishers.noBody()), BodyHandlers.ofByteArray()));
  }

  /// Deletes what is at a path and gives the JSON that comes back.
  public JsonNode delete(String path) {
    return json(send(request(path).DELETE(), BodyHandlers.ofByteArray()));
  }

  /// Downloads a path to a new file.
  public void download(String path, Path file) {
    try {
      Path folder = file.toAbsolutePath().getParent();
      if (folder != null) {
        Files.createDirectories(folder);
      }
      HttpResponse<InputStream> response =
          exchange(request(path).GET(), BodyHandlers.ofInputStream());
      try (InputStream in = response.body()) {
        if (response.statusCode() != 200) {
          throw failure(response.statusCode(), in.readAllBytes());
        }
        Files.copy(in, file);
      }
    } catch (IOException e) {
      throw ClientException.retry("cannot download to " + file + ": " + e.getMessage(), e);
    }
  }

  /// Gives the daemon a file's bytes, unless it has them.
  ///
  /// @return their root
  public Hash upload(Path file) {
    Hash root;
    try (InputStream in = Files.newInputStream(file)) {
      root = BlobRoot.of(in);
    } catch (IOException e) {
      throw ClientException.hopeless("cannot read " + file + ": " + e.getMessage(), e);
    }
    upload(root, file);
    return root;
  }

  private void upload(Hash root, Path file) {
    String path = "/v1/blobs/" + root.hex();
    HttpRequest.Builder head =
        request(path).method("HEAD", BodyPublishers.noBody()).timeout(ANSWER_MAX);
    if (exchange(head, BodyHandlers.discarding()).statusCode() == 200) {
      return;
    }
    try {
      BodyPublisher body = BodyPublishers.ofFile(file);
      // An upload may take as long as it moves; the daemon ends one that stands still.
      send(request(path).timeout(Duration.ofHours(12)).PUT(body), BodyHandlers.ofByteArray());
    } catch (IOException e) {
      throw ClientException.hopeless("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /// Gives the daemon a folder's files and its manifest.
  ///
  /// @return its root
  public Hash uploadFolder(Path folder) {
    FolderManifest manifest;
    try {
      manifest = Folders.manifest(folder);
    } catch (InvalidJobException | UncheckedIOException e) {
      throw ClientException.hopeless(String.valueOf(e.getMessage()), e);
    }
    ObjectNode body = MAPPER.createObjectNode();
    var files = body.putArray("files");
    manifest
        .files()
        .forEach(f ->
            files
                .addObject()
                .put("path", f.path())
                .put("size", f.sizeBytes())
                .put("root", f.root().hex()));
    JsonNode answer = post("/v1/folders", body);
    for (JsonNode missing : answer.path("missing")) {
      Hash root = Hash.fromHex(missing.asText());
      manifest.files().stream()
          .filter(f -> f.root().equals(root))
          .findFirst()
          .ifPresent(f -> upload(root, folder.resolve(f.path())));
    }
    return manifest.root();
  }

  /// Follows a job's events to its end, over lost connections.
  public void follow(String id, EventSink sink) {
    long last = 0;
    int lost = 0;
    while (true) {
      try {
        HttpResponse<InputStream> response =
            exchange(
                HttpRequest.newBuilder(base.resolve("/v1/jobs/" + id + "/events"))
                    .header("Authorization", "Bearer " + token)
                    .header("Accept", "text/event-stream")
                    .header("Last-Event-ID", Long.toString(last)),
                BodyHandlers.ofInputStream());
        try (InputStream in = response.body()) {
          if (response.statusCode() != 200) {
            throw failure(response.statusCode(), in.readAllBytes());
          }
          lost = 0;
          EventReader reader =
              new EventReader(
                  new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8)));
          for (EventReader.Event e = reader.next(); e != null; e = reader.next()) {
            if (e.type().equals("end")) {
              return;
            }
            last = e.id();
            sink.event(e.type(), MAPPER.readTree(e.data()));
          }
        }
      } catch (IOException | ClientException e) {
        if (e instanceof ClientException client && !client.laterMayHelp()) {
          throw client;
        }
        if (++lost > RECONNECTS_MAX) {
          throw ClientException.retry(
              "the daemon does not answer any more; the job goes on when it is up again", e);
        }
        pause();
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(Duration.ofSeconds(1));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ClientException.retry("interrupted", e);
    }
  }

  /// A path's parts, each escaped.
  public static String escaped(String path) {
    return Arrays.stream(path.split("/", -1))
        .map(part -> URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20"))
        .collect(Collectors.joining("/"));
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(base.resolve(path))
        .timeout(ANSWER_MAX)
        .header("Authorization", "Bearer " + token);
  }

  private HttpResponse<byte[]> send(HttpRequest.Builder request, BodyHandler<byte[]> handler) {
    return checked(exchange(request, handler));
  }

  private static HttpResponse<byte[]> checked(HttpResponse<byte[]> response) {
    if (response.statusCode() >= 400) {
      throw failure(response.statusCode(), response.body());
    }
    return response;
  }

  private <T> HttpResponse<T> exchange(HttpRequest.Builder request, BodyHandler<T> handler) {
    try {
      return http.send(request.build(), handler);
    } catch (ConnectException e) {
      throw ClientException.retry(
          "no daemon answers at " + base + "; start it with 'rigmesh up'", e);
    } catch (IOException e) {
      throw ClientException.retry("the daemon at " + base + " broke off: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw ClientException.retry("interrupted", e);
    }
  }

  private static JsonNode json(HttpResponse<byte[]> response) {
    try {
      return MAPPER.readTree(response.body());
    } catch (IOException e) {
      throw ClientException.retry("the daemon's answer is not JSON: " + e.getMessage(), e);
    }
  }

  private static ClientException failure(int status, byte[] body) {
    String message = "the daemon answered " + status;
    try {
      JsonNode error = MAPPER.readTree(body).path("error");
      if (error.hasNonNull("message")) {
        message =
            error.path("message").asText()
                + " ("
                + error.path("code").asText()
                + ", request "
                + error.path("requestId").asText()
                + ")";
      }
    } catch (IOException _) {
      // Something that is not this daemon answered; its status is all there is to say.
    }
    boolean later = status >= 500 || status == 429 || status == 408;
    return later ? ClientException.retry(message) : ClientException.hopeless(message);
  }
}
