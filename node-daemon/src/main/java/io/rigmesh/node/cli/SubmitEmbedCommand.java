package io.rigmesh.node.cli;

import io.rigmesh.node.client.DaemonClient;
import io.rigmesh.protocol.Task;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Submits an embedding.
@Command(name = "embed", description = "Turn each line of a file into a vector.")
final class SubmitEmbedCommand implements Callable<Integer> {
  @Mixin private Submission submission;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "ROOT|DIR",
      description = "A model's root, or a folder.")
  private String model;

  @Option(
      names = "--input",
      required = true,
      paramLabel = "FILE",
      description = "Sentences, one a line, UTF-8.")
  private Path input;

  @Override
  public Integer call() {
    DaemonClient client = submission.client();
    var root = Submission.model(client, model);
    return submission.submit(client, new Task.Embed(), Optional.of(root), client.upload(input));
  }
}
