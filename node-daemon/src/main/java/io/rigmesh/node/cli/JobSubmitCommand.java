package io.rigmesh.node.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Submits a job.
@Command(
    name = "submit",
    description = "Submit a job: its input goes to the local node, which signs and sends it.",
    subcommands = {
      SubmitTrainCommand.class,
      SubmitGenerateCommand.class,
      SubmitEmbedCommand.class,
      CommandLine.HelpCommand.class
    })
final class JobSubmitCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "submit what? train, generate or embed");
  }
}
