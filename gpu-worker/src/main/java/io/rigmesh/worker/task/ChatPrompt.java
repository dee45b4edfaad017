package io.rigmesh.worker.task;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rigmesh.worker.chat.Chat;
import io.rigmesh.worker.chat.ChatTemplate;
import io.rigmesh.worker.chat.ChatTemplateException;
import java.io.IOException;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.Set;

/// The text that a model's chat template makes of a job's input: a JSON object with `messages`,
/// each with a role and a content, and `date`, the day that a template prints when it wants
/// today's.
final class ChatPrompt {
  private static final Set<String> FIELDS = Set.of("messages", "date");
  private static final ObjectMapper JSON = new ObjectMapper();

  private ChatPrompt() {}

  /// Renders a chat for the assistant to answer.
  ///
  /// @throws InvalidJobException if the input is no chat, or the model takes none
  static String render(LanguageModel model, String input) {
    ChatTemplate template =
        model
            .chatTemplate()
            .orElseThrow(() ->
                new InvalidJobException(
                    "This model has no chat template, so it takes no messages; send a prompt."));
    JsonNode root;
    try {
      root = JSON.readTree(input);
    } catch (IOException e) {
      throw new InvalidJobException("The input of a chat is JSON, this is not: " + e.getMessage());
    }
    root.fieldNames()
        .forEachRemaining(name -> {
          if (!FIELDS.contains(name)) {
            throw new InvalidJobException(
                "The input of a chat has messages and a date; '" + name + "' is not known.");
          }
        });
    try {
      LocalDate date = LocalDate.parse(root.path("date").asText());
      return template.render(Chat.of(root.path("messages"), date.atStartOfDay()));
    } catch (DateTimeParseException e) {
      throw new InvalidJobException("The date of a chat is a day such as 2026-01-31.", e);
    } catch (ChatTemplateException e) {
      throw new InvalidJobException(String.valueOf(e.getMessage()), e);
    }
  }
}
