package io.rigmesh.node.cli;

import picocli.CommandLine.Option;

/// How a command that prints data prints it.
final class OutputOptions {
  @Option(names = "--json", description = "Print JSON on standard output.")
  private boolean json;

  /// True for JSON.
  boolean json() {
    return json;
  }
}
