package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.MalformedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Jobs in words.
final class JobText {
  private static final int SHORT_ID_CHARS = 18;

  private JobText() {}

  /// Checks that a text is a job's id, so that a slip of the hand is said before anything is asked.
  static String id(String text) {
    try {
      return Hash.fromHex(text).hex();
    } catch (MalformedException e) {
      throw CliException.hopeless("'" + text + "' is no job id: " + e.sentence(), e);
    }
  }

  /// A table of jobs.
  static List<List<String>> rows(JsonNode jobs) {
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("ID", "ROLE", "KIND", "STATE", "PROGRESS", "PRICE", "UPDATED"));
    for (JsonNode job : jobs) {
      rows.add(
          List.of(
              job.path("id").asText(),
              job.path("role").asText(),
              job.path("job").path("kind").asText(),
              job.path("state").asText(),
              progress(job.path("progress")),
              job.path("price").asText("-"),
              job.path("updatedAt").asText()));
    }
    return rows;
  }

  /// A job in lines.
  static List<String> lines(JsonNode job) {
    List<String> lines = new ArrayList<>();
    lines.add("id         " + job.path("id").asText());
    lines.add("kind       " + job.path("job").path("kind").asText());
    lines.add("role       " + job.path("role").asText());
    lines.add("state      " + state(job));
    lines.add("progress   " + progress(job.path("progress")));
    lines.add("input      " + job.path("job").path("input").asText());
    lines.add("model      " + job.path("job").path("model").asText());
    job.path("job")
        .path("parameters")
        .properties()
        .forEach(e ->
            lines.add(String.format(Locale.ROOT, "  %-22s %s", e.getKey(), e.getValue().asText())));
    optional(lines, "provider   ", job.path("provider"));
    lines.add("price max  " + job.path("job").path("priceMax").asText());
    optional(lines, "price      ", job.path("price"));
    optional(lines, "paid       ", job.path("paid"));
    optional(lines, "channel    ", job.path("channel"));
    for (JsonNode m : job.path("milestones")) {
      lines.add(
          "milestone  "
              + m.path("number").asText()
              + " "
              + m.path("state").asText()
              + ", "
              + m.path("steps").asText()
              + " steps, "
              + m.path("amountDue").asText()
              + " due, proof "
              + m.path("proof").asText());
    }
    optional(lines, "output     ", job.path("output"));
    optional(lines, "new model  ", job.path("outputModel"));
    for (JsonNode t : job.path("transactions")) {
      lines.add(
          "chain      "
              + t.path("purpose").asText()
              + " "
              + t.path("status").asText()
              + " "
              + t.path("transaction").asText("-")
              + " gas "
              + t.path("gasUsed").asText("-"));
    }
    lines.add("created    " + job.path("createdAt").asText());
    lines.add("updated    " + job.path("updatedAt").asText());
    return lines;
  }

  private static void optional(List<String> lines, String label, JsonNode value) {
    if (!value.isMissingNode()) {
      lines.add(label + value.asText());
    }
  }

  /// A state, with why.
  static String state(JsonNode job) {
    String state = job.path("state").asText();
    String code = job.path("code").asText("");
    String message = job.path("message").asText("");
    return state
        + (code.isEmpty() ? "" : " (" + code + ")")
        + (message.isEmpty() ? "" : ": " + message);
  }

  /// The first digits of an id, enough for a person.
  static String shortId(String id) {
    return id.length() <= SHORT_ID_CHARS ? id : id.substring(0, SHORT_ID_CHARS);
  }

  /// What to say beside a progress bar.
  static String detail(JsonNode progress) {
    StringBuilder text = new StringBuilder();
    if (progress.hasNonNull("loss")) {
      text.append(String.format(Locale.ROOT, "loss %.4f  ", progress.path("loss").asDouble()));
    }
    double speed = progress.path("tokensPerSecond").asDouble();
    if (speed > 0) {
      text.append(String.format(Locale.ROOT, "%.0f tokens/s", speed));
    }
    return text.toString().strip();
  }

  private static String progress(JsonNode progress) {
    return progress.isMissingNode()
        ? "-"
        : progress.path("step").asText() + "/" + progress.path("total").asText();
  }
}
