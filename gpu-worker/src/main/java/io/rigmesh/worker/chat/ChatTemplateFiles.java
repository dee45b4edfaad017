package io.rigmesh.worker.chat;

import io.rigmesh.worker.format.JsonField;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.jinja.JinjaException;
import io.rigmesh.worker.jinja.JinjaTemplate;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Where a Hugging Face folder keeps chat templates, in the order in which a later place overrides
/// an earlier one: `chat_template` in `tokenizer_config.json`, a text or a list of named ones;
/// `chat_template.jinja`; and `additional_chat_templates/NAME.jinja`. The texts of special tokens
/// stand in `tokenizer_config.json` and, in older folders, in `special_tokens_map.json`.
final class ChatTemplateFiles {
  private static final int CONFIG_BYTES_MAX = 16 << 20;
  private static final int TEMPLATE_BYTES_MAX = 1 << 20;
  private static final int TEMPLATES_MAX = 32;
  private static final String SUFFIX = ".jinja";
  private static final List<String> SPECIAL_TOKENS =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  private final Path folder;
  private final Map<String, JinjaTemplate> templates = new LinkedHashMap<>();
  private final Map<String, String> specialTokens = new LinkedHashMap<>();

  private ChatTemplateFiles(Path folder) {
    this.folder = folder;
  }

  static Optional<ChatTemplate> read(Path folder) {
    ChatTemplateFiles files = new ChatTemplateFiles(folder);
    files.specialTokens(folder.resolve("special_tokens_map.json"));
    files.tokenizerConfig(folder.resolve("tokenizer_config.json"));
    Path file = folder.resolve("chat_template.jinja");
    if (Files.exists(file)) {
      files.add(ChatTemplate.DEFAULT, file);
    }
    files.additional(folder.resolve("additional_chat_templates"));
    return files.templates.isEmpty()
        ? Optional.empty()
        : Optional.of(new ChatTemplate(files.templates, files.specialTokens));
  }

  private void tokenizerConfig(Path file) {
    if (!Files.exists(file)) {
      return;
    }
    specialTokens(file);
    Optional<JsonField> found = JsonField.read(file, CONFIG_BYTES_MAX).find("chat_template");
    if (found.isEmpty()) {
      return;
    }
    if (!found.get().isArray()) {
      add(ChatTemplate.DEFAULT, found.get());
      return;
    }
    for (JsonField item : found.get().items()) {
      add(item.member("name").text(), item.member("template"));
    }
  }

  private void specialTokens(Path file) {
    if (!Files.exists(file)) {
      return;
    }
    JsonField root = JsonField.read(file, CONFIG_BYTES_MAX);
    for (String name : SPECIAL_TOKENS) {
      root.find(name)
          .ifPresent(field ->
              specialTokens.put(
                  name, field.isText() ? field.text() : field.member("content").text()));
    }
  }

  private void additional(Path directory) {
    if (!Files.isDirectory(directory)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory, "*" + SUFFIX)) {
      for (Path file : files) {
        String name = String.valueOf(file.getFileName());
        add(name.substring(0, name.length() - SUFFIX.length()), file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + directory + ": " + e.getMessage(), e);
    }
  }

  private void add(String name, JsonField field) {
    try {
      put(name, JinjaTemplate.parse(field.text()));
    } catch (JinjaException e) {
      throw field.unfit("is no chat template: " + e.getMessage());
    }
  }

  private void add(String name, Path file) {
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(TEMPLATE_BYTES_MAX + 1);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
    }
    if (bytes.length > TEMPLATE_BYTES_MAX) {
      throw refused(file, "is longer than the " + TEMPLATE_BYTES_MAX + " bytes that are accepted");
    }
    try {
      put(name, JinjaTemplate.parse(new String(bytes, StandardCharsets.UTF_8)));
    } catch (JinjaException e) {
      throw refused(file, "is no chat template: " + e.getMessage());
    }
  }

  private void put(String name, JinjaTemplate template) {
    if (templates.size() == TEMPLATES_MAX && !templates.containsKey(name)) {
      throw refused(folder, "has more than " + TEMPLATES_MAX + " chat templates");
    }
    templates.put(name, template);
  }

  private static ModelFormatException refused(Path file, String problem) {
    return new ModelFormatException(
        file.toString(), "chat_template", ModelFormatException.NO_OFFSET, problem);
  }
}
