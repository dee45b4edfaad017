package io.rigmesh.node.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rigmesh.node.client.DaemonClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Guarding payment channels of payees that may be away.
@Command(
    name = "watch",
    description = {
      "Guard payment channels of others, who may be away when one is closed: the node hands their"
          + " newest voucher in within the challenge time, and pays the gas. 'export' writes what"
          + " another node needs to guard a channel of this one; it lets nobody do more than pay"
          + " this node."
    },
    subcommands = {
      WatchCommand.Export.class,
      WatchCommand.Add.class,
      WatchCommand.Show.class,
      WatchCommand.Remove.class
    })
final class WatchCommand implements Runnable {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "watch what? export, add, list or remove");
  }

  /// What another node needs.
  @Command(
      name = "export",
      description =
          "Print a channel of this node with its newest voucher, for another node to guard.")
  static final class Export implements Callable<Integer> {
    @Mixin private NodeOptions node;

    @Parameters(paramLabel = "CHANNEL", description = "The channel, as /v1/channels names it.")
    private String channel;

    @Override
    public Integer call() {
      Console.ofProcess()
          .print(node.client().get("/v1/channels/" + DaemonClient.escaped(channel) + "/voucher"));
      return ExitCode.OK;
    }
  }

  /// Hands a channel over.
  @Command(
      name = "add",
      description =
          "Guard the channel of a file that 'rigmesh watch export' wrote on another node.")
  static final class Add implements Callable<Integer> {
    @Mixin private NodeOptions node;
    @Mixin private OutputOptions output;

    @Parameters(paramLabel = "FILE", description = "The file.")
    private Path file;

    @Override
    public Integer call() {
      JsonNode handover;
      try {
        handover = MAPPER.readTree(Files.readString(file));
      } catch (JsonProcessingException e) {
        throw CliException.hopeless(file + " is not JSON: " + e.getOriginalMessage(), e);
      } catch (IOException e) {
        throw CliException.hopeless("cannot read " + file + ": " + e.getMessage(), e);
      }
      JsonNode watched = node.client().post("/v1/watched", handover);
      if (output.json()) {
        Console.ofProcess().print(watched);
      } else {
        Console.ofProcess().print(watched.path("id").asText());
      }
      return ExitCode.OK;
    }
  }

  /// Lists what is guarded.
  @Command(name = "list", description = "List the channels that this node guards.")
  static final class Show implements Callable<Integer> {
    @Mixin private NodeOptions node;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      Console console = Console.ofProcess();
      JsonNode watched = node.client().get("/v1/watched");
      if (output.json()) {
        console.print(watched);
        return ExitCode.OK;
      }
      List<List<String>> rows = new ArrayList<>();
      for (JsonNode channel : watched.path("channels")) {
        rows.add(
            List.of(
                channel.path("id").asText(),
                channel.path("payee").asText(),
                channel.path("state").asText(),
                channel.path("promised").asText(),
                channel.path("redeemed").asText(),
                channel.path("closesAt").asText("-")));
      }
      console.table(
          Tables.withHeading(
              List.of("channel", "payee", "state", "promised", "redeemed", "closes at"), rows));
      return ExitCode.OK;
    }
  }

  /// Guards one no longer.
  @Command(name = "remove", description = "Guard a channel no longer.")
  static final class Remove implements Callable<Integer> {
    @Mixin private NodeOptions node;

    @Parameters(paramLabel = "CHANNEL", description = "The channel.")
    private String channel;

    @Override
    public Integer call() {
      JsonNode removed = node.client().delete("/v1/watched/" + DaemonClient.escaped(channel));
      Console.ofProcess().print(removed.path("id").asText());
      return ExitCode.OK;
    }
  }
}
