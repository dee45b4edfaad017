package io.rigmesh.worker.jinja;

/// A template that cannot be parsed, that fails on what it is given, or that refuses it with
/// `raise_exception`. The message names the line.
public final class JinjaException extends RuntimeException {
  private final int line;
  private final boolean refusal;

  JinjaException(int line, String problem) {
    super("template line " + line + ": " + problem);
    this.line = line;
    this.refusal = false;
  }

  /// What a template says through `raise_exception`.
  JinjaException(String said, int line) {
    super(said);
    this.line = line;
    this.refusal = true;
  }

  /// The line of the template, from 1.
  public int line() {
    return line;
  }

  /// Whether the template itself refused its input, rather than being at fault: the message is its
  /// author's.
  public boolean refusal() {
    return refusal;
  }
}
