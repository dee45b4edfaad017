package io.rigmesh.node.cli;

/// What the process answers to whoever started it: whether trying again makes sense.
final class ExitCode {
  /// Done.
  static final int OK = 0;

  /// Not done, but a restart or a later try may help: the daemon or the chain is away, a job
  /// failed.
  static final int RETRY = 1;

  /// Not done, and the same command will fail again: wrong usage, wrong input, a receipt that is
  /// not exact.
  static final int HOPELESS = 2;

  private ExitCode() {}
}
