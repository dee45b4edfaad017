package io.rigmesh.worker.ptx;

/// A place in PTX text whose comments have been blanked.
final class Cursor {
  private final String text;
  private final int end;
  private int at;
  private int line;

  Cursor(String source) {
    this(blank(source), 1);
  }

  private Cursor(String text, int line) {
    this.text = text;
    this.end = text.length();
    this.line = line;
  }

  /// A cursor over a piece of the text that began at `line`.
  static Cursor over(String piece, int line) {
    return new Cursor(piece, line);
  }

  int line() {
    return line;
  }

  boolean done() {
    skipSpace();
    return at >= end;
  }

  void skipSpace() {
    while (at < end && Character.isWhitespace(text.charAt(at))) {
      next();
    }
  }

  char peek() {
    return at < end ? text.charAt(at) : '\0';
  }

  char next() {
    char c = text.charAt(at++);
    if (c == '\n') {
      line++;
    }
    return c;
  }

  /// Takes `c`, after space, if it comes next.
  boolean take(char c) {
    skipSpace();
    if (peek() == c && at < end) {
      next();
      return true;
    }
    return false;
  }

  void expect(char c) {
    if (!take(c)) {
      throw PtxException.at(line, "'" + c + "' is expected before \"" + excerpt() + "\"");
    }
  }

  /// Takes letters, digits, `_`, `$`, `%`, and the characters in `more`.
  String word(String more) {
    skipSpace();
    int from = at;
    while (at < end && (isWord(text.charAt(at)) || more.indexOf(text.charAt(at)) >= 0)) {
      at++;
    }
    return text.substring(from, at);
  }

  /// Takes everything up to `stop` (which is taken too), braces and quotes balanced.
  String until(char stop) {
    int from = at;
    int depth = 0;
    boolean quoted = false;
    while (at < end) {
      char c = next();
      if (c == '"') {
        quoted = !quoted;
      } else if (!quoted && c == stop && depth == 0) {
        return text.substring(from, at - 1);
      } else if (!quoted && (c == '{' || c == '(')) {
        depth++;
      } else if (!quoted && (c == '}' || c == ')')) {
        depth--;
      }
    }
    throw PtxException.at(line, "'" + stop + "' is missing at the end of the text");
  }

  /// Takes the rest of the line.
  String restOfLine() {
    int from = at;
    while (at < end && peek() != '\n') {
      at++;
    }
    return text.substring(from, at);
  }

  /// Takes all that is left.
  String rest() {
    String rest = text.substring(at);
    at = end;
    return rest;
  }

  /// Whether a label's colon follows the word that comes next; takes both if so.
  boolean takeLabel(StringBuilder name) {
    int at0 = at;
    int line0 = line;
    String word = word("");
    if (!word.isEmpty() && take(':') && peek() != ':') {
      name.append(word);
      return true;
    }
    at = at0;
    line = line0;
    return false;
  }

  private String excerpt() {
    return text.substring(at, Math.min(end, at + 40)).strip();
  }

  private static boolean isWord(char c) {
    return Character.isLetterOrDigit(c) || c == '_' || c == '$' || c == '%';
  }

  private static String blank(String source) {
    StringBuilder out = new StringBuilder(source);
    int i = 0;
    while (i < out.length()) {
      if (out.charAt(i) == '"') {
        int close = source.indexOf('"', i + 1);
        i = close < 0 ? out.length() : close + 1;
      } else if (source.startsWith("//", i)) {
        while (i < out.length() && out.charAt(i) != '\n') {
          out.setCharAt(i++, ' ');
        }
      } else if (source.startsWith("/*", i)) {
        int close = source.indexOf("*/", i + 2);
        int stop = close < 0 ? out.length() : close + 2;
        for (; i < stop; i++) {
          if (out.charAt(i) != '\n') {
            out.setCharAt(i, ' ');
          }
        }
      } else {
        i++;
      }
    }
    return out.toString();
  }
}
