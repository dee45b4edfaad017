package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.linecorp.armeria.common.HttpStatus;
import io.rigmesh.protocol.GenerateOptions;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Task;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// The body of a request of OpenAI's interface. What is not done here is refused by its name; only
/// what is null, or asks for what happens anyway, may stand there.
final class OpenAiRequest {
  /// Labels that change no answer.
  private static final Set<String> LABELS =
      Set.of("user", "safety_identifier", "prompt_cache_key", "metadata");

  /// Of generations: OpenAI's names, then those of others' extensions, then this market's.
  private static final Set<String> GENERATION =
      Set.of(
          "model",
          "stream",
          "stream_options",
          "temperature",
          "top_p",
          "max_tokens",
          "stop",
          "seed",
          "presence_penalty",
          "frequency_penalty",
          "logit_bias",
          "logprobs",
          "top_k",
          "min_p",
          "repetition_penalty",
          "profile",
          "deadline_seconds");

  /// What may be asked for as long as it is what happens anyway.
  private static final Map<String, String> NEUTRAL =
      Map.of(
          "n", "1",
          "best_of", "1",
          "echo", "false",
          "store", "false",
          "response_format", "{\"type\":\"text\"}",
          "modalities", "[\"text\"]",
          "tool_choice", "\"none\"",
          "service_tier", "\"auto\"",
          "verbosity", "\"medium\"");

  private static final long DEADLINE_SECONDS = 3_600;
  private static final int CHAT_TOKENS = 1_024;
  private static final int COMPLETION_TOKENS = 16;
  private static final int EMBEDDINGS_MAX = 2_048;

  private final JsonNode body;

  private OpenAiRequest(JsonNode body) {
    this.body = body;
  }

  /// A request for a chat's next message.
  static OpenAiRequest chat(byte[] bytes) {
    return of(bytes, GENERATION, Set.of("messages", "max_completion_tokens", "top_logprobs"));
  }

  /// A request for the continuation of a prompt.
  static OpenAiRequest completion(byte[] bytes) {
    return of(bytes, GENERATION, Set.of("prompt"));
  }

  /// A request for vectors.
  static OpenAiRequest embedding(byte[] bytes) {
    return of(
        bytes,
        Set.of("model", "input", "encoding_format", "dimensions"),
        Set.of("profile", "deadline_seconds"));
  }

  private static OpenAiRequest of(byte[] bytes, Set<String> known, Set<String> more) {
    JsonNode body = ProtocolJson.parse(bytes, "the body");
    body.fieldNames()
        .forEachRemaining(name -> {
          JsonNode value = body.get(name);
          boolean fine =
              value.isNull()
                  || known.contains(name)
                  || more.contains(name)
                  || LABELS.contains(name)
                  || value.toString().equals(NEUTRAL.get(name));
          if (!fine) {
            throw unsupported(name);
          }
        });
    return new OpenAiRequest(body);
  }

  /// The refusal of a parameter that would change the answer and is not understood.
  static ApiException unsupported(String name) {
    return new ApiException(
        HttpStatus.BAD_REQUEST,
        ApiException.Type.INVALID_REQUEST,
        "unsupported_parameter",
        Optional.of(name),
        "'" + name + "' is not supported here with this value; leave it out");
  }

  /// The model's name or root.
  String model() {
    return text("model")
        .orElseThrow(() -> ApiException.invalid("model", "model names one of /v1/models"));
  }

  /// The messages as a job's input.
  byte[] messages() {
    return ChatMessages.input(body.path("messages"), LocalDate.now(ZoneOffset.UTC));
  }

  /// The one prompt.
  String prompt() {
    JsonNode prompt = body.path("prompt");
    JsonNode one = prompt.isArray() && prompt.size() == 1 ? prompt.get(0) : prompt;
    if (!one.isTextual()) {
      throw ApiException.invalid("prompt", "prompt is one text; ask once for each of several");
    }
    return one.asText();
  }

  /// The texts to embed.
  List<String> inputs() {
    JsonNode input = body.path("input");
    List<String> texts = new ArrayList<>();
    if (input.isTextual()) {
      texts.add(input.asText());
    }
    for (JsonNode element : input) {
      if (!element.isTextual()) {
        throw ApiException.invalid("input", "input is a text or a list of texts");
      }
      texts.add(element.asText());
    }
    if (texts.isEmpty() || texts.size() > EMBEDDINGS_MAX) {
      throw ApiException.invalid("input", "input has 1 to " + EMBEDDINGS_MAX + " texts");
    }
    if (texts.stream().anyMatch(String::isEmpty)) {
      throw ApiException.invalid("input", "input has an empty text");
    }
    return texts;
  }

  /// Whether vectors are wanted as base64 of binary32, little-endian, rather than as numbers.
  boolean base64() {
    String format = text("encoding_format").orElse("float");
    if (!format.equals("float") && !format.equals("base64")) {
      throw ApiException.invalid("encoding_format", "encoding_format is float or base64");
    }
    return format.equals("base64");
  }

  /// How long vectors have to be, if that is said.
  OptionalInt dimensions() {
    return has("dimensions")
        ? OptionalInt.of((int) integer("dimensions", 1, 1 << 20))
        : OptionalInt.empty();
  }

  boolean stream() {
    return flag("stream");
  }

