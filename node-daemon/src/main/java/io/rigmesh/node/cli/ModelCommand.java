package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.rigmesh.protocol.Hash;
import io.rigmesh.worker.embed.EmbeddingModelImport;
import io.rigmesh.worker.format.SourceFile;
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
    subcommands = {ModelCommand.Add.class, ModelCommand.Import.class})
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

  /// Makes a model folder of an ONNX encoder and its tokenizer.
  @Command(
      name = "import",
      description = {
        "Make a model folder of a BERT-family ONNX encoder and its tokenizer.json. Either may lie in"
            + " a jar or zip: model.jar!/model.onnx."
      })
  static final class Import implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "ONNX", description = "The encoder.")
    private String onnx;

    @Parameters(index = "1", paramLabel = "TOKENIZER", description = "Its tokenizer.json.")
    private String tokenizer;

    @Parameters(index = "2", paramLabel = "OUT", description = "The folder to make.")
    private Path folder;

    @Override
    public Integer call() {
      EmbeddingModelImport.usual().run(SourceFile.parse(onnx), SourceFile.parse(tokenizer), folder);
      Console.ofProcess().say("wrote " + folder);
      return ExitCode.OK;
    }
  }
}
