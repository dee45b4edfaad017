package io.rigmesh.node.cli;

import io.rigmesh.node.client.DaemonClient;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Submits a training.
@Command(
    name = "train",
    description = {
      "Train a language model on a text: a new one of the shape that is given, or on from --model."
    })
final class SubmitTrainCommand implements Callable<Integer> {
  @Mixin private Submission submission;

  @Option(
      names = "--text",
      required = true,
      paramLabel = "FILE_OR_DIR",
      description =
          "A text file, or a folder whose text files are taken in the order of their paths.")
  private Path text;

  @Option(
      names = "--text-bytes-max",
      paramLabel = "N",
      defaultValue = "67108864",
      description = "Refuse more text than this (default: ${DEFAULT-VALUE}).")
  private long textBytesMax;

  @Option(
      names = "--model",
      paramLabel = "ROOT|JOB|DIR",
      description = "Go on from this model instead of making a new one.")
  private @Nullable String model;

  @Option(names = "--steps", defaultValue = "300", description = "Optimiser steps.")
  private int steps;

  @Option(names = "--batch", defaultValue = "8", description = "Sequences per step.")
  private int batch;

  @Option(names = "--context", defaultValue = "128", description = "Tokens per sequence.")
  private int context;

  @Option(names = "--learning-rate", defaultValue = "0.003", description = "Peak learning rate.")
  private BigDecimal learningRate;

  @Option(names = "--warmup-steps", defaultValue = "20", description = "Steps of warm-up.")
  private int warmupSteps;

  @Option(names = "--weight-decay", defaultValue = "0.1", description = "Of matrices only.")
  private BigDecimal weightDecay;

  @Option(names = "--clip-norm", defaultValue = "1", description = "Largest gradient norm.")
  private BigDecimal clipNorm;

  @Option(
      names = "--checkpoint-every",
      defaultValue = "50",
      description = "Steps between two committed checkpoints.")
  private int checkpointEverySteps;

  @Option(
      names = "--milestones",
      defaultValue = "1",
      description =
          "In how many parts it is proven and paid while it goes on, at most as many as there are"
              + " checkpoints (default: ${DEFAULT-VALUE}). Each costs a transaction.")
  private int milestones;

  @Option(names = "--layers", defaultValue = "4", description = "Of a new model.")
  private int layers;

  @Option(names = "--dim", defaultValue = "128", description = "Of a new model.")
  private int dim;

  @Option(names = "--heads", defaultValue = "4", description = "Of a new model.")
  private int heads;

  @Option(names = "--kv-heads", defaultValue = "2", description = "Of a new model.")
  private int kvHeads;

  @Option(names = "--ffn-dim", defaultValue = "384", description = "Of a new model.")
  private int ffnDim;

  @Option(names = "--vocabulary", defaultValue = "1024", description = "Of a new tokenizer.")
  private int vocabulary;

  @Override
  public Integer call() {
    DaemonClient client = submission.client();
    TreeMap<String, String> settings = new TreeMap<>();
    settings.put("steps", Integer.toString(steps));
    settings.put("batch", Integer.toString(batch));
    settings.put("context", Integer.toString(context));
    settings.put("learningRate", spelt(learningRate));
    settings.put("warmupSteps", Integer.toString(warmupSteps));
    settings.put("weightDecay", spelt(weightDecay));
    settings.put("clipNorm", spelt(clipNorm));
    settings.put("checkpointEverySteps", Integer.toString(checkpointEverySteps));
    if (milestones != 1) {
      settings.put("milestones", Integer.toString(milestones));
    }
    if (model == null) {
      settings.put("layers", Integer.toString(layers));
      settings.put("dim", Integer.toString(dim));
      settings.put("heads", Integer.toString(heads));
      settings.put("kvHeads", Integer.toString(kvHeads));
      settings.put("ffnDim", Integer.toString(ffnDim));
      settings.put("vocabulary", Integer.toString(vocabulary));
    }
    var task = Submission.task(JobKind.TRAIN, settings);
    Optional<Hash> root = Optional.ofNullable(model).map(m -> Submission.model(client, m));
    TextSource source = TextSource.of(text, textBytesMax);
    Hash input;
    try {
      input = client.upload(source.text());
    } finally {
      source.discard();
    }
    return submission.submit(client, task, root, input);
  }

  /// The one spelling that jobs know: no exponent, no superfluous zeros.
  static String spelt(BigDecimal value) {
    return value.signum() == 0 ? "0" : value.stripTrailingZeros().toPlainString();
  }
}
