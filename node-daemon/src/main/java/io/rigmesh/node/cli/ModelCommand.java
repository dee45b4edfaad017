package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.rigmesh.protocol.Hash;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Models on disk.
@Command(
    name = "model",
    description = "Import models, and give them to the local node.",
    subcommands = ModelCommand.Add.class)
final class ModelCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "model what? add or import");
  }

  /// Gives a model folder to the daemon.
  @Command(name = "add", description = "Give a model folder to the local node; prints its root.")
  static final class Add implements Callable<Integer> {
    @Mixin private NodeOptions node;
    @Mixin private OutputOptions output;

    @Parameters(paramLabel = "FOLDER", description = "A Hugging Face style folder.")
    private Path folder;

    @Override
    public Integer call() {
      Console console = Console.ofProcess();
      Hash root = node.client().uploadFolder(folder);
      if (output.json()) {
        console.print(JsonNodeFactory.instance.objectNode().put("root", root.hex()));
      } else {
        console.print(root.hex());
      }
      return ExitCode.OK;
    }
  }
}
