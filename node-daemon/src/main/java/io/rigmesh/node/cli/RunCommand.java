package io.rigmesh.node.cli;

import io.rigmesh.protocol.Task;
import io.rigmesh.worker.task.LocalEngine;
import java.nio.file.Path;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// The engine alone: continues a prompt.
@Command(
    name = "run",
    description = {
      "Continue a prompt with a model folder on this machine: no node, no chain. The text, or with"
          + " --tokens the token ids, on standard output; everything else on standard error."
    })
final class RunCommand implements Callable<Integer> {
  @Mixin private EngineOptions engine;

  @Mixin private SamplingOptions sampling;

  @Option(names = "--seed", defaultValue = "0", paramLabel = "N", description = "Keys randomness.")
  private String seed;

  @Option(names = "--tokens", description = "Print token ids as a JSON list, not text.")
  private boolean tokens;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    Path model = engine.model();
    Task.Generate task = sampling.task(model.toString(), new TreeMap<>());
    long started = System.nanoTime();
    try (LocalEngine local = engine.open()) {
      LocalEngine.Generated made =
          local.generate(
              model,
              sampling.input(),
              task,
              seed(),
              token -> {
                if (!tokens) {
                  console.out().print(token.text());
                  console.out().flush();
                }
              },
              () -> false);
      if (tokens) {
        console.print(
            made.tokens().stream().map(String::valueOf).collect(Collectors.joining(",", "[", "]")));
      } else {
        console.out().println();
      }
      double seconds = (System.nanoTime() - started) * 1e-9;
      console.say(
          String.format(
              java.util.Locale.ROOT,
              "%d tokens in %.1f s on %s (%s)",
              made.tokens().size(),
              seconds,
              local.deviceName(),
              made.reason()));
    }
    return ExitCode.OK;
  }

  private long seed() {
    try {
      return Long.parseUnsignedLong(seed);
    } catch (NumberFormatException e) {
      throw CliException.hopeless("--seed is a whole number from 0 to 2^64 - 1", e);
    }
  }
}
