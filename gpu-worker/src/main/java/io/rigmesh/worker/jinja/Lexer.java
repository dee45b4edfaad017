package io.rigmesh.worker.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/// Cuts a template into tokens, with the whitespace rules of Jinja's `trim_blocks` and
/// `lstrip_blocks`, which is how transformers sets them: the newline after a block is dropped, and
/// so are spaces before a block that begins its line.
final class Lexer {
  private static final List<String> OPERATORS =
      List.of(
          "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{",
          "}", ">", "<", "=", ".", ":", "|", ",", ";");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;

  /// Whether what was consumed last ended a line, or nothing was yet.
  private boolean lineStarting = true;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokens(String template) {
    String source = template.replace("\r\n", "\n").replace('\r', '\n');
    if (source.endsWith("\n")) {
      source = source.substring(0, source.length() - 1);
    }
    Lexer lexer = new Lexer(source);
    lexer.read();
    return lexer.tokens;
  }

  private void read() {
    while (at < source.length()) {
      int begin = nextTag();
      if (begin < 0) {
        data(source.substring(at));
        at = source.length();
        break;
      }
      char kind = source.charAt(begin + 1);
      char sign = begin + 2 < source.length() ? source.charAt(begin + 2) : ' ';
      String text = source.substring(at, begin);
      if (sign == '-') {
        data(PyText.stripEnd(text), text);
      } else if (sign != '+' && kind != '{') {
        data(withoutIndent(text), text);
      } else {
        data(text);
      }
      at = begin + (sign == '-' || sign == '+' ? 3 : 2);
      switch (kind) {
        case '#' -> comment();
        case '%' -> {
          if (!raw()) {
            tag(Token.Kind.BLOCK_BEGIN, Token.Kind.BLOCK_END, "%}");
          }
        }
        default -> tag(Token.Kind.VARIABLE_BEGIN, Token.Kind.VARIABLE_END, "}}");
      }
    }
    tokens.add(new Token(Token.Kind.END, "", line));
  }

  private int nextTag() {
    for (int i = at; i + 1 < source.length(); i++) {
      if (source.charAt(i) == '{') {
        char next = source.charAt(i + 1);
        if (next == '{' || next == '%' || next == '#') {
          return i;
        }
      }
    }
    return -1;
  }

  private String withoutIndent(String text) {
    int start = text.lastIndexOf('\n') + 1;
    boolean blank = text.substring(start).codePoints().allMatch(PyText::isSpace);
    return (start > 0 || lineStarting) && blank ? text.substring(0, start) : text;
  }

  private void data(String text) {
    data(text, text);
  }

  /// Adds what is left of a piece of text.
  private void data(String kept, String whole) {
    if (!kept.isEmpty()) {
      tokens.add(new Token(Token.Kind.DATA, kept, line));
    }
    countLines(whole);
  }

  private void countLines(String consumed) {
    if (!consumed.isEmpty()) {
      line += (int) consumed.chars().filter(c -> c == '\n').count();
      lineStarting = consumed.endsWith("\n");
    }
  }

