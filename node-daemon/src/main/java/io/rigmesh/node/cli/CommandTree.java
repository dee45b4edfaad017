package io.rigmesh.node.cli;

import io.rigmesh.ledger.account.KeystoreException;
import io.rigmesh.node.client.ClientException;
import io.rigmesh.node.config.ConfigException;
import io.rigmesh.node.receipts.AnchorException;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.worker.device.DeviceException;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.task.InvalidJobException;
import java.io.PrintWriter;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// All commands, and what their failures become: one sentence on standard error and an [ExitCode].
@Command(
    name = "rigmesh",
    scope = CommandLine.ScopeType.INHERIT,
    mixinStandardHelpOptions = true,
    versionProvider = CommandTree.VersionLine.class,
    description = "A rig in a marketplace of exact GPU compute: the node and its command line.",
    subcommands = {
      UpCommand.class,
      JobCommand.class,
      WalletCommand.class,
      ChainCommand.class,
      WatchCommand.class,
      ReceiptsCommand.class,
      DevicesCommand.class,
      WorkersCommand.class,
      SelfTestCommand.class,
      PeersCommand.class,
      OffersCommand.class,
      NetworkCommand.class,
      VerifyCommand.class,
      KeysCommand.class,
      ConfigCommand.class,
      ModelCommand.class,
      QuickstartCommand.class,
      RunCommand.class,
      EmbedCommand.class,
      CommandLine.HelpCommand.class
    },
    synopsisSubcommandLabel = "COMMAND",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:not done, but a restart or a later try may help",
      "2:not done, and the same command will fail again"
    },
    footer = {"", "'rigmesh help COMMAND' says more about a command."})
final class CommandTree implements Runnable {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  private CommandTree() {}

  /// Runs one command.
  ///
  /// @return its exit code
  static int run(String... args) {
    return commandLine().execute(args);
  }

  static CommandLine commandLine() {
    return new CommandLine(new CommandTree())
        .setExecutionExceptionHandler((e, line, _) -> failed(e, line.getErr()))
        .setExitCodeExceptionMapper(_ -> ExitCode.HOPELESS)
        .setUsageHelpAutoWidth(true)
        .setCaseInsensitiveEnumValuesAllowed(true);
  }

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "which command?");
  }

  /// What `--version` prints.
  static final class VersionLine implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"rigmesh " + Version.text()};
    }
  }

  private static int failed(Exception e, PrintWriter err) {
    err.println("rigmesh: " + sentence(e));
    if (System.getProperty("rigmesh.debug") != null) {
      e.printStackTrace(err);
    }
    err.flush();
    return switch (e) {
      case CliException cli -> cli.exitCode();
      case ClientException client -> client.laterMayHelp() ? ExitCode.RETRY : ExitCode.HOPELESS;
      // What was asked for is wrong, not the moment.
      case ConfigException _,
          MalformedException _,
          DeviceException _,
          ModelFormatException _,
          InvalidJobException _,
          KeystoreException _,
          AnchorException _,
          IllegalArgumentException _ ->
          ExitCode.HOPELESS;
      default -> ExitCode.RETRY;
    };
  }

  private static String sentence(Exception e) {
    String message = e.getMessage();
    return message == null || message.isBlank() ? e.getClass().getSimpleName() : message;
  }
}
