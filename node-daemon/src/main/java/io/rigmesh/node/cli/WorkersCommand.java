package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Shows how the workers of the node's devices do.
@Command(
    name = "workers",
    description = {
      "Show the node's devices and how their workers do: state, jobs, restarts, and why one does not"
          + " serve. Exits with 1 unless all do."
    })
final class WorkersCommand implements Callable<Integer> {
  private static final double GIBIBYTE = 1 << 30;

  @Mixin private NodeOptions node;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    JsonNode answer = node.client().get("/v1/devices");
    boolean allServe = true;
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("DEVICE", "NAME", "STATE", "RUNNING", "QUEUED", "HELD", "RESTARTS", "WHY"));
    for (JsonNode device : answer.path("devices")) {
      allServe &= device.path("state").asText().equals("ready");
      rows.add(
          List.of(
              device.path("id").asText(),
              device.path("name").asText(),
              device.path("state").asText(),
              Integer.toString(device.path("running").size()),
              device.path("queued").asText(),
              String.format(
                  Locale.ROOT,
                  "%.1f of %.1f GiB",
                  device.path("memoryHeldBytes").asLong() / GIBIBYTE,
                  device.path("memoryBytes").asLong() / GIBIBYTE),
              device.path("restarts").asText(),
              device.path("reason").asText("-")));
    }
    if (output.json()) {
      console.print(answer);
    } else {
      console.table(rows);
    }
    return allServe ? ExitCode.OK : ExitCode.RETRY;
  }
}
