package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// Rows with named columns, in the forms that programs read.
final class Tables {
  private Tables() {}

  /// A list of objects, a field for each column.
  static ArrayNode json(List<String> columns, List<List<String>> rows) {
    ArrayNode list = JsonNodeFactory.instance.arrayNode();
    for (List<String> row : rows) {
      ObjectNode line = list.addObject();
      for (int i = 0; i < columns.size(); i++) {
        line.put(columns.get(i), row.get(i));
      }
    }
    return list;
  }

  /// Comma-separated values (RFC 4180), the names of the columns first.
  static List<String> csv(List<String> columns, List<List<String>> rows) {
    List<String> lines = new ArrayList<>();
    lines.add(String.join(",", columns));
    rows.forEach(
        row -> lines.add(row.stream().map(Tables::quoted).collect(Collectors.joining(","))));
    return lines;
  }

  private static String quoted(String value) {
    return value.chars().anyMatch(c -> c == ',' || c == '"' || c == '\n')
        ? "\"" + value.replace("\"", "\"\"") + "\""
        : value;
  }

  /// Rows for people, with the columns' names above them.
  static List<List<String>> withHeading(List<String> columns, List<List<String>> rows) {
    List<List<String>> table = new ArrayList<>();
    table.add(columns.stream().map(name -> name.toUpperCase(Locale.ROOT)).toList());
    table.addAll(rows);
    return table;
  }
}
