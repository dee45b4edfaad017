package io.rigmesh.node.requester;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.node.NodeJson;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.config.ConfigException;
import io.rigmesh.node.config.RequesterConfig;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.node.jobs.JsonFields;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.SignedJob;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/// A provider by its REST address. Every method blocks; every answer is bounded in size and time.
///
/// All of them throw [ProviderUnreachableException] where trying again may help, and
/// [ProviderFaultException] where the answer is not what it must be.
public final class ProviderClient implements AutoCloseable {
  private static final int JSON_BYTES_MAX = 16 << 20;
  private static final int ERROR_BYTES_MAX = 64 << 10;

  /// The evidence of a million training steps fits.
  private static final int RECEIPT_BYTES_MAX = 256 << 20;

  /// The longest that an upload or download of a blob may take.
  private static final Duration TRANSFER_MAX = Duration.ofHours(6);

  private final URI base;
  private final String token;
  private final Duration timeout;
  private final HttpClient http;

  private ProviderClient(URI base, String token, Duration timeout) {
    this.base = base;
    this.token = token;
    this.timeout = timeout;
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(5))
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
  }

  /// The provider of the settings, if they name one.
  ///
  /// @throws ConfigException if the address is none, or the token's file cannot be read
  public static Optional<ProviderClient> of(RequesterConfig config) {
    return config.providerUrl().map(url -> connect(url, config));
  }

  private static ProviderClient connect(String url, RequesterConfig config) {
    URI base;
    try {
      base = URI.create(url.endsWith("/") ? url.substring(0, url.length() - 1) : url);
    } catch (IllegalArgumentException e) {
      throw new ConfigException("requester.provider-url is no address: " + url, e);
    }
    if (!"http".equals(base.getScheme()) && !"https".equals(base.getScheme())) {
      throw new ConfigException(
          "requester.provider-url starts with http:// or https://, unlike " + url);
    }
    String token = config.providerTokenFile().map(ProviderClient::readToken).orElse("");
    return new ProviderClient(base, token, Duration.ofSeconds(config.providerTimeoutSeconds()));
  }

  private static String readToken(Path file) {
    try {
      if (Files.size(file) > 4_096) {
        throw new ConfigException("requester.provider-token-file is no token: " + file);
      }
      return Files.readString(file).strip();
    } catch (IOException e) {
      throw new ConfigException(
          "requester.provider-token-file cannot be read: " + file + ": " + e.getMessage(), e);
    }
  }

  /// What became of a signed job.
  public sealed interface Posted {
    /// The provider has taken it, now or before.
    record Taken() implements Posted {}

    /// It has not.
    ///
    /// @param refusal why
    record Refused(Refusal refusal) implements Posted {}
  }

  /// Who the provider is.
  public NodeJson.Remote node() {
    return NodeJson.readRemote(json(get("/v1/node"), "its node"));
  }

  /// Hands in a signed job.
  public Posted post(SignedJob signed) {
    byte[] body = ProtocolJson.write(signed).toString().getBytes(StandardCharsets.UTF_8);
    Answer answer =
        send(
            request("/v1/jobs").header("Content-Type", "application/json"),
            "POST",
            BodyPublishers.ofByteArray(body),
            JSON_BYTES_MAX);
    if (answer.status == 200 || answer.status == 201) {
      return new Posted.Taken();
    }
    return new Posted.Refused(
        answer.refusal().orElseThrow(() -> unexpected("handing in the job", answer)));
  }

  /// True if the provider has these bytes.
  public boolean has(Hash root) {
    Answer answer = send(request("/v1/blobs/" + root.hex()), "HEAD", BodyPublishers.noBody(), 0);
    if (answer.status == 200) {
      return true;
    }
    if (answer.status == 404) {
      return false;
    }
    throw unexpected("asking for the blob " + root, answer);
  }

  /// Hands over bytes.
  public void put(Hash root, Blobs blobs) {
    long size = blobs.sizeBytes(root).orElseThrow();
    BodyPublisher body =
        BodyPublishers.fromPublisher(
            BodyPublishers.ofInputStream(() -> blobs.open(root)), Math.max(1, size));
    Answer answer =
        send(
            request("/v1/blobs/" + root.hex())
                .timeout(TRANSFER_MAX)
                .header("Content-Type", "application/octet-stream"),
            "PUT",
            size == 0 ? BodyPublishers.noBody() : body,
            JSON_BYTES_MAX);
    if (answer.status != 200 && answer.status != 201) {
      throw unexpected("uploading the blob " + root, answer);
    }
  }

  /// Hands over a manifest, and hears which of its files are missing.
  public List<Hash> putFolder(FolderManifest manifest) {
    Answer answer =
        send(
            request("/v1/folders").header("Content-Type", "application/json"),
            "POST",
            BodyPublishers.ofString(JobJson.write(manifest).toString()),
            JSON_BYTES_MAX);
    if (answer.status != 200 && answer.status != 201) {
      throw unexpected("uploading the manifest " + manifest.root(), answer);
    }
    List<Hash> missing = new ArrayList<>();
    for (JsonNode root : new JsonFields(json(answer, "the folder"), "it").list("missing")) {
      missing.add(Hash.fromHex(root.asText()));
    }
    return missing;
  }

  /// The manifest of a folder that the provider has, whole; empty if it has not.
  public Optional<FolderManifest> folder(Hash root) {
    return manifest("/v1/folders/" + root.hex(), root);
  }

  /// The manifest of a job's output, with the root that it must have.
  public Optional<FolderManifest> artifacts(Hash job, Hash root) {
    return manifest("/v1/jobs/" + job.hex() + "/artifacts", root);
  }

  private Optional<FolderManifest> manifest(String path, Hash root) {
    Answer answer = get(path);
    if (answer.status == 404) {
      return Optional.empty();
    }
    FolderManifest manifest = JobJson.readManifest(json(answer, "the manifest " + root));
    if (!manifest.root().equals(root)) {
      throw new ProviderFaultException(
          "the provider sent the manifest " + manifest.root() + " where it should send " + root);
    }
    return Optional.of(manifest);
  }

  /// Fetches bytes into the store, checked on the way.
  public void fetch(Hash root, long sizeBytes, Blobs blobs) {
    HttpResponse<InputStream> response =
        exchange(
            request("/v1/blobs/" + root.hex()).timeout(TRANSFER_MAX).GET().build(),
            BodyHandlers.ofInputStream());
    try (InputStream in = response.body()) {
      if (response.statusCode() != 200) {
        throw unexpected(
            "fetching the blob " + root,
            new Answer(response.statusCode(), in.readNBytes(ERROR_BYTES_MAX)));
      }
      blobs.put(in, Optional.of(root), Math.max(1, sizeBytes));
    } catch (IOException e) {
      throw unreachable(e);
    }
  }

  /// A job as the provider sees it; empty if it does not know it.
  public Optional<JobJson.Remote> job(Hash id) {
    Answer answer = get("/v1/jobs/" + id.hex());
    return answer.status == 404
        ? Optional.empty()
        : Optional.of(JobJson.readRemote(json(answer, "job " + id)));
  }

  /// The `receipt.json` of a job.
  public byte[] receipt(Hash id) {
    Answer answer =
        send(
            request("/v1/jobs/" + id.hex() + "/receipt"),
            "GET",
            BodyPublishers.noBody(),
            RECEIPT_BYTES_MAX);
    if (answer.status != 200) {
      throw unexpected("fetching the receipt of job " + id, answer);
    }
    return answer.body;
  }

  /// Calls a job off. A job that is done, or that the provider does not know, is passed over.
  public void cancel(Hash id) {
    Answer answer =
        send(request("/v1/jobs/" + id.hex()), "DELETE", BodyPublishers.noBody(), JSON_BYTES_MAX);
    boolean settled = answer.status == 404 || answer.status == 409;
    if (answer.status >= 300 && !settled) {
      throw unexpected("cancelling job " + id, answer);
    }
  }

  /// Follows a job's events.
  ///
  /// @param after the last event seen before
  /// @param heard gets every event; false ends the stream
  /// @return true if the stream ended because `heard` or the provider said so, false if it broke
  public boolean events(Hash id, long after, Duration silenceMax, Predicate<JobEvent> heard) {
    HttpResponse<InputStream> response =
        exchange(
            request("/v1/jobs/" + id.hex() + "/events")
                .header("Accept", "text/event-stream")
                .header("Last-Event-ID", Long.toString(after))
                .GET()
                .build(),
            BodyHandlers.ofInputStream());
    try (InputStream in = response.body()) {
      if (response.statusCode() != 200) {
        throw unexpected(
            "following job " + id,
            new Answer(response.statusCode(), in.readNBytes(ERROR_BYTES_MAX)));
      }
      return new EventStreamReader(in, silenceMax).read(ProviderClient::event, heard);
    } catch (IOException e) {
      throw unreachable(e);
    }
  }

  /// Reads `{"sequence", "at", "type", "data"}`.
  static JobEvent event(String data) {
    JsonNode tree =
        ProtocolJson.parse(data.getBytes(StandardCharsets.UTF_8), "an event of the provider");
    JsonFields f = new JsonFields(tree, "an event of the provider");
    return new JobEvent(
        f.integer("sequence"),
        f.text("at", Instant::parse).toEpochMilli(),
        f.text("type", JobEvent.Type::of),
        f.node("data").toString());
  }

  @Override
  public void close() {
    http.shutdownNow();
    http.close();
  }

  /// A whole answer.
  private static final class Answer {
    private final int status;
    private final byte[] body;

    Answer(int status, byte[] body) {
      this.status = status;
      this.body = body;
    }

    /// The refusal that an error carries, if it carries one.
    Optional<Refusal> refusal() {
      try {
        JsonNode error = ProtocolJson.parse(body, "an error").path("error");
        return Optional.of(
            new Refusal(
                RefusalCode.of(error.path("code").asText()), error.path("message").asText()));
      } catch (MalformedException e) {
        return Optional.empty();
      }
    }

    String sentence() {
      try {
        return ProtocolJson.parse(body, "an error").path("error").path("message").asText("");
      } catch (MalformedException e) {
        return "";
      }
    }
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(base + path)).timeout(timeout);
    return token.isEmpty() ? builder : builder.header("Authorization", "Bearer " + token);
  }

  private Answer get(String path) {
    return send(request(path), "GET", BodyPublishers.noBody(), JSON_BYTES_MAX);
  }

  private Answer send(
      HttpRequest.Builder request, String method, BodyPublisher body, int bytesMax) {
    HttpResponse<InputStream> response =
        exchange(request.method(method, body).build(), BodyHandlers.ofInputStream());
    try (InputStream in = response.body()) {
      byte[] bytes = in.readNBytes(bytesMax + 1);
      if (bytes.length > bytesMax && bytesMax > 0) {
        throw new ProviderFaultException(
            "the provider answered more than " + bytesMax + " bytes; nothing of it was used");
      }
      return new Answer(response.statusCode(), bytes);
    } catch (IOException e) {
      throw unreachable(e);
    }
  }

  private <T> HttpResponse<T> exchange(HttpRequest request, HttpResponse.BodyHandler<T> handler) {
    try {
      return http.send(request, handler);
    } catch (IOException e) {
      throw unreachable(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ProviderUnreachableException("asking the provider was interrupted", e);
    }
  }

  private JsonNode json(Answer answer, String what) {
    if (answer.status != 200 && answer.status != 201) {
      throw unexpected("asking for " + what, answer);
    }
    try {
      return ProtocolJson.parse(answer.body, what);
    } catch (MalformedException e) {
      throw new ProviderFaultException("the provider's answer is malformed: " + e.sentence(), e);
    }
  }

  private RuntimeException unexpected(String doing, Answer answer) {
    String said =
        "the provider at "
            + base
            + " answered "
            + answer.status
            + " to "
            + doing
            + (answer.sentence().isEmpty() ? "" : ": " + answer.sentence());
    boolean passing = answer.status == 429 || answer.status >= 500;
    if (passing) {
      return new ProviderUnreachableException(said);
    }
    return new ProviderFaultException(
        answer.status == 401
            ? said + "; requester.provider-token-file does not fit this provider"
            : said);
  }

  private ProviderUnreachableException unreachable(IOException e) {
    String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    return new ProviderUnreachableException(
        "the provider at " + base + " cannot be reached: " + why, e);
  }
}
