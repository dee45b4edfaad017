package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// Calls a job off.
@Command(name = "cancel", description = "Call a job off.")
final class JobCancelCommand implements Callable<Integer> {
  @Mixin private NodeOptions node;
  @Mixin private OutputOptions output;

  @Parameters(paramLabel = "ID", description = "The job's id.")
  private String id;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    JsonNode job = node.client().delete("/v1/jobs/" + JobText.id(id));
    if (output.json()) {
      console.print(job);
    } else {
      console.say(JobText.shortId(job.path("id").asText()) + " " + JobText.state(job));
    }
    return ExitCode.OK;
  }
}
