package io.rigmesh.node.config;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;

/// The configuration file as texts by key.
final class YamlFile {
  private static final int BYTES_MAX = 1 << 20;
  private static final ObjectMapper YAML =
      new ObjectMapper(
          YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build());

  private YamlFile() {}

  /// A value and where it stands.
  record Value(String value, String at) {}

  /// Reads the file that is named, or the one in the home if it is there.
  static Map<String, Value> read(Path home, Optional<Path> named) {
    Path file = named.orElse(home.resolve("rigmesh.yaml"));
    if (!Files.exists(file)) {
      if (named.isPresent()) {
        throw new ConfigException("There is no configuration file " + file + ".");
      }
      return Map.of();
    }
    byte[] bytes;
    try (InputStream in = Files.newInputStream(file)) {
      bytes = in.readNBytes(BYTES_MAX + 1);
    } catch (IOException e) {
      throw new ConfigException(
          "The configuration file " + file + " cannot be read: " + e.getMessage() + ".", e);
    }
    if (bytes.length > BYTES_MAX) {
      throw new ConfigException(
          "The configuration file "
              + file
              + " is above "
              + BYTES_MAX
              + " bytes; is it the right"
              + " one?");
    }
    Map<String, Value> values = new LinkedHashMap<>();
    try (JsonParser parser = YAML.createParser(bytes)) {
      JsonNode tree = YAML.readTree(parser);
      if (tree == null || tree.isMissingNode() || tree.isNull()) {
        return Map.of();
      }
      if (!tree.isObject()) {
        throw new ConfigException(
            "The configuration file " + file + " is a map of settings, such as `rest:`.");
      }
      collect(file, "", tree, values);
    } catch (JsonProcessingException e) {
      int line = e.getLocation() == null ? 0 : e.getLocation().getLineNr();
      throw new ConfigException(
          "The configuration file "
              + file
              + " is not YAML, line "
              + line
              + ": "
              + e.getOriginalMessage(),
          e);
    } catch (IOException e) {
      throw new ConfigException(
          "The configuration file " + file + " cannot be read: " + e.getMessage() + ".", e);
    }
    return values;
  }

  private static void collect(Path file, String prefix, JsonNode tree, Map<String, Value> values) {
    for (Map.Entry<String, JsonNode> e : tree.properties()) {
      String key = prefix + e.getKey();
      JsonNode node = e.getValue();
      if (node.isObject()) {
        collect(file, key + ".", node, values);
      } else {
        values.put(key, new Value(text(file, key, node), file.toString()));
      }
    }
  }

  private static String text(Path file, String key, JsonNode node) {
    if (node.isNull()) {
      return "";
    }
    if (node.isValueNode()) {
      return node.asText();
    }
    StringJoiner list = new StringJoiner(",");
    for (JsonNode element : node) {
      if (!element.isValueNode() || element.asText().contains(",")) {
        throw new ConfigException(
            file + ": the setting " + key + " is a value or a list of values without commas.");
      }
      list.add(element.asText());
    }
    return list.toString();
  }
}
