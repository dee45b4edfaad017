package io.rigmesh.worker.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import java.time.LocalDateTime;
import java.util.Map;

/// A conversation to be continued.
///
/// @param messages an array of objects, each with a `role` and mostly a `content`, as in OpenAI's
///   interface
/// @param tools an array of descriptions of functions, or null for none
/// @param addGenerationPrompt whether the prompt ends where the assistant's answer begins
/// @param variables what else the template may ask for, such as `enable_thinking`
/// @param now the time that a template prints when it wants today's date. A prompt is recomputed by
///   whoever checks a job, so this has to be a part of the job, not the clock's.
public record Chat(
    JsonNode messages,
    JsonNode tools,
    boolean addGenerationPrompt,
    Map<String, JsonNode> variables,
    LocalDateTime now) {
  /// The most messages of a chat.
  public static final int MESSAGES_MAX = 10_000;

  /// Checks what every template relies on.
  ///
  /// @throws ChatTemplateException when the messages are none
  public Chat {
    variables = Map.copyOf(variables);
    if (!messages.isArray() || messages.isEmpty() || messages.size() > MESSAGES_MAX) {
      throw new ChatTemplateException(
          "A chat is an array of 1 to " + MESSAGES_MAX + " messages, each an object with a role.");
    }
    for (int i = 0; i < messages.size(); i++) {
      if (!messages.get(i).path("role").isTextual()) {
        throw new ChatTemplateException(
            "messages[" + i + "] must be an object with a role, such as \"user\".");
      }
    }
    if (!tools.isArray() && !tools.isNull()) {
      throw new ChatTemplateException("tools must be an array, or null for none.");
    }
  }

  /// Messages alone, for the assistant to answer.
  public static Chat of(JsonNode messages, LocalDateTime now) {
    return new Chat(messages, NullNode.getInstance(), true, Map.of(), now);
  }
}
