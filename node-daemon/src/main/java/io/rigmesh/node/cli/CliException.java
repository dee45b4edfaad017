package io.rigmesh.node.cli;

/// A command ends without its result. The message is one sentence for a person, with the remedy.
final class CliException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int exitCode;

  private CliException(int exitCode, String message, Throwable cause) {
    super(message, cause);
    this.exitCode = exitCode;
  }

  private CliException(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  /// A later try may help.
  static CliException retry(String message) {
    return new CliException(ExitCode.RETRY, message);
  }

  /// A later try may help.
  static CliException retry(String message, Throwable cause) {
    return new CliException(ExitCode.RETRY, message, cause);
  }

  /// The same command will fail again.
  static CliException hopeless(String message) {
    return new CliException(ExitCode.HOPELESS, message);
  }

  /// The same command will fail again.
  static CliException hopeless(String message, Throwable cause) {
    return new CliException(ExitCode.HOPELESS, message, cause);
  }

  int exitCode() {
    return exitCode;
  }
}
