package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.node.client.DaemonClient;

/// Shows a job from now to its end: a bar for progress, tokens as text as they come, states as
/// lines; or, as JSON, one event a line.
final class JobFollower {
  private final DaemonClient client;
  private final Console console;
  private final boolean json;

  JobFollower(DaemonClient client, Console console, boolean json) {
    this.client = client;
    this.console = console;
    this.json = json;
  }

  /// Follows a job.
  ///
  /// @param events whether to print what happens as data, and not only to show it
  /// @return the job at its end
  JsonNode follow(String id, boolean events) {
    String kind = client.get("/v1/jobs/" + id).path("job").path("kind").asText();
    ProgressBar bar = new ProgressBar(console, kind);
    boolean[] inText = {false};
    client.follow(
        id,
        (type, event) -> {
          if (json && events) {
            console.print(event.toString());
            return;
          }
          JsonNode data = event.path("data");
          switch (type) {
            case "progress" -> {
              if (!inText[0]) {
                bar.show(
                    data.path("step").asLong(), data.path("total").asLong(), JobText.detail(data));
              }
            }
            case "token" -> {
              if (events && !json) {
                bar.end();
                inText[0] = true;
                console.out().print(data.path("text").asText());
                console.out().flush();
              }
            }
            case "state" -> {
              if (inText[0]) {
                console.out().println();
                inText[0] = false;
              }
              bar.end();
              console.say(JobText.shortId(id) + " " + JobText.state(data));
            }
            default -> {
              bar.end();
              console.say(data.path("message").asText(data.toString()));
            }
          }
        });
    bar.end();
    return client.get("/v1/jobs/" + id);
  }

  /// What a job's end means for whoever waited.
  static int exitCode(JsonNode job) {
    return switch (job.path("state").asText()) {
      case "completed", "settled" -> ExitCode.OK;
      case "refused" ->
          switch (job.path("code").asText()) {
            case "busy", "unavailable" -> ExitCode.RETRY;
            default -> ExitCode.HOPELESS;
          };
      case "disputed" -> ExitCode.HOPELESS;
      default -> ExitCode.RETRY;
    };
  }
}
