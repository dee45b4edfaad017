package io.rigmesh.node.cli;

import io.rigmesh.node.client.DaemonClient;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Submits a generation.
@Command(name = "generate", description = "Continue a prompt with a model.")
final class SubmitGenerateCommand implements Callable<Integer> {
  @Mixin private Submission submission;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "ROOT|JOB|DIR",
      description = "A model's root, the training job that made it, or a folder.")
  private String model;

  @Mixin private SamplingOptions sampling;

  @Option(
      names = "--logprobs",
      paramLabel = "N",
      description = "Tell the logarithms of each token's probability and of the N likeliest.")
  private @Nullable Integer logprobs;

  @Override
  public Integer call() {
    DaemonClient client = submission.client();
    TreeMap<String, String> more = new TreeMap<>();
    if (logprobs != null) {
      more.put("logprobs", Integer.toString(logprobs));
    }
    var task = sampling.task(model, more);
    var root = Submission.model(client, model);
    return submission.submit(
        client, task, Optional.of(root), Submission.uploadText(client, sampling.input()));
  }
}
