package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// Shows a job.
@Command(name = "show", description = "Show a job.")
final class JobShowCommand implements Callable<Integer> {
  @Mixin private NodeOptions node;
  @Mixin private OutputOptions output;

  @Parameters(paramLabel = "ID", description = "The job's id.")
  private String id;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    JsonNode job = node.client().get("/v1/jobs/" + JobText.id(id));
    if (output.json()) {
      console.print(job);
    } else {
      JobText.lines(job).forEach(console::print);
    }
    return ExitCode.OK;
  }
}
