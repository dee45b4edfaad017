package io.rigmesh.node.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import io.rigmesh.node.jobs.Artifacts;
import io.rigmesh.node.metrics.NodeMetrics;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import java.io.ByteArrayInputStream;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Holds the description and the server together. That the description itself is in order is
/// checked by its linter, in OpenApiLintIT.
class OpenApiIT {
  private static final String SCHEMA_BASE = "https://rigmesh.test/openapi.json";
  private static final Hash HASH = Digests.sha256(new byte[] {1});
  private static final String DRAFT =
      "{\"kind\":\"embed\",\"model\":\"%1$s\",\"input\":\"%1$s\"}".formatted(HASH);

  @TempDir Path home;
  private TestServer server;
  private JsonNode document;
  private JsonSchemaFactory schemas;

  @BeforeEach
  void start() throws Exception {
    server = TestServer.start(home);
    document = TestServer.json(server.send(server.anonymous("/openapi.json").GET()));
    schemas =
        JsonSchemaFactory.getInstance(
            SpecVersion.VersionFlag.V202012,
            builder ->
                builder.schemaLoaders(
                    loaders -> loaders.schemas(Map.of(SCHEMA_BASE, document.toString()))));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void everyRouteIsDescribedAndEveryDescriptionIsARoute() {
    Set<String> described = new TreeSet<>();
    document
        .path("paths")
        .properties()
        .forEach(path ->
            path.getValue()
                .fieldNames()
                .forEachRemaining(method -> {
                  if (!method.equals("parameters")) {
                    described.add(method.toUpperCase(java.util.Locale.ROOT) + " " + path.getKey());
                  }
                }));
    Set<String> served = new TreeSet<>();
    try (ExecutorService threads = Executors.newSingleThreadExecutor();
        NodeMetrics metrics = new NodeMetrics(server.node, "0.1.0")) {
      RestServer rest =
          new RestServer(
              server.node.config().rest(), server.node, metrics, BearerToken.of("0".repeat(32)));
      rest.routes(threads, true)
          .forEach(route -> served.add(route.method() + " " + route.template()));
    }
    assertThat(served).isEqualTo(described);
  }

  @Test
  void answersAreWhatIsDescribed() throws Exception {
    Hash job = job();
    check("post", "/v1/jobs", server.post("/v1/jobs", DRAFT), 201);
    check("get", "/v1/jobs", server.get("/v1/jobs?limit=1"), 200);
    check("get", "/v1/jobs/{id}", server.get("/v1/jobs/" + job), 200);
    check("get", "/v1/jobs/{id}/artifacts", server.get("/v1/jobs/" + job + "/artifacts"), 200);
    check("get", "/v1/node", server.get("/v1/node"), 200);
    check("get", "/v1/devices", server.get("/v1/devices"), 200);
    check("get", "/v1/wallet", server.get("/v1/wallet"), 200);
    check("get", "/v1/wallet/history", server.get("/v1/wallet/history?limit=3&before=9-1"), 200);
    check("get", "/v1/wallet/locked", server.get("/v1/wallet/locked"), 200);
    String deposit = "{\"id\":\"%s\",\"amount\":\"5\"}";
    check("post", "/v1/wallet/deposit", move("deposit", deposit.formatted("a-1")), 200);
    check("post", "/v1/wallet/deposit", move("deposit", deposit.formatted("slow")), 202);
    String account = "0x" + "ab".repeat(20);
    check(
        "post",
        "/v1/wallet/withdraw",
        move("withdraw", "{\"id\":\"a\",\"amount\":\"5\",\"to\":\"%s\"}".formatted(account)),
        200);
    check(
        "post",
        "/v1/wallet/authorise",
        move(
            "authorise",
            "{\"id\":\"a\",\"key\":\"%s\",\"limit\":\"5\",\"expiresAt\":\"2030-01-31T12:00:00Z\"}"
                .formatted(account)),
        200);
    check(
        "post",
        "/v1/wallet/revoke",
        move("revoke", "{\"id\":\"a\",\"key\":\"%s\"}".formatted(account)),
        200);
    String handover = handover(1);
    HttpResponse<byte[]> watched = server.post("/v1/watched", handover);
    check("post", "/v1/watched", watched, 200);
    String channel = TestServer.json(watched).path("id").asText();
    check("get", "/v1/watched", server.get("/v1/watched"), 200);
    HttpResponse<byte[]> voucher = server.get("/v1/channels/" + channel + "/voucher");
    check("get", "/v1/channels/{id}/voucher", voucher, 200);
    // What one node exports is what another one takes.
    assertThat(TestServer.json(voucher)).isEqualTo(TestServer.MAPPER.readTree(handover));
    check("post", "/v1/watched", server.post("/v1/watched", handover(2)), 422);
    check(
        "delete", "/v1/watched/{id}", server.send(request("/v1/watched/" + channel).DELETE()), 200);
    check(
        "delete", "/v1/watched/{id}", server.send(request("/v1/watched/" + channel).DELETE()), 404);
    check(
        "post",
        "/v1/wallet/authorise-signed",
        move(
            "authorise-signed",
            """
            {"id":"a","payer":"%s","key":"%s","limit":"5","expiresAt":"2030-01-31T12:00:00Z",
             "nonce":"0","signature":"0x%s"}
            """
                .formatted(account, account, "ab".repeat(70))),
        200);
    check("post", "/v1/wallet/stake", move("stake", deposit.formatted("a")), 200);
    check("post", "/v1/wallet/unstake", move("unstake", deposit.formatted("a")), 200);
    check("post", "/v1/wallet/withdraw-stake", move("withdraw-stake", "{\"id\":\"a\"}"), 200);
    check("post", "/v1/wallet/collect", move("collect", "{\"id\":\"a\"}"), 200);
    check(
        "post",
        "/v1/wallet/deposit",
        move("deposit", "{\"id\":\"a\",\"amount\":\"5\",\"asset\":\"ether\"}"),
        200);
    check("get", "/v1/receipts", server.get("/v1/receipts"), 200);
    check("post", "/v1/receipts/anchor", anchor("a-1"), 200);
    check("post", "/v1/receipts/anchor", anchor("slow"), 202);
    check("get", "/v1/jobs/{id}/receipt/proof", proof(job), 200);
    check("get", "/v1/chain", server.get("/v1/chain"), 200);
    check("get", "/v1/peers", server.get("/v1/peers"), 200);
    check("get", "/v1/offers", server.get("/v1/offers"), 200);
    check("get", "/v1/network", server.get("/v1/network"), 200);
    check("post", "/v1/network/check", server.post("/v1/network/check", ""), 200);
    check("get", "/health/live", server.get("/health/live"), 200);
    check("get", "/health/ready", server.get("/health/ready"), 200);
    byte[] bytes = "hello".getBytes(StandardCharsets.UTF_8);
    Hash root = BlobRoot.of(bytes);
    check("put", "/v1/blobs/{root}", server.put("/v1/blobs/" + root, bytes), 201);
    check("put", "/v1/blobs/{root}", server.put("/v1/blobs/" + root, bytes), 200);
    String manifest = "{\"files\":[{\"path\":\"a\",\"size\":5,\"root\":\"%s\"}]}".formatted(root);
    HttpResponse<byte[]> folder = server.post("/v1/folders", manifest);
    check("post", "/v1/folders", folder, 200);
    String folderRoot = TestServer.json(folder).path("root").asText();
    check("get", "/v1/folders/{root}", server.get("/v1/folders/" + folderRoot), 200);
    check("delete", "/v1/jobs/{id}", server.send(request("/v1/jobs/" + job).DELETE()), 202);
  }

  @Test
  void errorsAreWhatIsDescribed() throws Exception {
    Hash job = job();
    check("post", "/v1/jobs", server.post("/v1/jobs", "{\"kind\":\"bake\"}"), 400);
    check(
        "post",
        "/v1/jobs",
        server.send(server.anonymous("/v1/jobs").POST(HttpRequest.BodyPublishers.ofString(DRAFT))),
        401);
    check("get", "/v1/jobs", server.get("/v1/jobs?limit=-1"), 400);
    check("get", "/v1/jobs/{id}", server.get("/v1/jobs/" + HASH), 404);
    check("get", "/v1/jobs/{id}/receipt", server.get("/v1/jobs/" + job + "/receipt"), 404);
    check("get", "/v1/blobs/{root}", server.get("/v1/blobs/" + HASH), 404);
    check("get", "/v1/folders/{root}", server.get("/v1/folders/" + HASH), 404);
    server.send(request("/v1/jobs/" + job).DELETE());
    check("delete", "/v1/jobs/{id}", server.send(request("/v1/jobs/" + job).DELETE()), 409);
    check("get", "/v1/wallet/history", server.get("/v1/wallet/history?before=soon"), 400);
    String deposit = "{\"id\":\"%s\",\"amount\":\"%s\"}";
    check("post", "/v1/wallet/deposit", move("deposit", deposit.formatted("a b", "5")), 400);
    check("post", "/v1/wallet/deposit", move("deposit", deposit.formatted("a", "0")), 400);
    check("post", "/v1/wallet/revoke", move("revoke", deposit.formatted("a", "5")), 400);
    check("post", "/v1/wallet/deposit", move("deposit", deposit.formatted("refused", "5")), 422);
    check("post", "/v1/wallet/deposit", move("deposit", deposit.formatted("taken", "5")), 409);
    check(
        "post",
        "/v1/wallet/deposit",
        server.send(
            server
                .anonymous("/v1/wallet/deposit")
                .POST(HttpRequest.BodyPublishers.ofString(deposit.formatted("a", "5")))),
        401);
    check("post", "/v1/receipts/anchor", anchor("a b"), 400);
    check("post", "/v1/receipts/anchor", anchor("nothing"), 409);
    check("post", "/v1/receipts/anchor", anchor("refused"), 422);
    check("get", "/v1/jobs/{id}/receipt/proof", proof(MemoryAnchors.UNANCHORED), 404);
    check("post", "/v1/watched", server.post("/v1/watched", "{\"terms\":{}}"), 400);
    check("get", "/v1/channels/{id}/voucher", server.get("/v1/channels/" + HASH + "/voucher"), 404);
    check(
        "delete", "/v1/channels/{id}", server.send(request("/v1/channels/" + HASH).DELETE()), 404);
    String used = Digests.sha256(new byte[] {5}).hex();
    check(
        "delete", "/v1/channels/{id}", server.send(request("/v1/channels/" + used).DELETE()), 409);
    server.node.loseChain();
    check("post", "/v1/wallet/deposit", move("deposit", deposit.formatted("a", "5")), 503);
    check("post", "/v1/receipts/anchor", anchor("a"), 503);
    check("get", "/v1/jobs/{id}/receipt/proof", proof(job), 503);
    check("get", "/v1/wallet/locked", server.get("/v1/wallet/locked"), 503);
    check("get", "/v1/wallet", server.get("/v1/wallet"), 503);
  }

  @Test
  void aWrongAnswerWouldBeNoticed() throws Exception {
    JsonNode job = TestServer.json(server.post("/v1/jobs", DRAFT));
    assertThat(problems("post", "/v1/jobs", 201, job.deepCopy())).isEmpty();
    ((com.fasterxml.jackson.databind.node.ObjectNode) job).put("state", "somewhere");
    assertThat(problems("post", "/v1/jobs", 201, job)).isNotEmpty();
  }

  private Hash job() throws Exception {
    Hash id = Hash.fromHex(TestServer.json(server.post("/v1/jobs", DRAFT)).path("id").asText());
    byte[] text = {1, 2, 3};
    Hash root = server.node.blobs().put(new ByteArrayInputStream(text), Optional.empty(), 1_000);
    FolderManifest manifest =
        new FolderManifest(
            java.util.List.of(new FolderManifest.File("vectors.safetensors", 3, root)));
    server.node.memoryJobs().output(id, new Artifacts(manifest, server.node.blobs()));
    return id;
  }

  private static String handover(int salt) {
    return """
    {"terms":{"payer":"%1$s","signer":"%1$s","payee":"%2$s","token":"%2$s","salt":"%3$d"},
     "voucher":{"amount":"7","receiptsRoot":"%4$s","signature":"0x%5$s1b"}}\
    """
        .formatted(
            Address.fromHex("0x" + "ab".repeat(20)).hex(),
            Address.fromHex("0x" + "cd".repeat(20)).hex(),
            salt,
            HASH.hex(),
            "11".repeat(64));
  }

  private HttpResponse<byte[]> move(String what, String body) throws Exception {
    return server.post("/v1/wallet/" + what, body);
  }

  private HttpResponse<byte[]> anchor(String id) throws Exception {
    return server.post("/v1/receipts/anchor", "{\"id\":\"%s\"}".formatted(id));
  }

  private HttpResponse<byte[]> proof(Hash job) throws Exception {
    return server.get("/v1/jobs/" + job + "/receipt/proof");
  }

  private HttpRequest.Builder request(String path) {
    return server.request(path);
  }

  private void check(String method, String path, HttpResponse<byte[]> response, int status)
      throws Exception {
    assertThat(response.statusCode()).as("%s %s", method, path).isEqualTo(status);
    assertThat(problems(method, path, status, TestServer.json(response)))
        .as(
            "%s %s %d: %s",
            method, path, status, new String(response.body(), StandardCharsets.UTF_8))
        .isEmpty();
  }

  private Set<ValidationMessage> problems(String method, String path, int status, JsonNode answer) {
    String pointer = "/paths/" + escaped(path) + "/" + method + "/responses/" + status;
    JsonNode response = document.at(pointer);
    if (response.has("$ref")) {
      pointer = response.path("$ref").asText().substring(1);
    }
    pointer += "/content/application~1json/schema";
    assertThat(document.at(pointer).isMissingNode()).as(pointer).isFalse();
    JsonSchema schema =
        schemas.getSchema(
            SchemaLocation.of(SCHEMA_BASE + "#" + pointer),
            SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build());
    return schema.validate(answer);
  }

  private static String escaped(String path) {
    return path.replace("~", "~0").replace("/", "~1");
  }
}
