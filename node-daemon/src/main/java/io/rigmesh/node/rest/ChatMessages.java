package io.rigmesh.node.rest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.Set;

/// The messages of a chat as the input of a job: a JSON object whose `messages` have a role and a
/// content, both text, with the day that a template may print.
final class ChatMessages {
  private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant");
  private static final Set<String> FIELDS = Set.of("role", "content", "refusal");

  private ChatMessages() {}

  /// Reads the messages of a request.
  ///
  /// @throws ApiException naming what is not understood
  static byte[] input(JsonNode messages, LocalDate date) {
    if (!messages.isArray() || messages.isEmpty()) {
      throw ApiException.invalid("messages", "messages is a list of at least one message");
    }
    ObjectNode root = Json.object().put("date", date.toString());
    ArrayNode list = root.putArray("messages");
    for (int i = 0; i < messages.size(); i++) {
      JsonNode message = messages.get(i);
      String where = "messages[" + i + "]";
      message
          .fieldNames()
          .forEachRemaining(name -> {
            if (!FIELDS.contains(name) && !message.get(name).isNull()) {
              throw OpenAiRequest.unsupported(where + "." + name);
            }
          });
      String role = message.path("role").asText();
      if (!ROLES.contains(role)) {
        throw ApiException.invalid(
            where + ".role", where + ".role is system, developer, user or assistant");
      }
      list.addObject()
          .put("role", role.equals("developer") ? "system" : role)
          .put("content", content(message.path("content"), where + ".content"));
    }
    return root.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String content(JsonNode content, String where) {
    if (content.isTextual()) {
      return content.asText();
    }
    if (!content.isArray()) {
      throw ApiException.invalid(where, where + " is a text, or a list of parts that are texts");
    }
    StringBuilder text = new StringBuilder();
    for (JsonNode part : content) {
      if (!part.path("type").asText().equals("text") || !part.path("text").isTextual()) {
        throw ApiException.invalid(
            where, where + ": the models here read text; there is a part of another kind");
      }
      text.append(part.path("text").asText());
    }
    return text.toString();
  }
}
