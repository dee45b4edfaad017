package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Task;
import java.math.BigDecimal;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// A prompt, and how its continuation is chosen and where it ends.
final class SamplingOptions {
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

  @Option(
      names = "--min-p",
      paramLabel = "P",
      description = "Leave out what is less likely than this share of the likeliest.")
  private @Nullable BigDecimal minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "X",
      description = "Make tokens of the prompt and the text less likely; 1 for not.")
  private @Nullable BigDecimal repetitionPenalty;

  @Option(
      names = "--presence-penalty",
      paramLabel = "X",
      description = "Taken from the logits of generated tokens.")
  private @Nullable BigDecimal presencePenalty;

  @Option(
      names = "--frequency-penalty",
      paramLabel = "X",
      description = "The same for every time that they were generated.")
  private @Nullable BigDecimal frequencyPenalty;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "Ends the text before it; at most four.")
  private List<String> stops = new ArrayList<>();

  /// The task, as it is spelt in a job.
  ///
  /// @param more settings of other options
  Task.Generate task(Map<String, String> more) {
    if (!chat && (system != null || date != null)) {
      throw CliException.hopeless("--system and --date go with --chat");
    }
    TreeMap<String, String> settings = new TreeMap<>(more);
    settings.put("maxTokens", Integer.toString(maxTokens));
    settings.put("temperature", SubmitTrainCommand.spelt(temperature));
    settings.put("topK", Integer.toString(topK));
    settings.put("topP", SubmitTrainCommand.spelt(topP));
    put(settings, "minP", minP, BigDecimal.ZERO);
    put(settings, "repetitionPenalty", repetitionPenalty, BigDecimal.ONE);
    put(settings, "presencePenalty", presencePenalty, BigDecimal.ZERO);
    put(settings, "frequencyPenalty", frequencyPenalty, BigDecimal.ZERO);
    for (int i = 0; i < stops.size(); i++) {
      settings.put("stop" + (i + 1), stops.get(i));
    }
    if (chat) {
      settings.put("chat", "true");
    }
    return (Task.Generate) Submission.task(JobKind.GENERATE, settings);
  }

  /// What changes nothing stands in no job.
  private static void put(
      Map<String, String> settings, String name, @Nullable BigDecimal value, BigDecimal none) {
    if (value != null && value.compareTo(none) != 0) {
      settings.put(name, SubmitTrainCommand.spelt(value));
    }
  }

  /// The job's input.
  String input() {
    if (!chat) {
      return prompt;
    }
    LocalDate day = date == null ? LocalDate.now(ZoneOffset.UTC) : date;
    ObjectNode root = JsonNodeFactory.instance.objectNode().put("date", day.toString());
    ArrayNode messages = root.putArray("messages");
    if (system != null) {
      messages.addObject().put("role", "system").put("content", system);
    }
    messages.addObject().put("role", "user").put("content", prompt);
    return root.toString();
  }
}
