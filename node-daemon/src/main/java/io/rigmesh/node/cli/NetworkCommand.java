package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// The node in the peer-to-peer network.
@Command(
    name = "network",
    description = "Show how the node stands in the network, and check that it is reached.",
    subcommands = {NetworkCommand.Show.class, NetworkCommand.Check.class})
final class NetworkCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "network what? show or check");
  }

  /// Shows what is known.
  @Command(name = "show", description = "Show peer id, addresses and peers.")
  static final class Show implements Callable<Integer> {
    @Mixin private NodeOptions node;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      print(node.client().get("/v1/network"), output);
      return ExitCode.OK;
    }
  }

  /// Asks others.
  @Command(
      name = "check",
      description = {
        "Ask connected peers to dial this node back, and show what became of it. Exits with 1 if"
            + " nobody could, or nobody is there to ask."
      })
  static final class Check implements Callable<Integer> {
    @Mixin private NodeOptions node;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      JsonNode checked = node.client().post("/v1/network/check");
      print(checked, output);
      return checked.path("reachability").asText().equals("public") ? ExitCode.OK : ExitCode.RETRY;
    }
  }

  private static void print(JsonNode network, OutputOptions output) {
    Console console = Console.ofProcess();
    if (output.json()) {
      console.print(network);
      return;
    }
    console.print("peer       " + network.path("peer").asText());
    lines(console, "listening", network.path("listening"));
    lines(console, "announced", network.path("announced"));
    lines(console, "seen at", network.path("observed"));
    console.print(
        "peers      "
            + network.path("peers").asText()
            + " ("
            + network.path("inbound").asText()
            + " inbound, "
            + network.path("outbound").asText()
            + " outbound), "
            + network.path("table").asText()
            + " in the Kademlia table");
    console.print("reached    " + meaning(network.path("reachability").asText()));
    for (JsonNode verdict : network.path("verdicts")) {
      console.print(
          "  "
              + verdict.path("address").asText()
              + ": "
              + verdict.path("state").asText()
              + " ("
              + verdict.path("successes").asText()
              + " reached it, "
              + verdict.path("failures").asText()
              + " did not)");
    }
    for (JsonNode trouble : network.path("troubles")) {
      console.print("trouble    " + trouble.asText());
    }
  }

  private static String meaning(String reachability) {
    return switch (reachability) {
      case "public" -> "yes, from outside";
      case "private" -> "no: open or forward the listening ports, or set network.announce";
      default -> "not known: no peer has tried yet";
    };
  }

  private static void lines(Console console, String name, JsonNode addresses) {
    String label = name;
    for (JsonNode address : addresses) {
      console.print(label + " ".repeat(11 - label.length()) + address.asText());
      label = "";
    }
  }
}
