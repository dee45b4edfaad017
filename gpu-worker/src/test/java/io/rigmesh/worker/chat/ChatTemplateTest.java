package io.rigmesh.worker.chat;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.TextNode;
import io.rigmesh.worker.format.ModelFormatException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Where templates are found in a folder, and which of them is taken.
class ChatTemplateTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final LocalDateTime NOW = LocalDateTime.of(2026, 11, 22, 9, 5);

  @TempDir Path folder;

  @Test
  void aFolderWithoutATemplateHasNone() throws IOException {
    assertThat(ChatTemplate.open(folder)).isEmpty();
    Files.writeString(folder.resolve("tokenizer_config.json"), "{\"bos_token\": \"<s>\"}");
    assertThat(ChatTemplate.open(folder)).isEmpty();
  }

  @Test
  void specialTokensAreTextsOrObjects() throws IOException {
    Files.writeString(
        folder.resolve("special_tokens_map.json"),
        "{\"bos_token\": \"<old>\", \"pad_token\": \"<pad>\"}");
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        """
        {"bos_token": {"content": "<s>", "lstrip": false}, "eos_token": "</s>", "unk_token": null,
         "chat_template": "{{ bos_token }}{{ eos_token }}{{ unk_token }}{{ pad_token }}"}
        """);
    assertThat(render("[]")).isEqualTo("<s></s><pad>");
  }

  @Test
  void laterPlacesOverrideEarlierOnesAndToolsHaveATemplateOfTheirOwn() throws IOException {
    Path config = folder.resolve("tokenizer_config.json");
    Files.writeString(config, "{\"chat_template\": \"one\"}");
    assertThat(render("[]")).isEqualTo("one");
    Files.writeString(
        config,
        """
        {"chat_template": [{"name": "default", "template": "first of two"},
                           {"name": "tool_use", "template": "{{ tools | length }} tools"}]}
        """);
    assertThat(render("[]")).isEqualTo("first of two");
    assertThat(render("[{}, {}]")).isEqualTo("2 tools");
    Files.writeString(folder.resolve("chat_template.jinja"), "from a file, {{ tools is none }}\n");
    assertThat(render("[]")).isEqualTo("from a file, True");
    Files.createDirectory(folder.resolve("additional_chat_templates"));
    Files.writeString(
        folder.resolve("additional_chat_templates/tool_use.jinja"), "{{ tools[0].name }}");
    assertThat(render("[{\"name\": \"x\"}]")).isEqualTo("x");
    assertThat(render("[]")).isEqualTo("from a file, True");
  }

  @Test
  void namedTemplatesWithoutADefaultAreRefusedWhenAsked() throws IOException {
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        """
        {"chat_template": [{"name": "rag", "template": ""}, {"name": "other", "template": ""}]}
        """);
    assertThatThrownBy(() -> render("[]"))
        .isInstanceOf(ChatTemplateException.class)
        .hasMessageContaining("[other, rag], but none named default");
  }

  @Test
  void aTemplateThatIsNoneIsNamedByFileAndLine() throws IOException {
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"chat_template\": \"a\\n{% if %}\"}");
    assertThatThrownBy(() -> ChatTemplate.open(folder))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("tokenizer_config.json: field chat_template at byte 18")
        .hasMessageContaining("template line 2: expected a value");
    Files.delete(folder.resolve("tokenizer_config.json"));
    Files.writeString(folder.resolve("chat_template.jinja"), "{{");
    assertThatThrownBy(() -> ChatTemplate.open(folder))
        .isInstanceOf(ModelFormatException.class)
        .hasMessageContaining("chat_template.jinja")
        .hasMessageContaining("template line 1: a tag is not closed by '}}'");
  }

  @Test
  void variablesOfTheCallerReachTheTemplateButReplaceNoneOfItsOwn() throws IOException {
    Files.writeString(
        folder.resolve("chat_template.jinja"),
        "{{ mood }} {{ messages[0].role }} {{ add_generation_prompt }} {{ strftime_now('%H:%M') }}");
    JsonNode messages = JSON.readTree("[{\"role\": \"user\"}]");
    Map<String, JsonNode> variables =
        Map.of("mood", new TextNode("calm"), "messages", new TextNode("mine"));
    assertThat(template().render(new Chat(messages, JSON.readTree("null"), false, variables, NOW)))
        .isEqualTo("calm user False 09:05");
    assertThat(template().render(Chat.of(messages, NOW))).startsWith(" user True");
  }

  @Test
  void whatIsNoChatIsRefusedBeforeTheTemplateSeesIt() {
    for (String messages : new String[] {"[]", "{}", "[1]", "[{\"content\": \"x\"}]", "\"x\""}) {
      assertThatThrownBy(() -> Chat.of(JSON.readTree(messages), NOW))
          .as(messages)
          .isInstanceOf(ChatTemplateException.class);
    }
  }

  private String render(String tools) throws IOException {
    return template()
        .render(
            new Chat(
                JSON.readTree("[{\"role\": \"user\", \"content\": \"x\"}]"),
                JSON.readTree(tools),
                true,
                Map.of(),
                NOW));
  }

  private ChatTemplate template() {
    return ChatTemplate.open(folder).orElseThrow();
  }
}
