package io.rigmesh.worker.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import io.rigmesh.worker.jinja.JinjaException;
import io.rigmesh.worker.jinja.JinjaTemplate;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/// The chat template of a Hugging Face folder. The prompt that it makes has its special tokens
/// written out, the beginning one among them, so it is to be encoded without adding any.
///
/// A template with the name `tool_use` serves chats with tools, `default` all others; see
/// [ChatTemplateFiles] for where they are found. Immutable, so threads may share it.
public final class ChatTemplate {
  static final String DEFAULT = "default";
  static final String TOOL_USE = "tool_use";

  private final Map<String, JinjaTemplate> templates;
  private final Map<String, String> specialTokens;

  /// @param templates by name
  /// @param specialTokens the texts of `bos_token`, `eos_token` and so on, as far as there are any
  ChatTemplate(Map<String, JinjaTemplate> templates, Map<String, String> specialTokens) {
    this.templates = Map.copyOf(templates);
    this.specialTokens = Map.copyOf(specialTokens);
  }

  /// The template of a folder, or empty when it has none.
  ///
  /// @throws io.rigmesh.worker.format.ModelFormatException when a file is malformed, or a template
  ///   is none
  public static Optional<ChatTemplate> open(Path folder) {
    return ChatTemplateFiles.read(folder);
  }

  /// The prompt for a chat. It depends on nothing but the chat and the folder, so anyone gets the
  /// same.
  ///
  /// @throws ChatTemplateException when the template refuses the chat, or fails on it
  public String render(Chat chat) {
    Map<String, JsonNode> variables = new HashMap<>(chat.variables());
    specialTokens.forEach(
        (name, text) -> variables.put(name, JsonNodeFactory.instance.textNode(text)));
    variables.put("messages", chat.messages());
    boolean withTools = !chat.tools().isEmpty();
    variables.put("tools", withTools ? chat.tools() : NullNode.getInstance());
    variables.put("documents", NullNode.getInstance());
    variables.put("add_generation_prompt", BooleanNode.valueOf(chat.addGenerationPrompt()));
    try {
      return template(withTools).render(variables, chat.now(), JinjaTemplate.Limits.USUAL);
    } catch (JinjaException e) {
      throw new ChatTemplateException(
          (e.refusal()
                  ? "The model's chat template refuses these messages: "
                  : "The model's chat template cannot take these messages: ")
              + e.getMessage(),
          e);
    }
  }

  private JinjaTemplate template(boolean withTools) {
    JinjaTemplate chosen = withTools ? templates.get(TOOL_USE) : null;
    if (chosen == null) {
      chosen = templates.get(DEFAULT);
    }
    if (chosen == null && templates.size() == 1) {
      chosen = templates.values().iterator().next();
    }
    if (chosen == null) {
      throw new ChatTemplateException(
          "The model has chat templates named %s, but none named %s."
              .formatted(new TreeSet<>(templates.keySet()), DEFAULT));
    }
    return chosen;
  }
}
