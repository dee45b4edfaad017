package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// Follows a job to its end.
@Command(
    name = "watch",
    description = {
      "Follow a job to its end: tokens on standard output, everything else on standard error.",
      "With --json each event is a line of JSON."
    })
final class JobWatchCommand implements Callable<Integer> {
  @Mixin private NodeOptions node;
  @Mixin private OutputOptions output;

  @Parameters(paramLabel = "ID", description = "The job's id.")
  private String id;

  @Override
  public Integer call() {
    JobFollower follower = new JobFollower(node.client(), Console.ofProcess(), output.json());
    JsonNode job = follower.follow(JobText.id(id), true);
    return JobFollower.exitCode(job);
  }
}