  /// Whether a stream ends with the usage.
  boolean streamUsage() {
    JsonNode options = body.path("stream_options");
    if (!options.isMissingNode() && !options.isNull() && !stream()) {
      throw ApiException.invalid("stream_options", "stream_options needs stream");
    }
    options
        .fieldNames()
        .forEachRemaining(name -> {
          if (!name.equals("include_usage") && !name.equals("include_obfuscation")) {
            throw unsupported("stream_options." + name);
          }
        });
    return options.path("include_usage").asBoolean();
  }

  /// Which arithmetic.
  Profile profile() {
    try {
      return text("profile").map(Profile::of).orElse(Profile.F32_V1);
    } catch (MalformedException e) {
      throw ApiException.invalid("profile", e.sentence());
    }
  }

  OptionalLong seed() {
    return has("seed")
        ? OptionalLong.of(integer("seed", Long.MIN_VALUE, Long.MAX_VALUE))
        : OptionalLong.empty();
  }

  long deadlineSeconds() {
    return has("deadline_seconds")
        ? integer("deadline_seconds", 1, 30L * 24 * 3_600)
        : DEADLINE_SECONDS;
  }

  /// What a chat asks a model to do.
  Task.Generate chatTask() {
    boolean told = flag("logprobs");
    if (!told && has("top_logprobs")) {
      throw ApiException.invalid("top_logprobs", "top_logprobs needs logprobs to be true");
    }
    OptionalInt logprobs =
        told
            ? OptionalInt.of(
                has("top_logprobs")
                    ? (int) integer("top_logprobs", 0, GenerateOptions.LOGPROBS_MAX)
                    : 0)
            : OptionalInt.empty();
    if (has("max_tokens") && has("max_completion_tokens")) {
      throw ApiException.invalid(
          "max_tokens", "max_tokens and max_completion_tokens say the same; give one");
    }
    String name = has("max_completion_tokens") ? "max_completion_tokens" : "max_tokens";
    return task(true, maxTokens(name, CHAT_TOKENS), logprobs);
  }

  /// What a completion asks a model to do.
  Task.Generate completionTask() {
    OptionalInt logprobs =
        has("logprobs")
            ? OptionalInt.of((int) integer("logprobs", 0, GenerateOptions.LOGPROBS_MAX))
            : OptionalInt.empty();
    return task(false, maxTokens("max_tokens", COMPLETION_TOKENS), logprobs);
  }

  private int maxTokens(String name, int fallback) {
    return has(name) ? (int) integer(name, 1, 131_072) : fallback;
  }

  private Task.Generate task(boolean chat, int maxTokens, OptionalInt logprobs) {
    try {
      return new Task.Generate(
          maxTokens,
          real("temperature", 0, 2, 1),
          has("top_k") ? (int) Math.max(0, integer("top_k", -1, 1_000_000)) : 0,
          real("top_p", 1e-6, 1, 1),
          new GenerateOptions(
              chat,
              real("min_p", 0, 1, 0),
              real("repetition_penalty", 0.01, 100, 1),
              real("presence_penalty", -2, 2, 0),
              real("frequency_penalty", -2, 2, 0),
              biases(),
              stops(),
              logprobs));
    } catch (MalformedException e) {
      throw ApiException.malformed(e.sentence());
    }
  }

  private List<String> stops() {
    JsonNode stop = body.path("stop");
    List<String> stops = new ArrayList<>();
    if (stop.isTextual()) {
      stops.add(stop.asText());
    }
    for (JsonNode element : stop) {
      if (!element.isTextual()) {
        throw ApiException.invalid("stop", "stop is a text or a list of texts");
      }
      stops.add(element.asText());
    }
    return stops;
  }

  private SortedMap<Integer, Float> biases() {
    SortedMap<Integer, Float> biases = new TreeMap<>();
    body.path("logit_bias")
        .properties()
        .forEach(entry -> {
          double bias = entry.getValue().asDouble(Double.NaN);
          if (!entry.getKey().matches("[0-9]{1,9}") || !(Math.abs(bias) <= 100)) {
            throw ApiException.invalid(
                "logit_bias", "logit_bias maps token ids to numbers from -100 to 100");
          }
          biases.put(Integer.valueOf(entry.getKey()), (float) bias);
        });
    return biases;
  }

  private boolean has(String name) {
    return body.hasNonNull(name);
  }

  private boolean flag(String name) {
    if (!has(name)) {
      return false;
    }
    if (!body.get(name).isBoolean()) {
      throw ApiException.invalid(name, name + " is true or false");
    }
    return body.get(name).asBoolean();
  }

  private Optional<String> text(String name) {
    if (!has(name)) {
      return Optional.empty();
    }
    if (!body.get(name).isTextual()) {
      throw ApiException.invalid(name, name + " is a text");
    }
    return Optional.of(body.get(name).asText());
  }

  private long integer(String name, long min, long max) {
    JsonNode value = body.get(name);
    if (!value.isIntegralNumber()
        || !value.canConvertToLong()
        || value.asLong() < min
        || value.asLong() > max) {
      throw ApiException.invalid(
          name, name + " is a whole number from %d to %d".formatted(min, max));
    }
    return value.asLong();
  }

  private float real(String name, double min, double max, double fallback) {
    if (!has(name)) {
      return (float) fallback;
    }
    JsonNode value = body.get(name);
    if (!value.isNumber() || !(value.asDouble() >= min && value.asDouble() <= max)) {
      throw ApiException.invalid(name, "%s is a number from %s to %s".formatted(name, min, max));
    }
    return (float) value.asDouble();
  }
}
