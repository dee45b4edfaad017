package io.rigmesh.node.cli;

/// The process that `bin/rigmesh` starts. It answers `--version` before anything heavy is loaded,
/// so that the answer comes at once even from a cold start.
public final class Main {
  private Main() {}

  /// Runs one command and exits with its [ExitCode].
  public static void main(String[] args) {
    if (args.length == 1 && (args[0].equals("--version") || args[0].equals("-V"))) {
      System.out.println("rigmesh " + Version.text());
      return;
    }
    int exitCode = CommandTree.run(args);
    if ("new".equals(System.getProperty("rigmesh.archive"))) {
      ArchivedClasses.load();
    }
    System.exit(exitCode);
  }
}
