package io.rigmesh.worker.jinja;

/// What an operation on values finds wrong, or what `raise_exception` says; the interpreter adds
/// the line and makes a [JinjaException] of it.
final class Problem extends RuntimeException {
  private final String said;
  private final boolean refusal;

  Problem(String message) {
    this(message, false);
  }

  private Problem(String message, boolean refusal) {
    super(message, null, false, false);
    this.said = message;
    this.refusal = refusal;
  }

  /// What a template says of its own accord.
  static Problem refusal(String said) {
    return new Problem(said, true);
  }

  JinjaException at(int line) {
    return refusal ? new JinjaException(said, line) : new JinjaException(line, said);
  }
}
