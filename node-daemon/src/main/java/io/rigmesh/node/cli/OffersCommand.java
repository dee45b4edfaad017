package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Lists the offers that hold now.
@Command(
    name = "offers",
    description = "List the offers of providers that hold now; prices are in smallest units.")
final class OffersCommand implements Callable<Integer> {
  private static final double GIBIBYTE = 1 << 30;

  @Mixin private NodeOptions node;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    JsonNode offers = node.client().get("/v1/offers");
    if (output.json()) {
      console.print(offers);
      return ExitCode.OK;
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(
        List.of(
            "PROVIDER",
            "KIND",
            "MODEL",
            "IN/M",
            "OUT/M",
            "LEAST",
            "STAKE",
            "DEVICE",
            "MFLOP/S",
            "FOR"));
    for (JsonNode offer : offers.path("offers")) {
      for (JsonNode model : offer.path("models")) {
        rows.add(
            List.of(
                offer.path("peer").asText(),
                model.path("kind").asText(),
                model.has("root") ? model.path("root").asText() : "any",
                model.path("priceIn").asText(),
                model.path("priceOut").asText(),
                offer.path("priceMinimum").asText(),
                offer.path("stake").asText("-"),
                device(offer.path("devices").path(0)),
                speed(offer.path("devices").path(0)),
                left(offer.path("validUntil").asText())));
      }
    }
    console.table(rows);
    return ExitCode.OK;
  }

  private static String device(JsonNode device) {
    return device.path("name").asText("-")
        + String.format(
            Locale.ROOT, ", %.1f GiB", device.path("memoryBytes").asDouble() / GIBIBYTE);
  }

  private static String speed(JsonNode device) {
    String speed = device.path("megaflopsPerSecond").asText("0");
    String memory = device.path("megabytesPerSecond").asText("0");
    return (speed.equals("0") ? "-" : speed) + (memory.equals("0") ? "" : ", " + memory + " MB/s");
  }

  private static String left(String validUntil) {
    return Duration.between(Instant.now(), Instant.parse(validUntil)).toSeconds() + " s";
  }
}
