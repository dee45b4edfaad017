package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.generate.GenerationDefaults;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  @Option(
      names = "--suggested",
      description =
          "What is not said here is as the model's makers suggest: as generation_config.json of its"
              + " folder has it.")
  private boolean suggested;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      description = "0 for greedy, which is the default.")
  private @Nullable BigDecimal temperature;

  @Option(names = "--top-k", paramLabel = "K", description = "0 for all, which is the default.")
  private @Nullable Integer topK;

  @Option(names = "--top-p", paramLabel = "P", description = "1 for all, which is the default.")
  private @Nullable BigDecimal topP;

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
  /// @param model the model as it was named
  /// @param more settings of other options
  Task.Generate task(String model, Map<String, String> more) {
    if (!chat && (system != null || date != null)) {
      throw CliException.hopeless("--system and --date go with --chat");
    }
    TreeMap<String, String> settings = new TreeMap<>(more);
    settings.put("maxTokens", Integer.toString(maxTokens));
    GenerationDefaults makers = suggested ? suggestions(model) : GenerationDefaults.NONE;
    BigDecimal heat = said(temperature, makers.temperature(), BigDecimal.ZERO);
    settings.put("temperature", SubmitTrainCommand.spelt(heat));
    settings.put("topK", Integer.toString(topK != null ? topK : makers.topK().orElse(0)));
    settings.put("topP", SubmitTrainCommand.spelt(said(topP, makers.topP(), BigDecimal.ONE)));
    put(settings, "minP", said(minP, makers.minP(), BigDecimal.ZERO), BigDecimal.ZERO);
    put(
        settings,
        "repetitionPenalty",
        said(repetitionPenalty, makers.repetitionPenalty(), BigDecimal.ONE),
        BigDecimal.ONE);
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

  private static BigDecimal said(
      @Nullable BigDecimal here, Optional<Float> byMakers, BigDecimal otherwise) {
    if (here != null) {
      return here;
    }
    return byMakers.map(value -> new BigDecimal(Float.toString(value))).orElse(otherwise);
  }

  private static GenerationDefaults suggestions(String model) {
    Path folder = Path.of(model);
    if (!Files.isRegularFile(folder.resolve(GenerationDefaults.FILE))) {
      throw CliException.hopeless(
          "--suggested needs a model that is a folder here with a "
              + GenerationDefaults.FILE
              + ", which '"
              + model
              + "' is not; say --temperature and the like instead");
    }
    return GenerationDefaults.read(folder, Integer.MAX_VALUE);
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
