package io.rigmesh.node.cli;

import io.rigmesh.node.client.DaemonClient;
import io.rigmesh.protocol.JobKind;
import java.math.BigDecimal;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
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

  @Option(names = "--prompt", required = true, paramLabel = "TEXT", description = "The prompt.")
  private String prompt;

  @Option(names = "--max-tokens", defaultValue = "128", description = "Tokens to make at most.")
  private int maxTokens;

  @Option(names = "--temperature", defaultValue = "0", description = "0 for greedy.")
  private BigDecimal temperature;

  @Option(names = "--top-k", defaultValue = "0", description = "0 for all.")
  private int topK;

  @Option(names = "--top-p", defaultValue = "1", description = "1 for all.")
  private BigDecimal topP;

  @Override
  public Integer call() {
    DaemonClient client = submission.client();
    TreeMap<String, String> settings = new TreeMap<>();
    settings.put("maxTokens", Integer.toString(maxTokens));
    settings.put("temperature", SubmitTrainCommand.spelt(temperature));
    settings.put("topK", Integer.toString(topK));
    settings.put("topP", SubmitTrainCommand.spelt(topP));
    var task = Submission.task(JobKind.GENERATE, settings);
    var root = Submission.model(client, model);
    return submission.submit(
        client, task, Optional.of(root), Submission.uploadText(client, prompt));
  }
}
