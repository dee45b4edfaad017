package io.rigmesh.node.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Task;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// OpenAI's own client, from npm, against the node: it finds in every answer what it looks for.
class OpenAiClientIT {
  private static final Path CLIENT = Path.of("src", "test", "openai").toAbsolutePath();
  private static final Path INTEROP = CLIENT.resolve("../../../../libp2p/src/test/interop");
  private static final String TOLD =
      ",\"logprobs\":{\"text\":\"Hi\",\"logprob\":-0.25,\"likeliest\":[{\"id\":3,\"text\":\"Hi\",\"logprob\":-0.25}]}";
  private static final String LAST = ",\"finish\":\"max-tokens\"";

  @TempDir Path home;
  private TestServer server;
  private ScriptedProvider provider;

  @BeforeEach
  void start() {
    server = TestServer.start(home);
    provider = new ScriptedProvider(server, home);
  }

  @AfterEach
  void stop() {
    server.close();
  }

  @Test
  void aChatIsAnsweredWholeWithItsLogprobsAndUsage() throws Exception {
    var client = client("chat");
    Job job = provider.job(0);
    Task.Generate task = (Task.Generate) job.task();
    assertThat(task.maxTokens()).isEqualTo(7);
    assertThat(task.options().minP()).isEqualTo(0.05f);
    assertThat(task.options().stop()).containsExactly("END");
    assertThat(job.seed()).isEqualTo(3);
    assertThat(job.profile()).isEqualTo(Profile.I8_V1);
    provider.token(job, 4, 3, "Hi", TOLD);
    provider.token(job, 5, 9, " you", TOLD + ",\"finish\":\"stop-text\"");
    JsonNode got = client.join();
    JsonNode choice = got.path("choices").get(0);
    assertThat(choice.path("message").path("role").asText()).isEqualTo("assistant");
    assertThat(choice.path("message").path("content").asText()).isEqualTo("Hi you");
    assertThat(choice.path("finish_reason").asText()).isEqualTo("stop");
    assertThat(choice.path("logprobs").path("content").get(0).path("logprob").asDouble())
        .isEqualTo(-0.25);
    assertThat(got.path("usage").path("total_tokens").asInt()).isEqualTo(6);
  }

  @Test
  void aStreamIsReadToItsUsage() throws Exception {
    var client = client("stream");
    Job job = provider.job(0);
    provider.token(job, 4, 3, "One", "");
    provider.token(job, 5, 9, " two", LAST);
    JsonNode got = client.join();
    assertThat(got.path("text").asText()).isEqualTo("One two");
    assertThat(got.path("roles").toString()).isEqualTo("[\"assistant\"]");
    assertThat(got.path("finish").toString()).isEqualTo("[\"length\"]");
    assertThat(got.path("usage").path("prompt_tokens").asInt()).isEqualTo(4);
    assertThat(got.path("usage").path("completion_tokens").asInt()).isEqualTo(2);
  }

  @Test
  void theClientPutsTheChunksOfAStreamTogether() throws Exception {
    var client = client("assembled");
    Job job = provider.job(0);
    provider.token(job, 4, 3, "One", "");
    provider.token(job, 5, 9, " two", LAST);
    JsonNode choice = client.join().path("choices").get(0);
    assertThat(choice.path("message").path("content").asText()).isEqualTo("One two");
    assertThat(choice.path("finish_reason").asText()).isEqualTo("length");
  }

  @Test
  void aStreamThatTheClientAbortsCallsItsJobOff() throws Exception {
    var client = client("abort");
    Job job = provider.job(0);
    provider.token(job, 4, 3, "One", "");
    assertThat(client.join().path("text").asText()).isEqualTo("One");
    // What is sent to nobody shows that nobody is there.
    for (int i = 0; i < 3; i++) {
      provider.token(job, 5 + i, 1, "more", "");
    }
    server.node.memoryJobs().awaitCancelled(job.id());
  }

  @Test
  void aPromptIsContinued() throws Exception {
    var client = client("completion");
    Job job = provider.job(0);
    assertThat(provider.input(job)).isEqualTo("Once");
    provider.token(job, 1, 3, "Hi", TOLD + LAST);
    JsonNode choice = client.join().path("choices").get(0);
    assertThat(choice.path("text").asText()).isEqualTo("Hi");
    assertThat(choice.path("logprobs").path("token_logprobs").toString()).isEqualTo("[-0.25]");
  }

  @Test
  void embeddingsBecomeNumbersAgain() throws Exception {
    var client = client("embeddings");
    provider.vectors(provider.job(0));
    JsonNode got = client.join();
    assertThat(got.path("data").get(0).path("embedding").toString()).isEqualTo("[1,2]");
    assertThat(got.path("data").get(1).path("embedding").toString()).isEqualTo("[0.25,-3]");
  }

  @Test
  void modelsAreListedAndFoundByNamesWithSpaces() throws Exception {
    JsonNode got = client("models").join();
    assertThat(got.path("ids").toString()).contains("\"a writer\"", "\"a model\"");
    assertThat(got.path("root").asText()).isEqualTo(Digests.sha256(new byte[] {8}).hex());
  }

  @Test
  void refusalsAreTheErrorsThatTheClientKnows() throws Exception {
    JsonNode got = client("errors").join();
    assertThat(got.path("unknownModel").path("error").asText()).isEqualTo("NotFoundError");
    assertThat(got.path("unknownModel").path("code").asText()).isEqualTo("model_not_found");
    assertThat(got.path("wrongKey").path("error").asText()).isEqualTo("AuthenticationError");
    assertThat(got.path("unsupported").path("error").asText()).isEqualTo("BadRequestError");
    assertThat(got.path("unsupported").path("param").asText()).isEqualTo("n");
  }

  @Test
  void aJobThatFailsInTheMiddleOfAStreamIsAnErrorWithItsReason() throws Exception {
    var client = client("failure");
    Job job = provider.job(0);
    provider.token(job, 4, 3, "One", "");
    provider.state(job, "{\"state\":\"failed\",\"message\":\"it broke\"}");
    JsonNode got = client.join();
    assertThat(got.path("error").asText()).isEqualTo("APIError");
    assertThat(got.path("message").asText()).contains("it broke");
    server.node.memoryJobs().refuseWith(new Refusal(RefusalCode.PRICE_TOO_LOW, "too cheap"));
    JsonNode refused = client("failure").join();
    assertThat(refused.path("status").asInt()).isEqualTo(422);
    assertThat(refused.path("code").asText()).isEqualTo("price-too-low");
  }

  /// What the client says at its end.
  private CompletableFuture<JsonNode> client(String scenario) {
    return CompletableFuture.supplyAsync(() -> {
      try {
        return run(scenario);
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    });
  }

  private JsonNode run(String scenario) throws Exception {
    String machine = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "x64";
    Path node = INTEROP.resolve("node_modules/node-linux-" + machine + "/bin/node").normalize();
    if (!Files.exists(node) || !Files.isDirectory(CLIENT.resolve("node_modules/openai"))) {
      throw new IllegalStateException(
          "OpenAI's client is not installed: run node-daemon/src/test/openai/install.sh (scripts/test.sh does).");
    }
    Process process =
        new ProcessBuilder(
                node.toString(),
                CLIENT.resolve("client.mjs").toString(),
                server.uri("/v1").toString(),
                TestServer.TOKEN,
                scenario)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor(120, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).as("client.mjs %s, which said: %s", scenario, said).isZero();
      return TestServer.MAPPER.readTree(said);
    } finally {
      process.destroyForcibly();
    }
  }
}
