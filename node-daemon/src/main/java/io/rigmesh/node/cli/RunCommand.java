package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.task.LocalEngine;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
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

  @Option(names = "--prompt", required = true, paramLabel = "TEXT", description = "The prompt.")
  private String prompt;

  @Option(
      names = "--chat",
      description = "The prompt is a user's message, put into the model's own chat template.")
  private boolean chat;

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "With --chat: what the model is told before the message.")
  private @Nullable String system;

  @Option(
      names = "--date",
      paramLabel = "DAY",
      description = "With --chat: the day that templates call today's. Default: today's in UTC.")
  private @Nullable LocalDate date;

  @Option(names = "--max-tokens", defaultValue = "128", description = "Tokens to make at most.")
  private int maxTokens;

  @Option(names = "--temperature", defaultValue = "0", description = "0 for greedy.")
  private BigDecimal temperature;

  @Option(names = "--top-k", defaultValue = "0", description = "0 for all.")
  private int topK;

  @Option(names = "--top-p", defaultValue = "1", description = "1 for all.")
  private BigDecimal topP;

  @Option(names = "--seed", defaultValue = "0", paramLabel = "N", description = "Keys randomness.")
  private String seed;

  @Option(names = "--tokens", description = "Print token ids as a JSON list, not text.")
  private boolean tokens;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    if (!chat && (system != null || date != null)) {
      throw CliException.hopeless("--system and --date go with --chat");
    }
    TreeMap<String, String> settings = new TreeMap<>();
    if (chat) {
      settings.put("chat", "true");
    }
    settings.put("maxTokens", Integer.toString(maxTokens));
    settings.put("temperature", SubmitTrainCommand.spelt(temperature));
    settings.put("topK", Integer.toString(topK));
    settings.put("topP", SubmitTrainCommand.spelt(topP));
    Task.Generate task = (Task.Generate) Submission.task(JobKind.GENERATE, settings);
    Path model = engine.model();
    long started = System.nanoTime();
    try (LocalEngine local = engine.open()) {
      LocalEngine.Generated made =
          local.generate(
              model,
              chat ? messages() : prompt,
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

  /// The input of a chat job: messages and a day, as JSON.
  private String messages() {
    ObjectNode input = JsonNodeFactory.instance.objectNode();
    input.put("date", (date == null ? LocalDate.now(ZoneOffset.UTC) : date).toString());
    ArrayNode messages = input.putArray("messages");
    if (system != null) {
      messages.addObject().put("role", "system").put("content", system);
    }
    messages.addObject().put("role", "user").put("content", prompt);
    return input.toString();
  }

  private long seed() {
    try {
      return Long.parseUnsignedLong(seed);
    } catch (NumberFormatException e) {
      throw CliException.hopeless("--seed is a whole number from 0 to 2^64 - 1", e);
    }
  }
}
