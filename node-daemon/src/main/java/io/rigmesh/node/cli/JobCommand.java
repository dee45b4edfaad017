package io.rigmesh.node.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Jobs of the local node.
@Command(
    name = "job",
    description = "Submit, list, show, watch, fetch and cancel jobs.",
    subcommands = {
      JobSubmitCommand.class,
      JobListCommand.class,
      JobShowCommand.class,
      JobWatchCommand.class,
      JobFetchCommand.class,
      JobCancelCommand.class,
      CommandLine.HelpCommand.class
    })
final class JobCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "job what? submit, list, show, watch, fetch or cancel");
  }
}
