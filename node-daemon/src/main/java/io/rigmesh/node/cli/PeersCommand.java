package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Lists the peers that the node is connected to.
@Command(name = "peers", description = "List the peers that the node is connected to.")
final class PeersCommand implements Callable<Integer> {
  @Mixin private NodeOptions node;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    JsonNode peers = node.client().get("/v1/peers");
    if (output.json()) {
      console.print(peers);
      return ExitCode.OK;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("PEER", "ADDRESS", "DIRECTION", "SOFTWARE", "SECURITY", "STREAMS", "SINCE"));
    for (JsonNode peer : peers.path("peers")) {
      rows.add(
          List.of(
              peer.path("peer").asText(),
              peer.path("address").asText()
                  + (peer.path("relayed").asBoolean() ? " (relayed)" : ""),
              peer.path("direction").asText(),
              peer.path("agent").asText().isEmpty() ? "-" : peer.path("agent").asText(),
              peer.path("security").asText(),
              peer.path("streams").asText(),
              peer.path("openedAt").asText()));
    }
    console.table(rows);
    for (JsonNode peer : peers.path("peers")) {
      if (peer.has("blame")) {
        console.print(
            peer.path("peer").asText()
                + " was caught breaking a rule "
                + peer.path("blame").path("count").asText()
                + " times, at last: "
                + peer.path("blame").path("last").asText());
      }
    }
    return ExitCode.OK;
  }
}
