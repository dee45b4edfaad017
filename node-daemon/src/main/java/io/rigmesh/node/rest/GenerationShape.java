package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Task;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// How an answer to a chat or a completion looks, whole or in chunks.
final class GenerationShape {
  private final Hash job;
  private final String model;
  private final boolean chat;
  private final boolean usage;
  private final Task.Generate task;
  private final long createdSeconds = Instant.now().getEpochSecond();

  /// @param model as the request names it
  /// @param chat whether it is a chat
  /// @param usage whether a stream ends with the usage
  GenerationShape(Hash job, String model, boolean chat, boolean usage, Task.Generate task) {
    this.job = job;
    this.model = model;
    this.chat = chat;
    this.usage = usage;
    this.task = task;
  }

  Hash job() {
    return job;
  }

  boolean isChat() {
    return chat;
  }

  boolean endsWithUsage() {
    return usage;
  }

  private ObjectNode head(boolean chunk) {
    String object =
        chat ? (chunk ? "chat.completion.chunk" : "chat.completion") : "text_completion";
    return Json.object()
        .put("id", (chat ? "chatcmpl-" : "cmpl-") + job.hex().substring(2))
        .put("object", object)
        .put("created", createdSeconds)
        .put("model", model);
  }

  /// The whole answer.
  ObjectNode whole(String text, List<JsonNode> tokens, String finish, long promptTokens) {
    ObjectNode root = head(false);
    ObjectNode choice = root.putArray("choices").addObject().put("index", 0);
    if (chat) {
      choice.putObject("message").put("role", "assistant").put("content", text).putNull("refusal");
    } else {
      choice.put("text", text);
    }
    choice.set("logprobs", logprobs(tokens));
    choice.put("finish_reason", reason(finish));
    root.set("usage", usage(promptTokens, tokens.size()));
    return root;
  }

  /// The chunk that only says who speaks.
  ObjectNode role() {
    ObjectNode root = head(true);
    ObjectNode choice = root.putArray("choices").addObject().put("index", 0);
    choice.putObject("delta").put("role", "assistant").put("content", "").putNull("refusal");
    choice.putNull("logprobs").putNull("finish_reason");
    return withNoUsage(root);
  }

  /// The chunk of one token.
  ObjectNode token(JsonNode token) {
    ObjectNode root = head(true);
    ObjectNode choice = root.putArray("choices").addObject().put("index", 0);
    if (chat) {
      choice.putObject("delta").put("content", token.path("text").asText());
    } else {
      choice.put("text", token.path("text").asText());
    }
    choice.set("logprobs", logprobs(List.of(token)));
    choice.putNull("finish_reason");
    return withNoUsage(root);
  }

  /// The chunk that says why the text ended.
  ObjectNode end(String finish) {
    ObjectNode root = head(true);
    ObjectNode choice = root.putArray("choices").addObject().put("index", 0);
    if (chat) {
      choice.putObject("delta");
    } else {
      choice.put("text", "");
    }
    choice.putNull("logprobs").put("finish_reason", reason(finish));
    return withNoUsage(root);
  }

  /// The chunk with the usage alone.
  ObjectNode usage(long promptTokens, long tokens, boolean chunk) {
    ObjectNode root = head(chunk);
    root.putArray("choices");
    root.set("usage", usage(promptTokens, tokens));
    return root;
  }

  private ObjectNode withNoUsage(ObjectNode chunk) {
    return usage ? chunk.putNull("usage") : chunk;
  }

  private static ObjectNode usage(long promptTokens, long tokens) {
    return Json.object()
        .put("prompt_tokens", promptTokens)
        .put("completion_tokens", tokens)
        .put("total_tokens", promptTokens + tokens);
  }

  private static String reason(String finish) {
    return switch (finish) {
      case "stop-token", "stop-text" -> "stop";
      default -> "length";
    };
  }

  private JsonNode logprobs(List<JsonNode> tokens) {
    if (task.options().logprobs().isEmpty()) {
      return Json.object().nullNode();
    }
    return chat ? chatLogprobs(tokens) : completionLogprobs(tokens);
  }

  private static ObjectNode chatLogprobs(List<JsonNode> tokens) {
    ObjectNode root = Json.object();
    ArrayNode content = root.putArray("content");
    for (JsonNode token : tokens) {
      JsonNode told = token.path("logprobs");
      ObjectNode entry = content.addObject();
      write(entry, told);
      ArrayNode likeliest = entry.putArray("top_logprobs");
      told.path("likeliest").forEach(candidate -> write(likeliest.addObject(), candidate));
    }
    root.putNull("refusal");
    return root;
  }

  private static void write(ObjectNode into, JsonNode token) {
    String text = token.path("text").asText();
    into.put("token", text).put("logprob", token.path("logprob").floatValue());
    bytes(text).ifPresentOrElse(list -> into.set("bytes", list), () -> into.putNull("bytes"));
  }

  /// The bytes of a token's text; none of a part of a character, which has no text.
  private static Optional<ArrayNode> bytes(String text) {
    if (text.indexOf('\uFFFD') >= 0) {
      return Optional.empty();
    }
    ArrayNode list = Json.object().arrayNode();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      list.add(Byte.toUnsignedInt(b));
    }
    return Optional.of(list);
  }

  private static ObjectNode completionLogprobs(List<JsonNode> tokens) {
    ObjectNode root = Json.object();
    ArrayNode texts = root.putArray("tokens");
    ArrayNode logprobs = root.putArray("token_logprobs");
    ArrayNode likeliest = root.putArray("top_logprobs");
    ArrayNode offsets = root.putArray("text_offset");
    int offset = 0;
    for (JsonNode token : tokens) {
      JsonNode told = token.path("logprobs");
      texts.add(told.path("text").asText());
      logprobs.add(told.path("logprob").floatValue());
      ObjectNode candidates = likeliest.addObject();
      told.path("likeliest")
          .forEach(c -> candidates.put(c.path("text").asText(), c.path("logprob").floatValue()));
      offsets.add(offset);
      offset += token.path("text").asText().length();
    }
    return root;
  }
}
