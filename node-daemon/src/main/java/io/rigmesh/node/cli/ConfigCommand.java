package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.rigmesh.node.config.EffectiveConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The node's settings.
@Command(
    name = "config",
    description = "Show the settings.",
    subcommands = ConfigCommand.Show.class)
final class ConfigCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "config what? show");
  }

  /// Shows every setting with its source.
  @Command(name = "show", description = "Show every setting in force, and where it comes from.")
  static final class Show implements Callable<Integer> {
    @Mixin private NodeOptions node;
    @Mixin private OutputOptions output;

    @Option(names = "--help-texts", description = "Also say what each is for.")
    private boolean helpTexts;

    @Override
    public Integer call() {
      Console console = Console.ofProcess();
      EffectiveConfig effective = node.effective();
      if (output.json()) {
        ArrayNode list = JsonNodeFactory.instance.arrayNode();
        effective
            .entries()
            .forEach(e ->
                list.addObject()
                    .put("key", e.key())
                    .put("value", e.value())
                    .put("source", e.source().toString())
                    .put("help", e.help()));
        console.print(list);
        return ExitCode.OK;
      }
      List<List<String>> rows = new ArrayList<>();
      rows.add(List.of("SETTING", "VALUE", "SOURCE", helpTexts ? "MEANING" : ""));
      effective
          .entries()
          .forEach(e ->
              rows.add(
                  List.of(e.key(), e.value(), e.source().toString(), helpTexts ? e.help() : "")));
      console.table(rows);
      return ExitCode.OK;
    }
  }
}
