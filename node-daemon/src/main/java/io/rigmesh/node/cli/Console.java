package io.rigmesh.node.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.PrintStream;
import java.util.List;

/// Where a command speaks: data on standard output, everything else on standard error. The launcher
/// says whether a person watches (`-Drigmesh.terminal=true`), since asking from Java costs time.
final class Console {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private final PrintStream out;
  private final PrintStream err;
  private final boolean terminal;

  Console(PrintStream out, PrintStream err, boolean terminal) {
    this.out = out;
    this.err = err;
    this.terminal = terminal;
  }

  /// The process's own streams.
  static Console ofProcess() {
    return new Console(System.out, System.err, Boolean.getBoolean("rigmesh.terminal"));
  }

  /// The stream of data, for text that comes piece by piece.
  PrintStream out() {
    return out;
  }

  /// True if standard error is a terminal.
  boolean isTerminal() {
    return terminal;
  }

  /// A line of data.
  void print(String line) {
    out.println(line);
  }

  /// A JSON document of data.
  void print(JsonNode json) {
    try {
      out.println(MAPPER.writeValueAsString(json));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree is always JSON", e);
    }
  }

  /// A line for the person, not for programs.
  void say(String line) {
    err.println(line);
  }

  /// Overwrites the last line on a terminal.
  void redraw(String line) {
    err.print("\r\u001b[2K" + line);
    err.flush();
  }

  /// A table: the first row is the heading; columns as wide as their widest cell.
  void table(List<List<String>> rows) {
    if (rows.isEmpty()) {
      return;
    }
    int columns = rows.getFirst().size();
    int[] widths = new int[columns];
    for (List<String> row : rows) {
      for (int c = 0; c < columns; c++) {
        widths[c] = Math.max(widths[c], row.get(c).length());
      }
    }
    for (List<String> row : rows) {
      StringBuilder line = new StringBuilder();
      for (int c = 0; c < columns; c++) {
        line.append(row.get(c));
        if (c + 1 < columns) {
          line.repeat(' ', widths[c] - row.get(c).length() + 2);
        }
      }
      out.println(line);
    }
  }
}
