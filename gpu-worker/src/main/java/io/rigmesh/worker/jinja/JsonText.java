package io.rigmesh.worker.jinja;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Writes values as Python's `json.dumps` does, which is what `tojson` means in transformers.
final class JsonText {
  private final Budget budget;
  private final int indent;
  private final String itemSeparator;
  private final String keySeparator;
  private final boolean asciiOnly;
  private final boolean sorted;
  private final StringBuilder out = new StringBuilder();
  private int counted;

  /// @param indent spaces a level, or -1 for one line
  JsonText(
      Budget budget,
      int indent,
      String itemSeparator,
      String keySeparator,
      boolean asciiOnly,
      boolean sorted) {
    this.budget = budget;
    this.indent = indent;
    this.itemSeparator = itemSeparator;
    this.keySeparator = keySeparator;
    this.asciiOnly = asciiOnly;
    this.sorted = sorted;
  }

  String write(Object value) {
    write(value, 0);
    return out.toString();
  }

  private void write(Object value, int level) {
    budget.step();
    budget.enter();
    switch (value) {
      case Boolean flag -> out.append(flag ? "true" : "false");
      case Long number -> out.append((long) number);
      case Double number ->
          out.append(
              number.isNaN()
                  ? "NaN"
                  : number.isInfinite()
                      ? number > 0 ? "Infinity" : "-Infinity"
                      : PyNumbers.repr(number));
      case String text -> string(text);
      case None ignored -> out.append("null");
      case List<?> list -> list(list, level);
      case Tuple tuple -> list(tuple.items(), level);
      case Map<?, ?> map -> map(map, level);
      case Undefined undefined -> throw undefined.problem();
      default -> throw new Problem("a " + Values.type(value) + " is no JSON");
    }
    budget.leave();
    budget.characters(out.length() - counted);
    counted = out.length();
  }

  private void list(List<?> items, int level) {
    if (items.isEmpty()) {
      out.append("[]");
      return;
    }
    out.append('[');
    String separator = "";
    for (Object item : items) {
      out.append(separator);
      newLine(level + 1);
      write(item, level + 1);
      separator = itemSeparator;
    }
    newLine(level);
    out.append(']');
  }

  private void map(Map<?, ?> map, int level) {
    if (map.isEmpty()) {
      out.append("{}");
      return;
    }
    Map<?, ?> ordered = map;
    if (sorted) {
      Map<String, Object> byKey = new TreeMap<>();
      map.forEach((key, value) -> byKey.put(keyText(key), value));
      ordered = byKey;
    }
    out.append('{');
    String separator = "";
    for (Map.Entry<?, ?> entry : ordered.entrySet()) {
      out.append(separator);
      newLine(level + 1);
      string(keyText(entry.getKey()));
      out.append(keySeparator);
      write(entry.getValue(), level + 1);
      separator = itemSeparator;
    }
    newLine(level);
    out.append('}');
  }

  private static String keyText(Object key) {
    return switch (key) {
      case String text -> text;
      case Long number -> number.toString();
      case Double number -> PyNumbers.repr(number);
      case None ignored -> "null";
      default -> throw new Problem("a " + Values.type(key) + " is no key in JSON");
    };
  }

  private void newLine(int level) {
    if (indent >= 0) {
      out.append('\n').append(" ".repeat(indent * level));
    }
  }

  private void string(String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\b' -> out.append("\\b");
        case '\f' -> out.append("\\f");
        default -> {
          if (c < 0x20 || (asciiOnly && c > 0x7e)) {
            out.append("\\u%04x".formatted((int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
