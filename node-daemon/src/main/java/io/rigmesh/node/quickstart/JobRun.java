package io.rigmesh.node.quickstart;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.node.client.DaemonClient;
import io.rigmesh.node.jobs.JobDraft;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.ReceiptFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;

/// One job, from the draft to the end: submitted, shown while it runs, and its receipt and output
/// downloaded.
final class JobRun {
  private static final Pattern MILESTONE = Pattern.compile("^milestone \\d+ of \\d+ is");
  private static final Set<String> GOOD = Set.of("settled");

  private final DaemonClient requester;
  private final Progress progress;
  private final String id;
  private double tokensPerSecond;
  private long step;
  private String choice = "";
  private final List<String> milestones = new ArrayList<>();

  private JobRun(DaemonClient requester, Progress progress, String id) {
    this.requester = requester;
    this.progress = progress;
    this.id = id;
  }

  /// What came of a job.
  ///
  /// @param id its id
  /// @param view its view at the end, as REST gives it
  /// @param receipt its receipt
  /// @param receiptFile where that lies
  /// @param folder the output folder, downloaded
  /// @param tokensPerSecond as the worker measured it last
  /// @param milestones what was said of its milestones, with the step at which it stood then
  /// @param choice which provider was chosen and why, in one sentence
  record Outcome(
      String id,
      JsonNode view,
      ReceiptFile receipt,
      Path receiptFile,
      Path folder,
      double tokensPerSecond,
      List<String> milestones,
      String choice) {}

  /// Runs a job to its end.
  ///
  /// @param folder gets `receipt.json` and `output/`
  static Outcome run(DaemonClient requester, JobDraft draft, Path folder, Progress progress) {
    String id = requester.post("/v1/jobs", JobJson.write(draft)).path("id").asText();
    return new JobRun(requester, progress, id).finish(folder);
  }

  private Outcome finish(Path folder) {
    requester.follow(id, this::show);
    progress.end();
    JsonNode view = requester.get("/v1/jobs/" + id);
    String state = view.path("state").asText();
    if (!GOOD.contains(state)) {
      throw new QuickstartException(
          "the job "
              + id
              + " ended "
              + state
              + ": "
              + view.path("message").asText("its daemon's log says more"));
    }
    try {
      Path receiptFile = folder.resolve("receipt.json");
      Files.createDirectories(folder);
      Files.write(receiptFile, requester.bytes("/v1/jobs/" + id + "/receipt"));
      Path output = folder.resolve("output");
      for (JsonNode file : requester.get("/v1/jobs/" + id + "/artifacts").path("files")) {
        String path = file.path("path").asText();
        requester.download(
            "/v1/jobs/" + id + "/artifacts/" + DaemonClient.escaped(path), output.resolve(path));
      }
      return new Outcome(
          id,
          view,
          ProtocolJson.readReceiptFile(Files.readAllBytes(receiptFile)),
          receiptFile,
          output,
          tokensPerSecond,
          List.copyOf(milestones),
          choice);
    } catch (IOException | MalformedException e) {
      throw new QuickstartException("the receipt of job " + id + " is no good: " + e, e);
    }
  }

  private void show(String type, JsonNode event) {
    JsonNode data = event.path("data");
    switch (type) {
      case "progress" -> {
        tokensPerSecond = data.path("tokensPerSecond").asDouble();
        step = data.path("step").asLong();
        String loss =
            data.has("loss")
                ? String.format(Locale.ROOT, "loss %.3f, ", data.path("loss").asDouble())
                : "";
        progress.show(
            data.path("step").asLong(),
            data.path("total").asLong(),
            loss + String.format(Locale.ROOT, "%,.0f tokens/s", tokensPerSecond));
      }
      case "note" -> {
        String message = data.path("message").asText();
        if (message.startsWith("chose ")) {
          choice = message;
        } else if (MILESTONE.matcher(message).find()) {
          milestones.add("at step " + step + ": " + message);
        }
      }
      default -> {
        // Tokens are printed whole at the end; states and notes are in the daemons' logs.
      }
    }
  }
}
