package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.node.client.DaemonClient;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Lists jobs.
@Command(name = "list", description = "List jobs, newest first.")
final class JobListCommand implements Callable<Integer> {
  @Mixin private NodeOptions node;
  @Mixin private OutputOptions output;

  @Option(names = "--state", paramLabel = "STATE", description = "Only jobs in this state.")
  private @Nullable String state;

  @Option(names = "--role", paramLabel = "ROLE", description = "Only as provider or requester.")
  private @Nullable String role;

  @Option(names = "--limit", paramLabel = "N", defaultValue = "20", description = "At most N.")
  private int limit;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    StringBuilder path = new StringBuilder("/v1/jobs?limit=").append(limit);
    if (state != null) {
      path.append("&state=").append(DaemonClient.escaped(state));
    }
    if (role != null) {
      path.append("&role=").append(DaemonClient.escaped(role));
    }
    JsonNode answer = node.client().get(path.toString());
    if (output.json()) {
      console.print(answer);
    } else {
      console.table(JobText.rows(answer.path("jobs")));
    }
    return ExitCode.OK;
  }
}
