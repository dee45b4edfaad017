package io.rigmesh.worker.jinja;

import java.util.List;

/// The tokens of a template as its parsers take them, and how deeply what they parse is nested.
final class TokenStream {
  private static final int NESTING_MAX = 200;

  private final List<Token> tokens;
  private int at;
  private int nesting;

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token current() {
    return tokens.get(at);
  }

  /// The token after the current one.
  Token following() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  int line() {
    return current().line();
  }

  Token next() {
    Token token = current();
    at = Math.min(at + 1, tokens.size() - 1);
    return token;
  }

  boolean skipOperator(String text) {
    if (current().operator(text)) {
      next();
      return true;
    }
    return false;
  }

  boolean skipName(String text) {
    if (current().name(text)) {
      next();
      return true;
    }
    return false;
  }

  void expectOperator(String text) {
    if (!skipOperator(text)) {
      throw unexpected("'" + text + "'");
    }
  }

  void expectName(String text) {
    if (!skipName(text)) {
      throw unexpected("'" + text + "'");
    }
  }

  Token expect(Token.Kind kind, String what) {
    if (current().kind() != kind) {
      throw unexpected(what);
    }
    return next();
  }

  String name() {
    return expect(Token.Kind.NAME, "a name").text();
  }

  JinjaException unexpected(String wanted) {
    return new JinjaException(line(), "expected " + wanted + ", found " + current().shown());
  }

  /// Notes that what is parsed now lies in something else; each call needs a [#leave].
  void enter() {
    if (++nesting > NESTING_MAX) {
      throw new JinjaException(line(), "is nested more than " + NESTING_MAX + " deep");
    }
  }

  void leave() {
    nesting--;
  }
}
