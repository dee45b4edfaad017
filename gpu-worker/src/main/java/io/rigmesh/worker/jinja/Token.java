package io.rigmesh.worker.jinja;

/// A piece of a template.
///
/// @param kind what it is
/// @param text its text; of a string literal what it stands for
/// @param line where it starts, from 1
record Token(Kind kind, String text, int line) {
  enum Kind {
    DATA,
    BLOCK_BEGIN,
    BLOCK_END,
    VARIABLE_BEGIN,
    VARIABLE_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Kind wantedKind, String wanted) {
    return kind == wantedKind && text.equals(wanted);
  }

  boolean operator(String wanted) {
    return is(Kind.OPERATOR, wanted);
  }

  boolean name(String wanted) {
    return is(Kind.NAME, wanted);
  }

  /// As a person would name it.
  String shown() {
    return switch (kind) {
      case DATA -> "text";
      case END -> "the end of the template";
      case STRING -> "a string";
      default -> "'" + text + "'";
    };
  }
}