  private void comment() {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw new JinjaException(line, "a comment is not closed by '#}'");
    }
    countLines(source.substring(at, end));
    char sign = end > at ? source.charAt(end - 1) : ' ';
    at = end + 2;
    closeTag(sign, true);
  }

  /// Drops what the sign at a tag's end says: all whitespace, nothing, or (for blocks) one newline.
  private void closeTag(char sign, boolean block) {
    int from = at;
    if (sign == '-') {
      while (at < source.length() && PyText.isSpace(source.codePointAt(at))) {
        at += Character.charCount(source.codePointAt(at));
      }
    } else if (block && sign != '+' && at < source.length() && source.charAt(at) == '\n') {
      at++;
    }
    lineStarting = false;
    countLines(source.substring(from, at));
  }

  /// Reads `raw ... endraw`, whose content is text, where a block starts with that.
  private boolean raw() {
    int open = keywordTag(at, "raw");
    if (open < 0) {
      return false;
    }
    char openSign = source.charAt(open - 3);
    at = open;
    closeTag(openSign, true);
    for (int begin = source.indexOf("{%", at);
        begin >= 0;
        begin = source.indexOf("{%", begin + 2)) {
      char sign = begin + 2 < source.length() ? source.charAt(begin + 2) : ' ';
      int close = keywordTag(begin + (sign == '-' || sign == '+' ? 3 : 2), "endraw");
      if (close < 0) {
        continue;
      }
      String text = source.substring(at, begin);
      data(sign == '-' ? PyText.stripEnd(text) : sign == '+' ? text : withoutIndent(text), text);
      countLines(source.substring(begin, close));
      at = close;
      closeTag(source.charAt(close - 3), true);
      return true;
    }
    throw new JinjaException(line, "a raw block is not closed by 'endraw'");
  }

  /// Where a tag that holds but a keyword ends, or -1 where there is no such tag.
  private int keywordTag(int from, String keyword) {
    int i = from;
    while (i < source.length() && PyText.isSpace(source.charAt(i))) {
      i++;
    }
    if (!source.startsWith(keyword, i)) {
      return -1;
    }
    i += keyword.length();
    while (i < source.length() && PyText.isSpace(source.charAt(i))) {
      i++;
    }
    if (i < source.length() && (source.charAt(i) == '-' || source.charAt(i) == '+')) {
      i++;
    }
    return source.startsWith("%}", i) ? i + 2 : -1;
  }

  private void tag(Token.Kind begin, Token.Kind end, String closing) {
    tokens.add(new Token(begin, closing, line));
    Deque<Character> open = new ArrayDeque<>();
    while (true) {
      skipSpace();
      if (at >= source.length()) {
        throw new JinjaException(line, "a tag is not closed by '" + closing + "'");
      }
      if (open.isEmpty() && closes(end, closing)) {
        return;
      }
      char c = source.charAt(at);
      if (c == '"' || c == '\'') {
        string(c);
      } else if (Character.isDigit(c)) {
        number();
      } else if (Character.isUnicodeIdentifierStart(c) || c == '_') {
        name();
      } else {
        operator(open);
      }
    }
  }

  private boolean closes(Token.Kind end, String closing) {
    char sign = source.charAt(at);
    boolean signed = sign == '-' || (sign == '+' && end == Token.Kind.BLOCK_END);
    int start = signed ? at + 1 : at;
    if (!source.startsWith(closing, start)) {
      return false;
    }
    tokens.add(new Token(end, closing, line));
    at = start + 2;
    closeTag(signed ? sign : ' ', end == Token.Kind.BLOCK_END);
    return true;
  }

  private void skipSpace() {
    while (at < source.length() && PyText.isSpace(source.charAt(at))) {
      if (source.charAt(at) == '\n') {
        line++;
      }
      at++;
    }
  }

  private void name() {
    int start = at;
    while (at < source.length()
        && (Character.isUnicodeIdentifierPart(source.charAt(at))
            && !Character.isIdentifierIgnorable(source.charAt(at)))) {
      at++;
    }
    tokens.add(new Token(Token.Kind.NAME, source.substring(start, at), line));
  }

  private void number() {
    int start = at;
    digits();
    boolean real = false;
    if (at + 1 < source.length()
        && source.charAt(at) == '.'
        && Character.isDigit(source.charAt(at + 1))) {
      real = true;
      at++;
      digits();
    }
    if (at < source.length() && (source.charAt(at) == 'e' || source.charAt(at) == 'E')) {
      int sign = at + 1 < source.length() && "+-".indexOf(source.charAt(at + 1)) >= 0 ? 1 : 0;
      if (at + 1 + sign < source.length() && Character.isDigit(source.charAt(at + 1 + sign))) {
        real = true;
        at += 1 + sign;
        digits();
      }
    }
    String text = source.substring(start, at).replace("_", "");
    tokens.add(new Token(real ? Token.Kind.FLOAT : Token.Kind.INTEGER, text, line));
  }

  private void digits() {
    while (at < source.length()
        && (Character.isDigit(source.charAt(at)) || source.charAt(at) == '_')) {
      at++;
    }
  }

  private void operator(Deque<Character> open) {
    String found =
        OPERATORS.stream()
            .filter(operator -> source.startsWith(operator, at))
            .findFirst()
            .orElseThrow(() ->
                new JinjaException(
                    line, "'" + source.substring(at, at + 1) + "' has no meaning here"));
    char c = found.charAt(0);
    if (c == '(' || c == '[' || c == '{') {
      open.push(c == '(' ? ')' : c == '[' ? ']' : '}');
    } else if (c == ')' || c == ']' || c == '}') {
      if (open.isEmpty() || open.pop() != c) {
        throw new JinjaException(line, "'" + c + "' closes nothing");
      }
    }
    tokens.add(new Token(Token.Kind.OPERATOR, found, line));
    at += found.length();
  }

  private void string(char quote) {
    int start = line;
    StringBuilder text = new StringBuilder();
    at++;
    while (at < source.length() && source.charAt(at) != quote) {
      char c = source.charAt(at);
      if (c == '\n') {
        line++;
      }
      at++;
      if (c == '\\' && at < source.length()) {
        escape(text);
      } else {
        text.append(c);
      }
    }
    if (at >= source.length()) {
      throw new JinjaException(start, "a string is not closed");
    }
    at++;
    tokens.add(new Token(Token.Kind.STRING, text.toString(), start));
  }

  /// Reads what stands behind a backslash, as Python does.
  private void escape(StringBuilder text) {
    char c = source.charAt(at++);
    switch (c) {
      case '\n' -> line++;
      case '\\', '\'', '"' -> text.append(c);
      case 'n' -> text.append('\n');
      case 't' -> text.append('\t');
      case 'r' -> text.append('\r');
      case 'a' -> text.append((char) 7);
      case 'b' -> text.append('\b');
      case 'f' -> text.append('\f');
      case 'v' -> text.append((char) 11);
      case 'x' -> hexadecimal(text, 2);
      case 'u' -> hexadecimal(text, 4);
      case 'U' -> hexadecimal(text, 8);
      default -> {
        if (c >= '0' && c <= '7') {
          int end = at;
          while (end < source.length()
              && end < at + 2
              && source.charAt(end) >= '0'
              && source.charAt(end) <= '7') {
            end++;
          }
          text.append((char) Integer.parseInt(source.substring(at - 1, end), 8));
          at = end;
        } else {
          text.append('\\').append(c);
        }
      }
    }
  }

  private void hexadecimal(StringBuilder text, int digits) {
    int end = Math.min(source.length(), at + digits);
    String hex = source.substring(at, end);
    if (hex.length() < digits || !hex.chars().allMatch(c -> Character.digit(c, 16) >= 0)) {
      throw new JinjaException(line, "an escape needs " + digits + " hexadecimal digits");
    }
    long codePoint = Long.parseLong(hex, 16);
    if (codePoint > Character.MAX_CODE_POINT) {
      throw new JinjaException(line, "an escape names no character");
    }
    text.appendCodePoint((int) codePoint);
    at = end;
  }
}
