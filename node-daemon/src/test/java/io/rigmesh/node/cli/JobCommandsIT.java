package io.rigmesh.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rigmesh.node.metrics.NodeMetrics;
import io.rigmesh.node.rest.BearerToken;
import io.rigmesh.node.rest.MemoryNode;
import io.rigmesh.node.rest.RestServer;
import io.rigmesh.protocol.BlobRoot;
import io.rigmesh.protocol.Hash;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The commands that talk to a daemon, over its real REST interface.
class JobCommandsIT {
  private static final String TOKEN = "0123456789abcdef0123456789abcdef";

  @TempDir Path folder;
  private Path home;
  private MemoryNode node;
  private NodeMetrics metrics;
  private RestServer server;
  private String err = "";

  @BeforeEach
  void start() throws Exception {
    home = folder.resolve("home");
    node = new MemoryNode(home, Map.of("rest.port", "0"));
    Files.writeString(home.resolve("rest-token"), TOKEN);
    metrics = new NodeMetrics(node, "0.1.0");
    server = new RestServer(node.config().rest(), node, metrics, BearerToken.of(TOKEN));
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop();
    metrics.close();
  }

  /// Runs a command on the node, and returns what it printed as data.
  private String run(int exitCode, String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--home", home.toString(), "--port", Integer.toString(server.port())));
    PrintStream outBefore = System.out;
    PrintStream errBefore = System.err;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
      int code = CommandTree.run(all.toArray(String[]::new));
      err = errors.toString(StandardCharsets.UTF_8);
      assertThat(code).as(err).isEqualTo(exitCode);
    } finally {
      System.setOut(outBefore);
      System.setErr(errBefore);
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void trainingTextIsUploadedAndTheJobIsListedShownAndCancelled() throws Exception {
    Path text = folder.resolve("text");
    Files.createDirectories(text);
    Files.writeString(text.resolve("a.md"), "some words to learn");
    String id = run(0, "job", "submit", "train", "--text", text.toString(), "--steps", "3").strip();
    assertThat(Hash.fromHex(id).hex()).isEqualTo(id);
    byte[] uploaded = "some words to learn\n".getBytes(StandardCharsets.UTF_8);
    assertThat(node.blobs().has(BlobRoot.of(uploaded))).isTrue();

    JsonNode shown = new ObjectMapper().readTree(run(0, "job", "show", id, "--json"));
    assertThat(shown.path("job").path("parameters").path("steps").asText()).isEqualTo("3");
    assertThat(shown.path("job").path("input").asText()).isEqualTo(BlobRoot.of(uploaded).hex());
    assertThat(run(0, "job", "list")).contains(id).contains("train").contains("signed");
    run(0, "job", "cancel", id);
    assertThat(err).contains("cancelled");
    run(2, "job", "cancel", id);
    assertThat(err).contains("cannot be called off").contains("request req-");
    // A job that ended without its result is worth another try.
    run(1, "job", "watch", id);
  }

  @Test
  void modelFoldersAreUploadedFileByFile() throws Exception {
    Path model = folder.resolve("model");
    Files.createDirectories(model.resolve("deep"));
    Files.writeString(model.resolve("config.json"), "{}");
    Files.writeString(model.resolve("deep/weights"), "w");
    String root = run(0, "model", "add", model.toString()).strip();
    assertThat(node.blobs().folder(Hash.fromHex(root)).orElseThrow().files()).hasSize(2);
    String id =
        run(0, "job", "submit", "generate", "--model", model.toString(), "--prompt", "Hello")
            .strip();
    JsonNode shown = new ObjectMapper().readTree(run(0, "job", "show", id, "--json"));
    assertThat(shown.path("job").path("model").asText()).isEqualTo(root);
  }

  @Test
  void mistakesAreFoundBeforeAnythingIsSent() {
    run(2, "job", "show", "0x12");
    assertThat(err).contains("no job id");
    run(2, "job", "submit", "train", "--text", folder.resolve("none").toString());
    assertThat(err).contains("no file or folder");
    run(2, "job", "submit", "generate", "--model", "what", "--prompt", "x");
    assertThat(err).contains("neither a folder");
    run(2, "job", "submit", "generate", "--model", "what", "--prompt", "x", "--max-tokens", "0");
    assertThat(err).contains("maxTokens lies between 1 and");
    assertThat(run(0, "job", "list", "--json")).contains("\"jobs\" : [ ]");
  }

  @Test
  void workersAreShownWithTheirStateAndRestarts() {
    String workers = run(0, "workers");
    assertThat(workers).contains("cpu").contains("ready").contains("0.0 of 16.0 GiB");
    assertThat(run(0, "workers", "--json")).contains("\"restarts\" : 5");
  }

  @Test
  void walletIsShownInWholeUnits() {
    assertThat(run(0, "wallet")).contains("balance    5 rUSD").contains("1 ETH").contains("fund");
  }
}
