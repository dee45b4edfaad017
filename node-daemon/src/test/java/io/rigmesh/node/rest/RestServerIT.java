package io.rigmesh.node.rest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.node.jobs.Artifacts;
import io.rigmesh.node.jobs.JobDraft;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.FolderManifest;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RestServerIT {
  private static final Hash HASH = Digests.sha256(new byte[] {1});
  private static final String DRAFT =
      """
      {"kind":"generate","model":"%1$s","input":"%1$s",
       "parameters":{"maxTokens":"4","temperature":"0","topK":"0","topP":"1"}}\
      """
          .formatted(HASH);

  @TempDir Path home;
  private TestServer server;

  @BeforeEach
  void start() {
    server = TestServer.start(home);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private Hash submitted() throws Exception {
    return Hash.fromHex(TestServer.json(server.post("/v1/jobs", DRAFT)).path("id").asText());
  }

  @Test
  void everyApiRouteAsksForTheToken() throws Exception {
    for (String path : List.of("/v1/jobs", "/v1/node", "/v1/wallet", "/v1/blobs/" + HASH)) {
      HttpResponse<byte[]> none = server.send(server.anonymous(path).GET());
      assertThat(none.statusCode()).isEqualTo(401);
      assertThat(none.headers().firstValue("www-authenticate")).isPresent();
      assertThat(TestServer.error(none).path("type").asText()).isEqualTo("authentication_error");
      HttpResponse<byte[]> wrong =
          server.send(server.anonymous(path).header("Authorization", "Bearer wrong").GET());
      assertThat(wrong.statusCode()).isEqualTo(401);
    }
    assertThat(server.send(server.anonymous("/health/live").GET()).statusCode()).isEqualTo(200);
  }

  @Test
  void draftBecomesAJobWithALocation() throws Exception {
    HttpResponse<byte[]> response = server.post("/v1/jobs", DRAFT);
    assertThat(response.statusCode()).isEqualTo(201);
    JsonNode job = TestServer.json(response);
    assertThat(response.headers().firstValue("location"))
        .hasValue("/v1/jobs/" + job.path("id").asText());
    assertThat(job.path("state").asText()).isEqualTo("signed");
    HttpResponse<byte[]> shown = server.get("/v1/jobs/" + job.path("id").asText());
    assertThat(TestServer.json(shown)).isEqualTo(job);
  }

  @Test
  void signedJobIsTakenOnceAndKnownAfterwards() throws Exception {
    String job = signedJob(AccountKey.generate());
    assertThat(server.post("/v1/jobs", job).statusCode()).isEqualTo(201);
    assertThat(server.post("/v1/jobs", job).statusCode()).isEqualTo(200);
  }

  @Test
  void jobWithAForeignSignatureIsForbidden() throws Exception {
    String job = signedJob(AccountKey.generate());
    String other = signedJob(AccountKey.generate());
    String signature = TestServer.MAPPER.readTree(other).path("signature").asText();
    String forged =
        job.replace(TestServer.MAPPER.readTree(job).path("signature").asText(), signature);
    HttpResponse<byte[]> response = server.post("/v1/jobs", forged);
    assertThat(response.statusCode()).isEqualTo(403);
    assertThat(TestServer.error(response).path("code").asText()).isEqualTo("bad-signature");
    assertThat(TestServer.error(response).path("type").asText()).isEqualTo("refusal");
  }

  private static String signedJob(AccountKey key) {
    Job job =
        new Job(
            new Task.Embed(),
            HASH,
            Profile.F32_V1,
            HASH,
            1,
            TokenAmount.of(10),
            4_000_000_000L,
            key.address(),
            BigInteger.ONE);
    return ProtocolJson.write(job.sign(key, MemoryJobs.DOMAIN)).toString();
  }

  @Test
  void everyRefusalHasItsOwnTrueStatus() throws Exception {
    Map<RefusalCode, Integer> statuses =
        Map.ofEntries(
            Map.entry(RefusalCode.MALFORMED, 400),
            Map.entry(RefusalCode.NOT_FUNDED, 402),
            Map.entry(RefusalCode.UNPAID, 402),
            Map.entry(RefusalCode.BAD_SIGNATURE, 403),
            Map.entry(RefusalCode.REPLAYED, 409),
            Map.entry(RefusalCode.TOO_LARGE, 413),
            Map.entry(RefusalCode.EXPIRED, 422),
            Map.entry(RefusalCode.DEADLINE_TOO_SOON, 422),
            Map.entry(RefusalCode.PRICE_TOO_LOW, 422),
            Map.entry(RefusalCode.WRONG_CHAIN, 422),
            Map.entry(RefusalCode.UNKNOWN_MODEL, 422),
            Map.entry(RefusalCode.UNKNOWN_INPUT, 422),
            Map.entry(RefusalCode.UNSUPPORTED, 422),
            Map.entry(RefusalCode.OUT_OF_MEMORY, 422),
            Map.entry(RefusalCode.BUSY, 503),
            Map.entry(RefusalCode.UNAVAILABLE, 503));
    assertThat(statuses).containsOnlyKeys(RefusalCode.values());
    for (var e : statuses.entrySet()) {
      server.node.memoryJobs().refuseWith(new Refusal(e.getKey(), "because"));
      HttpResponse<byte[]> response = server.post("/v1/jobs", DRAFT);
      assertThat(response.statusCode()).as(e.getKey().id()).isEqualTo(e.getValue());
      assertThat(TestServer.error(response).path("code").asText()).isEqualTo(e.getKey().id());
      assertThat(TestServer.error(response).path("message").asText()).isEqualTo("because");
      assertThat(response.headers().firstValue("retry-after").isPresent())
          .isEqualTo(e.getValue() == 503);
    }
  }

  @Test
  void errorsNameThePartAndCarryTheRequestId() throws Exception {
    HttpResponse<byte[]> response =
        server.send(server.request("/v1/jobs?limit=zero").header("X-Request-Id", "mine-1").GET());
    assertThat(response.statusCode()).isEqualTo(400);
    JsonNode error = TestServer.error(response);
    assertThat(error.path("param").asText()).isEqualTo("limit");
    assertThat(error.path("requestId").asText()).isEqualTo("mine-1");
    assertThat(response.headers().firstValue("x-request-id")).hasValue("mine-1");
    HttpResponse<byte[]> strange =
        server.send(server.request("/v1/node").header("X-Request-Id", "<script>").GET());
    assertThat(strange.headers().firstValue("x-request-id").orElseThrow()).startsWith("req-");
    assertThat(server.get("/v1/jobs?colour=red").statusCode()).isEqualTo(400);
  }

  @Test
  void unknownPathsAndMethodsAreErrorsInTheSameShape() throws Exception {
    HttpResponse<byte[]> nowhere = server.get("/v2/everything");
    assertThat(nowhere.statusCode()).isEqualTo(404);
    assertThat(TestServer.error(nowhere).path("code").asText()).isEqualTo("unknown-route");
    assertThat(TestServer.error(nowhere).path("requestId").asText())
        .isEqualTo(nowhere.headers().firstValue("x-request-id").orElseThrow());
    HttpResponse<byte[]> patched =
        server.send(server.request("/v1/jobs").method("PATCH", BodyPublishers.ofString("{}")));
    assertThat(patched.statusCode()).isEqualTo(405);
    assertThat(TestServer.error(patched).path("code").asText()).isEqualTo("method-not-allowed");
  }

  @Test
  void unknownJobsAndMissingReceiptsAreNotFound() throws Exception {
    assertThat(server.get("/v1/jobs/" + HASH).statusCode()).isEqualTo(404);
    assertThat(server.get("/v1/jobs/" + HASH + "/events").statusCode()).isEqualTo(404);
    assertThat(server.get("/v1/jobs/nonsense").statusCode()).isEqualTo(400);
    Hash id = submitted();
    HttpResponse<byte[]> receipt = server.get("/v1/jobs/" + id + "/receipt");
    assertThat(receipt.statusCode()).isEqualTo(404);
    assertThat(TestServer.error(receipt).path("code").asText()).isEqualTo("no-receipt");
    assertThat(server.get("/v1/jobs/" + id + "/artifacts").statusCode()).isEqualTo(404);
  }

  @Test
  void cancellingTwiceIsTooLate() throws Exception {
    Hash id = submitted();
    assertThat(server.send(server.request("/v1/jobs/" + id).DELETE()).statusCode()).isEqualTo(202);
    HttpResponse<byte[]> again = server.send(server.request("/v1/jobs/" + id).DELETE());
    assertThat(again.statusCode()).isEqualTo(409);
    assertThat(TestServer.error(again).path("code").asText()).isEqualTo("too-late");
  }

  @Test
  void theLongestPageTellsOfTheNextOne() throws Exception {
    JobDraft draft =
        JobJson.readDraft(ProtocolJson.parse(DRAFT.getBytes(StandardCharsets.UTF_8), "the draft"));
    for (int i = 0; i < 501; i++) {
      server.node.memoryJobs().submit(draft);
    }
    JsonNode first = TestServer.json(server.get("/v1/jobs?limit=500"));
    assertThat(first.path("jobs")).hasSize(500);
    JsonNode rest =
        TestServer.json(server.get("/v1/jobs?limit=500&after=" + first.path("next").asText()));
    assertThat(rest.path("jobs")).hasSize(1);
    assertThat(rest.has("next")).isFalse();
  }

  @Test
  void listsInPagesThatFollowOneAnother() throws Exception {
    for (int i = 0; i < 5; i++) {
      submitted();
    }
    JsonNode first = TestServer.json(server.get("/v1/jobs?limit=2"));
    assertThat(first.path("jobs")).hasSize(2);
    JsonNode second =
        TestServer.json(server.get("/v1/jobs?limit=2&after=" + first.path("next").asText()));
    JsonNode third =
        TestServer.json(server.get("/v1/jobs?limit=2&after=" + second.path("next").asText()));
    assertThat(third.path("jobs")).hasSize(1);
    assertThat(third.has("next")).isFalse();
    assertThat(
            List.of(first, second, third).stream()
                .flatMap(page -> page.path("jobs").findValuesAsText("id").stream())
                .distinct())
        .hasSize(5);
    assertThat(TestServer.json(server.get("/v1/jobs?state=running")).path("jobs")).isEmpty();
    assertThat(server.get("/v1/jobs?state=happy").statusCode()).isEqualTo(400);
  }

  @Test
  void blobsAreCheckedWhileTheyComeInAndComeBackTagged() throws Exception {
    byte[] bytes = new byte[3_000_000];
    new Random(1).nextBytes(bytes);
    String path = "/v1/blobs/" + BlobRoot.of(bytes);
    assertThat(server.get(path).statusCode()).isEqualTo(404);
    assertThat(server.put(path, bytes).statusCode()).isEqualTo(201);
    assertThat(server.put(path, bytes).statusCode()).isEqualTo(200);
    HttpResponse<byte[]> back = server.get(path);
    assertThat(back.body()).isEqualTo(bytes);
    String tag = back.headers().firstValue("etag").orElseThrow();
    assertThat(tag).isEqualTo("\"" + BlobRoot.of(bytes) + "\"");
    HttpResponse<byte[]> known =
        server.send(server.request(path).header("If-None-Match", tag).GET());
    assertThat(known.statusCode()).isEqualTo(304);
    assertThat(known.body()).isEmpty();
    HttpResponse<byte[]> head =
        server.send(server.request(path).method("HEAD", BodyPublishers.noBody()));
    assertThat(head.statusCode()).isEqualTo(200);
    assertThat(head.headers().firstValue("content-length")).hasValue("3000000");
  }

  @Test
  void blobOfAnotherRootIsRefusedAndNotKept() throws Exception {
    HttpResponse<byte[]> response =
        server.put("/v1/blobs/" + HASH, "other".getBytes(StandardCharsets.UTF_8));
    assertThat(response.statusCode()).isEqualTo(400);
    assertThat(TestServer.error(response).path("type").asText()).isEqualTo("refusal");
    assertThat(server.get("/v1/blobs/" + HASH).statusCode()).isEqualTo(404);
  }

  @Test
  void bodiesAboveTheirLimitAreRefused() throws Exception {
    server.close();
    server =
        TestServer.start(
            home,
            Map.of("rest.request-bytes-max", "2000", "blobs.bytes-max", "5000"),
            RestServer.Limits.normal());
    HttpResponse<byte[]> job = server.post("/v1/jobs", " ".repeat(3_000) + DRAFT);
    assertThat(job.statusCode()).isEqualTo(413);
    assertThat(TestServer.error(job).path("code").asText()).isEqualTo("too-large");
    HttpResponse<byte[]> blob = server.put("/v1/blobs/" + HASH, new byte[6_000]);
    assertThat(blob.statusCode()).isEqualTo(413);
  }

  @Test
  void onlyJsonIsTakenWhereJsonIsMeant() throws Exception {
    HttpResponse<byte[]> response =
        server.send(
            server
                .request("/v1/jobs")
                .header("Content-Type", "text/xml")
                .POST(BodyPublishers.ofString("<job/>")));
    assertThat(response.statusCode()).isEqualTo(415);
    assertThat(server.post("/v1/jobs", "{\"kind\":").statusCode()).isEqualTo(400);
    assertThat(server.post("/v1/jobs", "[]").statusCode()).isEqualTo(400);
  }

  @Test
  void foldersSayWhichFilesAreMissing() throws Exception {
    byte[] a = "one".getBytes(StandardCharsets.UTF_8);
    byte[] b = "two".getBytes(StandardCharsets.UTF_8);
    String manifest =
        "{\"files\":[{\"path\":\"a\",\"size\":3,\"root\":\"%s\"},{\"path\":\"d/b\",\"size\":3,\"root\":\"%s\"}]}"
            .formatted(BlobRoot.of(a), BlobRoot.of(b));
    server.put("/v1/blobs/" + BlobRoot.of(a), a);
    JsonNode answer = TestServer.json(server.post("/v1/folders", manifest));
    assertThat(answer.path("missing")).hasSize(1);
    assertThat(answer.path("missing").get(0).asText()).isEqualTo(BlobRoot.of(b).hex());
    String root = answer.path("root").asText();
    assertThat(server.get("/v1/folders/" + root).statusCode()).isEqualTo(404);
    server.put("/v1/blobs/" + BlobRoot.of(b), b);
    JsonNode folder = TestServer.json(server.get("/v1/folders/" + root));
    assertThat(folder.path("files")).hasSize(2);
    assertThat(folder.path("root").asText()).isEqualTo(root);
  }

  @Test
  void artifactsAreListedAndDownloadedByPath() throws Exception {
    Hash id = submitted();
    byte[] text = "{\"text\":\"x\"}".getBytes(StandardCharsets.UTF_8);
    Hash root = server.node.blobs().put(new ByteArrayInputStream(text), Optional.empty(), 1_000);
    FolderManifest manifest =
        new FolderManifest(List.of(new FolderManifest.File("deep/output.json", text.length, root)));
    server
        .node
        .memoryJobs()
        .complete(
            id,
            "{\"format\":\"rigmesh-receipt-1\"}".getBytes(StandardCharsets.UTF_8),
            new Artifacts(manifest, server.node.blobs()));
    assertThat(TestServer.json(server.get("/v1/jobs/" + id + "/artifacts")).path("files"))
        .hasSize(1);
    HttpResponse<byte[]> file = server.get("/v1/jobs/" + id + "/artifacts/deep/output.json");
    assertThat(file.body()).isEqualTo(text);
    assertThat(file.headers().firstValue("etag")).hasValue("\"" + root + "\"");
    assertThat(server.get("/v1/jobs/" + id + "/artifacts/deep/other.json").statusCode())
        .isEqualTo(404);
    assertThat(server.get("/v1/jobs/" + id + "/receipt").statusCode()).isEqualTo(200);
  }

  @Test
  void readinessSaysWhyNot() throws Exception {
    assertThat(server.send(server.anonymous("/health/ready").GET()).statusCode()).isEqualTo(200);
    server.node.notReady(List.of("the chain's newest block is 40 seconds old"));
    HttpResponse<byte[]> response = server.send(server.anonymous("/health/ready").GET());
    assertThat(response.statusCode()).isEqualTo(503);
    assertThat(TestServer.json(response).path("reasons").get(0).asText()).contains("40 seconds");
  }

  @Test
  void walletSaysThatTheChainIsAway() throws Exception {
    assertThat(server.get("/v1/wallet").statusCode()).isEqualTo(200);
    server.node.loseChain();
    HttpResponse<byte[]> response = server.get("/v1/wallet");
    assertThat(response.statusCode()).isEqualTo(503);
    assertThat(TestServer.error(response).path("code").asText()).isEqualTo("chain-unavailable");
  }

  @Test
  void tooManyRequestsAreToldToWait() throws Exception {
    server.close();
    server =
        TestServer.start(home, Map.of(), new RestServer.Limits(Duration.ofSeconds(1), 0.001, 3));
    for (int i = 0; i < 3; i++) {
      assertThat(server.get("/v1/node").statusCode()).isEqualTo(200);
    }
    HttpResponse<byte[]> response = server.get("/v1/node");
    assertThat(response.statusCode()).isEqualTo(429);
    assertThat(response.headers().firstValue("retry-after")).isPresent();
    assertThat(TestServer.error(response).path("type").asText()).isEqualTo("rate_limit_error");
  }

  @Test
  void takenPortIsSaidWithTheRemedy() {
    String port = Integer.toString(server.server.port());
    assertThatThrownBy(
            () -> TestServer.start(home, Map.of("rest.port", port), RestServer.Limits.normal()))
        .isInstanceOf(RestException.class)
        .hasMessageContaining(port)
        .hasMessageContaining("--port");
  }

  @Test
  void beyondLoopbackOnlyHealthIsOpen() throws Exception {
    server.close();
    server = TestServer.start(home, Map.of("rest.host", "0.0.0.0"), RestServer.Limits.normal());
    assertThat(server.send(server.anonymous("/metrics").GET()).statusCode()).isEqualTo(401);
    assertThat(server.send(server.anonymous("/openapi.json").GET()).statusCode()).isEqualTo(401);
    assertThat(server.send(server.anonymous("/health/live").GET()).statusCode()).isEqualTo(200);
  }

  @Test
  void tokenIsReadFromItsFileAndNeverPrinted() throws Exception {
    Path file = home.resolve("token");
    Files.writeString(file, "0123456789abcdef0123456789abcdef\n");
    BearerToken token = BearerToken.read(file);
    assertThat(token.opens("bearer 0123456789abcdef0123456789abcdef")).isTrue();
    assertThat(token.opens("Bearer 0123456789abcdef0123456789abcdee")).isFalse();
    assertThat(token.opens("0123456789abcdef0123456789abcdef")).isFalse();
    assertThat(token.toString()).doesNotContain("0123");
    Files.writeString(file, "short");
    assertThatThrownBy(() -> BearerToken.read(file))
        .isInstanceOf(RestException.class)
        .hasMessageContaining("delete its file");
  }

  @Test
  void stateOfAFinishedJobShowsWhy() throws Exception {
    Hash id = submitted();
    server.node.memoryJobs().become(id, new JobState.Failed("the worker ran out of memory"));
    JsonNode job = TestServer.json(server.get("/v1/jobs/" + id));
    assertThat(job.path("state").asText()).isEqualTo("failed");
    assertThat(job.path("message").asText()).isEqualTo("the worker ran out of memory");
  }
}
