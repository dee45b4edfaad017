package io.rigmesh.node.rest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobState;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class EventStreamIT {
  private static final Hash HASH = Digests.sha256(new byte[] {1});

  @TempDir Path home;
  private TestServer server;
  private Hash job;

  @BeforeEach
  void start() throws Exception {
    server = TestServer.start(home);
    job = submit();
  }

  private Hash submit() throws Exception {
    String draft = "{\"kind\":\"embed\",\"model\":\"%1$s\",\"input\":\"%1$s\"}".formatted(HASH);
    return Hash.fromHex(TestServer.json(server.post("/v1/jobs", draft)).path("id").asText());
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private HttpResponse<InputStream> open(String after) throws Exception {
    HttpRequest.Builder request = server.request("/v1/jobs/" + job + "/events").GET();
    if (!after.isEmpty()) {
      request.header("Last-Event-ID", after);
    }
    return server.http().send(request.build(), BodyHandlers.ofInputStream());
  }

  private static BufferedReader lines(HttpResponse<InputStream> response) {
    return new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8));
  }

  private static List<String> toEnd(BufferedReader lines) throws Exception {
    List<String> all = new ArrayList<>();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      if (!line.isEmpty() && !line.startsWith(":")) {
        all.add(line);
      }
    }
    return all;
  }

  private static String until(BufferedReader lines, String start) throws Exception {
    String line = lines.readLine();
    while (line != null && !line.startsWith(start)) {
      line = lines.readLine();
    }
    return line;
  }

  @Test
  void givesWhatWasAndWhatComesAndThenEnds() throws Exception {
    server.node.memoryJobs().happen(job, JobEvent.Type.STATE, "{\"state\":\"running\"}");
    HttpResponse<InputStream> response = open("");
    assertThat(response.headers().firstValue("content-type").orElseThrow())
        .startsWith("text/event-stream");
    BufferedReader lines = lines(response);
    assertThat(until(lines, "id:")).isEqualTo("id: 1");
    assertThat(lines.readLine()).isEqualTo("event: state");
    // What happens while the client listens comes without asking again.
    server.node.memoryJobs().happen(job, JobEvent.Type.PROGRESS, "{\"step\":1,\"total\":2}");
    assertThat(until(lines, "id:")).isEqualTo("id: 2");
    assertThat(lines.readLine()).isEqualTo("event: progress");
    JsonNode data = TestServer.MAPPER.readTree(lines.readLine().substring("data: ".length()));
    assertThat(data.path("sequence").asLong()).isEqualTo(2);
    assertThat(data.path("data").path("step").asInt()).isEqualTo(1);
    server.node.memoryJobs().become(job, new JobState.Settled());
    assertThat(toEnd(lines)).containsExactly("event: end", "data: {}");
  }

  @Test
  void goesOnBehindTheLastEventThatWasSeen() throws Exception {
    for (int i = 1; i <= 5; i++) {
      server.node.memoryJobs().happen(job, JobEvent.Type.NOTE, "{\"message\":\"" + i + "\"}");
    }
    server.node.memoryJobs().become(job, new JobState.Cancelled());
    List<String> ids =
        toEnd(lines(open("3"))).stream().filter(line -> line.startsWith("id:")).toList();
    assertThat(ids).containsExactly("id: 4", "id: 5");
    assertThat(toEnd(lines(open("5")))).containsExactly("event: end", "data: {}");
    assertThat(open("many").statusCode()).isEqualTo(400);
  }

  @Test
  void heartbeatsComeWhileNothingHappens() throws Exception {
    BufferedReader lines = lines(open(""));
    assertThat(until(lines, ": heartbeat")).isNotNull();
    assertThat(until(lines, ": heartbeat")).isNotNull();
  }

  @Test
  void streamsAreBoundedAndAClosedOneMakesRoom() throws Exception {
    server.close();
    server =
        TestServer.start(
            home,
            Map.of("rest.event-streams-max", "1"),
            new RestServer.Limits(Duration.ofMillis(20), 1e6, 1e6));
    job = submit();
    HttpResponse<InputStream> first = open("");
    assertThat(until(lines(first), ":")).isNotNull();
    HttpResponse<InputStream> second = open("");
    assertThat(second.statusCode()).isEqualTo(503);
    first.body().close();
    long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    int status = 503;
    while (status != 200 && System.nanoTime() < deadline) {
      HttpResponse<InputStream> next = open("");
      status = next.statusCode();
      next.body().close();
      Thread.onSpinWait();
    }
    assertThat(status).isEqualTo(200);
  }
}
