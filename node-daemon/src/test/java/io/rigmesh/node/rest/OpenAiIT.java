package io.rigmesh.node.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.protocol.Task;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OpenAiIT {
  private static final Hash WRITER = Digests.sha256(new byte[] {8});
  private static final String CHAT =
      """
      {"model":"a writer","messages":[{"role":"system","content":"Be brief."},
       {"role":"user","content":[{"type":"text","text":"Say"},{"type":"text","text":" hi"}]}]%s}\
      """;

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

  private CompletableFuture<HttpResponse<byte[]>> posted(String path, String body) {
    return CompletableFuture.supplyAsync(() -> {
      try {
        return server.post(path, body);
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    });
  }

  @Test
  void aChatBecomesAJobAndItsTokensTheAnswer() throws Exception {
    var answer =
        posted(
            "/v1/chat/completions",
            CHAT.formatted(
                """
                ,"temperature":0.5,"top_p":0.9,"max_completion_tokens":7,"stop":["END","\\n"],
                "seed":-3,"presence_penalty":-0.5,"frequency_penalty":1.5,"logit_bias":{"50":-100,"7":2.5},
                "logprobs":true,"top_logprobs":2,"top_k":40,"min_p":0.05,"repetition_penalty":1.1,
                "profile":"i8-v1","user":"me","n":1,"tools":null\
                """));
    Job job = provider.job(0);
    assertThat(job.model()).isEqualTo(WRITER);
    assertThat(job.seed()).isEqualTo(-3);
    assertThat(job.profile()).isEqualTo(Profile.I8_V1);
    Task.Generate task = (Task.Generate) job.task();
    assertThat(task.maxTokens()).isEqualTo(7);
    assertThat(task.temperature()).isEqualTo(0.5f);
    assertThat(task.topK()).isEqualTo(40);
    assertThat(task.topP()).isEqualTo(0.9f);
    assertThat(task.options().chat()).isTrue();
    assertThat(task.options().minP()).isEqualTo(0.05f);
    assertThat(task.options().repetitionPenalty()).isEqualTo(1.1f);
    assertThat(task.options().presencePenalty()).isEqualTo(-0.5f);
    assertThat(task.options().frequencyPenalty()).isEqualTo(1.5f);
    assertThat(task.options().stop()).containsExactly("END", "\n");
    assertThat(task.options().logprobs()).isEqualTo(OptionalInt.of(2));
    assertThat(task.options().logitBias()).containsEntry(50, -100f).containsEntry(7, 2.5f);
    JsonNode chat = TestServer.MAPPER.readTree(provider.input(job));
    assertThat(chat.path("messages").toString())
        .isEqualTo(
            "[{\"role\":\"system\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"Say"
                + " hi\"}]");
    assertThat(chat.path("date").asText()).matches("\\d{4}-\\d\\d-\\d\\d");

    String told =
        ",\"logprobs\":{\"text\":\"%s\",\"logprob\":-0.25,\"likeliest\":[{\"id\":3,\"text\":\"Hi\",\"logprob\":-0.25},{\"id\":4,\"text\":\"\uFFFD\",\"logprob\":-2}]}";
    provider.token(job, 12, 3, "Hi", told.formatted("Hi"));
    provider.token(job, 13, 9, " you", told.formatted(" you") + ",\"finish\":\"stop-text\"");
    HttpResponse<byte[]> response = answer.join();
    assertThat(response.statusCode()).isEqualTo(200);
    JsonNode body = TestServer.json(response);
    assertThat(body.path("id").asText()).isEqualTo("chatcmpl-" + job.id().hex().substring(2));
    assertThat(body.path("object").asText()).isEqualTo("chat.completion");
    assertThat(body.path("model").asText()).isEqualTo("a writer");
    JsonNode choice = body.path("choices").get(0);
    assertThat(choice.path("message").path("content").asText()).isEqualTo("Hi you");
    assertThat(choice.path("finish_reason").asText()).isEqualTo("stop");
    JsonNode first = choice.path("logprobs").path("content").get(0);
    assertThat(first.path("token").asText()).isEqualTo("Hi");
    assertThat(first.path("bytes").toString()).isEqualTo("[72,105]");
    assertThat(first.path("top_logprobs").get(1).path("bytes").isNull()).isTrue();
    assertThat(first.path("top_logprobs").get(1).path("logprob").asDouble()).isEqualTo(-2);
    assertThat(body.path("usage").toString())
        .isEqualTo("{\"prompt_tokens\":12,\"completion_tokens\":2,\"total_tokens\":14}");
  }

  @Test
  void aStreamedChatComesTokenByTokenAndEndsWithItsUsage() throws Exception {
    var lines =
        streamed(CHAT.formatted(",\"stream\":true,\"stream_options\":{\"include_usage\":true}"));
    Job job = provider.job(0);
    assertThat(lines.next().path("choices").get(0).path("delta").path("role").asText())
        .isEqualTo("assistant");
    provider.token(job, 5, 1, "One", "");
    JsonNode one = lines.next();
    assertThat(one.path("object").asText()).isEqualTo("chat.completion.chunk");
    assertThat(one.path("choices").get(0).path("delta").path("content").asText()).isEqualTo("One");
    assertThat(one.path("choices").get(0).path("finish_reason").isNull()).isTrue();
    assertThat(one.path("usage").isNull()).isTrue();
    provider.token(job, 6, 2, "", ",\"finish\":\"max-tokens\"");
    lines.next();
    assertThat(lines.next().path("choices").get(0).path("finish_reason").asText())
        .isEqualTo("length");
    JsonNode usage = lines.next();
    assertThat(usage.path("choices")).isEmpty();
    assertThat(usage.path("usage").path("total_tokens").asInt()).isEqualTo(7);
    assertThat(lines.last()).isEqualTo("[DONE]");
  }

  @Test
  void aClientThatGoesAwayCallsItsJobOff() throws Exception {
    var lines = streamed(CHAT.formatted(",\"stream\":true"));
    Job job = provider.job(0);
    lines.next();
    lines.close();
    // What is sent to nobody shows that nobody is there.
    for (int i = 0; i < 3; i++) {
      provider.token(job, 5 + i, 1, "One", "");
    }
    server.node.memoryJobs().awaitCancelled(job.id());
  }

  @Test
  void aCompletionContinuesItsPrompt() throws Exception {
    var answer =
        posted(
            "/v1/completions",
            "{\"model\":\"%s\",\"prompt\":[\"Once\"],\"logprobs\":1}".formatted(WRITER.hex()));
    Job job = provider.job(0);
    assertThat(provider.input(job)).isEqualTo("Once");
    Task.Generate task = (Task.Generate) job.task();
    assertThat(task.options().chat()).isFalse();
    assertThat(task.maxTokens()).isEqualTo(16);
    assertThat(task.temperature()).isEqualTo(1f);
    provider.token(
        job,
        1,
        4,
        " upon",
        ",\"logprobs\":{\"text\":\" upon\",\"logprob\":-0.5,\"likeliest\":[{\"id\":4,\"text\":\""
            + " upon\",\"logprob\":-0.5}]},\"finish\":\"stop-token\"");
    JsonNode choice = TestServer.json(answer.join()).path("choices").get(0);
    assertThat(choice.path("text").asText()).isEqualTo(" upon");
    assertThat(choice.path("finish_reason").asText()).isEqualTo("stop");
    assertThat(choice.path("logprobs").path("tokens").toString()).isEqualTo("[\" upon\"]");
    assertThat(choice.path("logprobs").path("top_logprobs").toString())
        .isEqualTo("[{\" upon\":-0.5}]");
  }

  @Test
  void aJobThatIsRefusedOrFailsIsAnErrorInOpenAisShape() throws Exception {
    var answer = posted("/v1/chat/completions", CHAT.formatted(""));
    provider.state(
        provider.job(0),
        "{\"state\":\"refused\",\"code\":\"busy\",\"message\":\"the queue is full\"}");
    assertThat(answer.join().statusCode()).isEqualTo(503);
    assertThat(TestServer.error(answer.join()).path("message").asText())
        .isEqualTo("the queue is full");
    var lines = streamed(CHAT.formatted(",\"stream\":true"));
    lines.next();
    provider.state(provider.job(1), "{\"state\":\"failed\",\"message\":\"it broke\"}");
    assertThat(lines.next().path("error").path("message").asText()).isEqualTo("it broke");
    server.node.memoryJobs().refuseWith(new Refusal(RefusalCode.PRICE_TOO_LOW, "too cheap"));
    HttpResponse<byte[]> refused = server.post("/v1/chat/completions", CHAT.formatted(""));
    assertThat(refused.statusCode()).isEqualTo(422);
    assertThat(TestServer.error(refused).path("code").asText()).isEqualTo("price-too-low");
  }

  @Test
  void whatIsNotUnderstoodIsRefusedByItsName() throws Exception {
    List<String> wrong =
        List.of(
            ",\"n\":2|n",
            ",\"tools\":[{}]|tools",
            ",\"response_format\":{\"type\":\"json_object\"}|response_format",
            ",\"reasoning_effort\":\"high\"|reasoning_effort",
            ",\"temprature\":1|temprature",
            ",\"temperature\":3|temperature",
            ",\"temperature\":\"hot\"|temperature",
            ",\"top_logprobs\":2|top_logprobs",
            ",\"max_tokens\":0|max_tokens",
            ",\"max_tokens\":1,\"max_completion_tokens\":1|max_tokens",
            ",\"logit_bias\":{\"x\":1}|logit_bias",
            ",\"stream_options\":{\"include_usage\":true}|stream_options",
            ",\"profile\":\"f64\"|profile",
            ",\"seed\":1.5|seed");
    for (String one : wrong) {
      String param = one.substring(one.lastIndexOf('|') + 1);
      String more = one.substring(0, one.lastIndexOf('|'));
      HttpResponse<byte[]> response = server.post("/v1/chat/completions", CHAT.formatted(more));
      assertThat(response.statusCode()).as(more).isEqualTo(400);
      assertThat(TestServer.error(response).path("type").asText())
          .isEqualTo("invalid_request_error");
      assertThat(TestServer.error(response).path("param").asText()).as(more).isEqualTo(param);
    }
  }

  @Test
  void modelsAreThoseOfLiveOffersAndAnUnknownOneIsSaid() throws Exception {
    JsonNode models = TestServer.json(server.get("/v1/models")).path("data");
    assertThat(models).hasSize(2);
    JsonNode writer = TestServer.json(server.get("/v1/models/a%20writer"));
    assertThat(writer.path("root").asText()).isEqualTo(WRITER.hex());
    assertThat(writer.path("kind").asText()).isEqualTo("generate");
    // One offer names it twice, once for each kind of job.
    assertThat(writer.path("kinds").toString()).isEqualTo("[\"train\",\"generate\"]");
    assertThat(writer.path("providers").asInt()).isEqualTo(1);
    HttpResponse<byte[]> none =
        server.post("/v1/completions", "{\"model\":\"another\",\"prompt\":\"x\"}");
    assertThat(none.statusCode()).isEqualTo(404);
    assertThat(TestServer.error(none).path("code").asText()).isEqualTo("model_not_found");
    // An embedding model writes no text.
    HttpResponse<byte[]> other =
        server.post("/v1/completions", "{\"model\":\"a model\",\"prompt\":\"x\"}");
    assertThat(other.statusCode()).isEqualTo(404);
  }

  @Test
  void embeddingsAreTheVectorsOfTheJobsOutput() throws Exception {
    var answer =
        posted("/v1/embeddings", "{\"model\":\"a model\",\"input\":[\"one\\ntwo\",\"three\"]}");
    provider.vectors(provider.job(0));
    JsonNode body = TestServer.json(answer.join());
    assertThat(provider.input(provider.job(0))).isEqualTo("one two\nthree\n");
    assertThat(body.path("data").get(1).path("embedding").toString()).isEqualTo("[0.25,-3.0]");
    assertThat(body.path("data").get(1).path("index").asInt()).isEqualTo(1);
    var packed =
        posted(
            "/v1/embeddings",
            "{\"model\":\"a model\",\"input\":[\"a\",\"b\"],\"encoding_format\":\"base64\"}");
    provider.vectors(provider.job(1));
    byte[] bytes =
        Base64.getDecoder()
            .decode(TestServer.json(packed.join()).path("data").get(0).path("embedding").asText());
    assertThat(ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getFloat(4)).isEqualTo(2f);
    var wrong =
        posted(
            "/v1/embeddings", "{\"model\":\"a model\",\"input\":[\"a\",\"b\"],\"dimensions\":3}");
    provider.vectors(provider.job(2));
    assertThat(TestServer.error(wrong.join()).path("param").asText()).isEqualTo("dimensions");
  }

  /// The chunks of a streamed answer.
  private final class Chunks {
    private final InputStream in;
    private final BufferedReader reader;

    Chunks(InputStream in) {
      this.in = in;
      this.reader = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
    }

    JsonNode next() throws Exception {
      return TestServer.MAPPER.readTree(last());
    }

    String last() throws Exception {
      List<String> skipped = new ArrayList<>();
      while (true) {
        String line = reader.readLine();
        assertThat(line).as("the stream goes on after %s", skipped).isNotNull();
        if (line.startsWith("data: ")) {
          return line.substring("data: ".length());
        }
        skipped.add(line);
      }
    }

    void close() throws Exception {
      in.close();
    }
  }

  private Chunks streamed(String body) throws Exception {
    var request =
        server
            .request("/v1/chat/completions")
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body));
    HttpResponse<InputStream> response =
        server.http().send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    assertThat(response.statusCode()).isEqualTo(200);
    assertThat(response.headers().firstValue("content-type").orElse(""))
        .startsWith("text/event-stream");
    return new Chunks(response.body());
  }
}
