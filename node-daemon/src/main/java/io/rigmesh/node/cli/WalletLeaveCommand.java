package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.node.client.DaemonClient;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// Takes the rest of a channel back.
@Command(
    name = "leave",
    description = {
      "Ask for what is left of a channel back, by which the running daemon pays. It gets no further"
          + " voucher, and is closed when the challenge time is over."
    })
final class WalletLeaveCommand implements Callable<Integer> {
  @Mixin private NodeOptions node;
  @Mixin private OutputOptions output;

  @Parameters(
      paramLabel = "CHANNEL",
      description = "The channel, as rigmesh wallet locked names it.")
  private String channel;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    JsonNode left = node.client().delete("/v1/channels/" + DaemonClient.escaped(channel));
    if (output.json()) {
      console.print(left);
    } else {
      console.print(
          left.has("closesAt")
              ? "closes at " + left.path("closesAt").asText()
              : "is being left; rigmesh wallet locked says when it closes");
    }
    return ExitCode.OK;
  }
}
