package io.rigmesh.protocol;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.SortedMap;
import java.util.TreeMap;

/// Settings of a generation that most jobs leave as they are. One that changes nothing is not among
/// a job's parameters, so that a job has one form.
///
/// @param chat whether the input is a JSON object of chat messages, which the model's own template
///   turns into the prompt
/// @param minP tokens less likely than this share of the likeliest one's probability are left out,
///   0 to 1; 0 for none
/// @param repetitionPenalty what positive logits of tokens of the prompt and the text are divided
///   by and others multiplied with, 0.01 to 100; 1 for nothing
/// @param presencePenalty what is taken from the logits of generated tokens, -100 to 100
/// @param frequencyPenalty what is taken from them for each time they were generated, -100 to 100
/// @param logitBias what is added to the logits of single tokens, -100 to 100, for at most 64
/// @param stop texts that end the generation and are not part of its text: at most 4, of 1 to 256
///   UTF-8 bytes
/// @param logprobs how many of the likeliest tokens are told with the logarithms of their
///   probabilities beside each token, 0 to 20; empty for nothing, not even the token's own
public record GenerateOptions(
    boolean chat,
    float minP,
    float repetitionPenalty,
    float presencePenalty,
    float frequencyPenalty,
    SortedMap<Integer, Float> logitBias,
    List<String> stop,
    OptionalInt logprobs) {
  /// The most stop texts.
  public static final int STOPS_MAX = 4;

  /// The longest stop text, in UTF-8.
  public static final int STOP_BYTES_MAX = 256;

  /// The most tokens with a bias.
  public static final int BIASES_MAX = 64;

  /// The most likely tokens that are told.
  public static final int LOGPROBS_MAX = 20;

  private static final int TOKENS_MAX = 1 << 24;
  private static final float PENALTY_MAX = 100f;

  /// Nothing of all that.
  public static final GenerateOptions NONE =
      new GenerateOptions(false, 0f, 1f, 0f, 0f, new TreeMap<>(), List.of(), OptionalInt.empty());

  /// Copies the collections and checks the bounds.
  public GenerateOptions {
    // A zero has one spelling.
    minP += 0f;
    presencePenalty += 0f;
    frequencyPenalty += 0f;
    logitBias = Collections.unmodifiableSortedMap(new TreeMap<>(logitBias));
    stop = List.copyOf(stop);
    if (stop.size() > STOPS_MAX) {
      throw new MalformedException(
          "a generation has at most " + STOPS_MAX + " stop texts, not " + stop.size());
    }
    for (String text : stop) {
      int bytes = text.getBytes(StandardCharsets.UTF_8).length;
      if (bytes == 0 || bytes > STOP_BYTES_MAX) {
        throw new MalformedException(
            "a stop text has 1 to " + STOP_BYTES_MAX + " bytes, not " + bytes);
      }
    }
    if (logitBias.size() > BIASES_MAX) {
      throw new MalformedException(
          "logitBias is for at most " + BIASES_MAX + " tokens, not " + logitBias.size());
    }
  }

  void write(List<Parameter> list) {
    if (chat) {
      list.add(new Parameter("chat", "true"));
    }
    writeUnless(list, "minP", minP, 0f);
    writeUnless(list, "repetitionPenalty", repetitionPenalty, 1f);
    writeUnless(list, "presencePenalty", presencePenalty, 0f);
    writeUnless(list, "frequencyPenalty", frequencyPenalty, 0f);
    if (!logitBias.isEmpty()) {
      list.add(new Parameter("logitBias", spell(logitBias)));
    }
    for (int i = 0; i < stop.size(); i++) {
      list.add(new Parameter("stop" + (i + 1), stop.get(i)));
    }
    if (logprobs.isPresent()) {
      list.add(new Parameter("logprobs", Integer.toString(logprobs.getAsInt())));
    }
  }

  private static void writeUnless(List<Parameter> list, String name, float value, float neutral) {
    if (value != neutral) {
      list.add(new Parameter(name, Decimals.spell(value)));
    }
  }

  static GenerateOptions read(Task.Settings s) {
    List<String> stops = new ArrayList<>();
    for (int i = 1; s.has("stop" + i); i++) {
      stops.add(s.take("stop" + i));
    }
    return new GenerateOptions(
        s.has("chat") && isTrue(s.take("chat")),
        s.has("minP") ? s.real("minP", 0f, 1f) : 0f,
        s.has("repetitionPenalty") ? s.real("repetitionPenalty", 0.01f, PENALTY_MAX) : 1f,
        penalty(s, "presencePenalty"),
        penalty(s, "frequencyPenalty"),
        s.has("logitBias") ? biases(s.take("logitBias")) : new TreeMap<>(),
        stops,
        s.has("logprobs")
            ? OptionalInt.of(s.integer("logprobs", 0, LOGPROBS_MAX))
            : OptionalInt.empty());
  }

  private static float penalty(Task.Settings s, String name) {
    return s.has(name) ? s.signed(name, -PENALTY_MAX, PENALTY_MAX) : 0f;
  }

  private static boolean isTrue(String text) {
    if (!text.equals("true")) {
      throw new MalformedException("chat is true or not there, not '" + text + "'");
    }
    return true;
  }

  private static String spell(SortedMap<Integer, Float> biases) {
    StringBuilder text = new StringBuilder();
    for (Map.Entry<Integer, Float> bias : biases.entrySet()) {
      text.append(text.isEmpty() ? "" : ",")
          .append(bias.getKey())
          .append(':')
          .append(Decimals.spell(bias.getValue()));
    }
    return text.toString();
  }

  /// Reads `token:bias,token:bias`, by ascending token; [Task#of] refuses another order, since it
  /// spells what was read again.
  private static SortedMap<Integer, Float> biases(String text) {
    SortedMap<Integer, Float> biases = new TreeMap<>();
    for (String entry : text.split(",", BIASES_MAX + 1)) {
      int colon = entry.indexOf(':');
      if (colon < 0) {
        throw new MalformedException("logitBias is a list such as 12:-100,50:1.5");
      }
      int token =
          Decimals.integer(entry.substring(0, colon), 0, TOKENS_MAX, "a token of logitBias");
      biases.put(
          token,
          Decimals.signed(
              entry.substring(colon + 1), -PENALTY_MAX, PENALTY_MAX, "a bias of logitBias"));
    }
    return biases;
  }
}
