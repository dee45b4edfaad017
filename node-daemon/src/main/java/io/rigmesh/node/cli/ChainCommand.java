package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Shows how the node stands to its chain.
@Command(
    name = "chain",
    description = {
      "Show the chain, its newest block and how each endpoint does. Exits with 1 if the node takes"
          + " no new work because of it."
    })
final class ChainCommand implements Callable<Integer> {
  @Mixin private NodeOptions node;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    JsonNode chain = node.client().get("/v1/chain");
    if (output.json()) {
      console.print(chain);
    } else {
      print(console, chain);
    }
    return chain.has("trouble") ? ExitCode.RETRY : ExitCode.OK;
  }

  private static void print(Console console, JsonNode chain) {
    console.print("chain      " + chain.path("chainId").asText());
    if (chain.has("head")) {
      JsonNode head = chain.path("head");
      console.print(
          "head       block %s, %.0f s old"
              .formatted(head.path("number").asText(), head.path("ageSeconds").asDouble()));
    }
    for (String name : List.of("escrow", "channels", "registry", "token", "receipts")) {
      console.print(
          name + " ".repeat(11 - name.length()) + chain.path("contracts").path(name).asText("-"));
    }
    if (chain.has("socket")) {
      JsonNode socket = chain.path("socket");
      console.print(
          "WebSocket  "
              + (socket.path("connected").asBoolean()
                  ? "told of " + socket.path("heads").asText() + " blocks"
                  : "away, new blocks are polled for: " + socket.path("trouble").asText()));
    }
    if (chain.has("trouble")) {
      console.print("trouble    " + chain.path("trouble").asText());
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of("ENDPOINT", "STATE", "REQUESTS", "FAILURES", "MEAN MS", "BLOCKS BEHIND", "WHY"));
    for (JsonNode endpoint : chain.path("endpoints")) {
      rows.add(
          List.of(
              endpoint.path("name").asText(),
              endpoint.path("state").asText(),
              endpoint.path("requests").asText(),
              endpoint.path("failures").asText(),
              endpoint.has("answerMillis")
                  ? "%.1f".formatted(endpoint.path("answerMillis").asDouble())
                  : "-",
              endpoint.path("blocksBehind").asText("-"),
              endpoint.path("trouble").asText("-")));
    }
    console.print("");
    console.table(rows);
  }
}
