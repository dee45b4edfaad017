package io.rigmesh.node.cli;

import io.rigmesh.worker.task.LocalEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// The engine alone: sentences to vectors.
@Command(
    name = "embed",
    description = {
      "Turn each line of a file into a vector with a model folder on this machine: no node, no"
          + " chain. One JSON list a line on standard output; everything else on standard error."
    })
final class EmbedCommand implements Callable<Integer> {
  private static final long INPUT_BYTES_MAX = 256L << 20;

  @Mixin private EngineOptions engine;

  @Option(
      names = "--input",
      required = true,
      paramLabel = "FILE",
      description = "Sentences, one a line, UTF-8.")
  private Path input;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    List<String> sentences = sentences();
    Path model = engine.model();
    long started = System.nanoTime();
    try (LocalEngine local = engine.open()) {
      for (float[] vector : local.embed(model, sentences)) {
        console.print(json(vector));
      }
      double seconds = (System.nanoTime() - started) * 1e-9;
      console.say(
          String.format(
              Locale.ROOT,
              "%d sentences in %.1f s on %s",
              sentences.size(),
              seconds,
              local.deviceName()));
    }
    return ExitCode.OK;
  }

  private List<String> sentences() {
    try {
      if (Files.size(input) > INPUT_BYTES_MAX) {
        throw CliException.hopeless(
            input + " has more than " + INPUT_BYTES_MAX + " bytes; split it");
      }
      return Files.readAllLines(input);
    } catch (IOException e) {
      throw CliException.hopeless("cannot read " + input + ": " + e.getMessage(), e);
    }
  }

  /// The shortest decimals that read back as the same floats.
  private static String json(float[] vector) {
    StringBuilder line = new StringBuilder("[");
    for (int i = 0; i < vector.length; i++) {
      line.append(i == 0 ? "" : ",").append(vector[i]);
    }
    return line.append(']').toString();
  }
}
