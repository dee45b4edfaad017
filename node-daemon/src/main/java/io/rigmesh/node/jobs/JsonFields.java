package io.rigmesh.node.jobs;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.protocol.MalformedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;

/// The fields of one JSON object, each read by name, with errors that name it. For objects that
/// another node or a client sent.
public final class JsonFields {
  private final JsonNode node;
  private final String at;
  private final TreeSet<String> left = new TreeSet<>();

  /// Reads an object; `at` names it in errors.
  ///
  /// @throws MalformedException if it is none
  public JsonFields(JsonNode node, String at) {
    if (!node.isObject()) {
      throw new MalformedException(at + " is a JSON object");
    }
    this.node = node;
    this.at = at;
    node.fieldNames().forEachRemaining(left::add);
  }

  /// A field that must be there.
  ///
  /// @throws MalformedException if it is not
  public JsonNode node(String name) {
    left.remove(name);
    JsonNode value = node.get(name);
    if (value == null || value.isNull()) {
      throw new MalformedException(at + " lacks the field " + name);
    }
    return value;
  }

  /// A field that may be missing or null.
  public Optional<JsonNode> optional(String name) {
    left.remove(name);
    JsonNode value = node.get(name);
    return value == null || value.isNull() ? Optional.empty() : Optional.of(value);
  }

  /// A text.
  public String text(String name) {
    return text(node(name), name);
  }

  /// A text that may be missing.
  public Optional<String> optionalText(String name) {
    return optional(name).map(v -> text(v, name));
  }

  /// A text, read further; what is wrong with it is said with the field's name.
  public <T> T text(String name, Function<String, T> read) {
    return read(name, text(name), read);
  }

  /// A text that may be missing, read further.
  public <T> Optional<T> optionalText(String name, Function<String, T> read) {
    return optionalText(name).map(t -> read(name, t, read));
  }

  /// A whole number, as a number or as a decimal text.
  public long integer(String name) {
    return integer(node(name), name);
  }

  /// A whole number that may be missing.
  public Optional<Long> optionalInteger(String name) {
    return optional(name).map(v -> integer(v, name));
  }

  /// The elements of a list of objects or values.
  public List<JsonNode> list(String name) {
    JsonNode value = node(name);
    if (!value.isArray()) {
      throw new MalformedException(at + "." + name + " is a list");
    }
    List<JsonNode> elements = new ArrayList<>();
    value.forEach(elements::add);
    return elements;
  }

  /// Refuses fields that nobody asked for.
  ///
  /// @throws MalformedException naming the first
  public void end() {
    if (!left.isEmpty()) {
      throw new MalformedException(at + " has an unknown field " + left.first() + "; remove it");
    }
  }

  private <T> T read(String name, String text, Function<String, T> read) {
    try {
      return read.apply(text);
    } catch (MalformedException | IllegalArgumentException e) {
      throw new MalformedException(at + "." + name + ": " + e.getMessage(), e);
    }
  }

  private String text(JsonNode value, String name) {
    if (!value.isTextual()) {
      throw new MalformedException(at + "." + name + " is a text");
    }
    return value.textValue();
  }

  private long integer(JsonNode value, String name) {
    if (value.isIntegralNumber() && value.canConvertToLong()) {
      return value.longValue();
    }
    if (value.isTextual()) {
      try {
        return Long.parseLong(value.textValue());
      } catch (NumberFormatException e) {
        throw new MalformedException(at + "." + name + " is a whole number", e);
      }
    }
    throw new MalformedException(at + "." + name + " is a whole number");
  }
}
