package io.rigmesh.worker.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// Runs `src/test/python/jinja_oracle.py`, Debian's python3-jinja2 as transformers sets it up, on
/// many templates at once. Where it is absent the test fails and says what to install, unless the
/// property `rigmesh.jinja2` is `skip`.
public final class JinjaOracle {
  /// The script's now.
  public static final LocalDateTime NOW = LocalDateTime.of(2026, 11, 22, 9, 5, 7);

  private static final long TIMEOUT_SECONDS = 60;
  private static final ObjectMapper JSON = new ObjectMapper();

  private JinjaOracle() {}

  /// A template with its variables.
  public record Case(String template, Map<String, JsonNode> variables) {}

  /// What rendering gives: a text, a refusal by the template itself, or an error.
  public record Answer(String kind, String text) {}

  /// What python3-jinja2 makes of the cases.
  public static List<Answer> answers(List<Case> cases) throws IOException, InterruptedException {
    assumeFalse(
        "skip".equals(System.getProperty("rigmesh.jinja2")),
        "jinja2 is skipped by -Drigmesh.jinja2=skip");
    ArrayNode request = JSON.createArrayNode();
    for (Case one : cases) {
      var object = request.addObject().put("template", one.template());
      object.putObject("variables").setAll(one.variables());
    }
    Path in = Files.createTempFile("jinja-oracle", ".json");
    Path out = Files.createTempFile("jinja-oracle", ".out");
    try {
      Files.write(in, JSON.writeValueAsBytes(request));
      Process process =
          new ProcessBuilder("/usr/bin/python3", "-B", script().toString())
              .redirectInput(in.toFile())
              .redirectOutput(out.toFile())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      assertThat(process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue())
          .as(
              "jinja_oracle.py failed; is python3-jinja2 missing? apt-get install --no-install-recommends"
                  + " python3-jinja2, or leave these tests out with -Drigmesh.jinja2=skip")
          .isZero();
      List<Answer> answers = new ArrayList<>();
      for (JsonNode answer : JSON.readTree(out.toFile())) {
        String kind = answer.fieldNames().next();
        answers.add(new Answer(kind, answer.get(kind).textValue()));
      }
      return answers;
    } finally {
      Files.delete(in);
      Files.delete(out);
    }
  }

  /// What this project makes of a case.
  public static Answer ours(Case one) {
    try {
      return new Answer(
          "text",
          JinjaTemplate.parse(one.template())
              .render(one.variables(), NOW, JinjaTemplate.Limits.USUAL));
    } catch (JinjaException e) {
      return new Answer(e.refusal() ? "refusal" : "error", String.valueOf(e.getMessage()));
    }
  }

  private static Path script() {
    try {
      Path classes =
          Path.of(JinjaOracle.class.getProtectionDomain().getCodeSource().getLocation().toURI());
      return classes.resolve("../../src/test/python/jinja_oracle.py").normalize();
    } catch (URISyntaxException e) {
      throw new AssertionError("the test classes have no path", e);
    }
  }
}
