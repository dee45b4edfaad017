package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// What of the account's tokens is locked, where, and until when.
@Command(
    name = "locked",
    description = {
      "Show what of the account's tokens is free in its balance with the channels' contract, and"
          + " what is locked in channels, in escrows of jobs and as stake: for whom, until when,"
          + " and what ends it. The kinds redeemable and due wait for this account with others."
    })
final class WalletLockedCommand implements Callable<Integer> {
  private static final List<String> COLUMNS =
      List.of("kind", "amount", "promised", "until", "counterparty", "id", "note");

  @Mixin private WalletOptions options;
  @Mixin private OutputOptions output;

  @Option(names = "--csv", description = "Print comma-separated values on standard output.")
  private boolean csv;

  @Override
  public Integer call() {
    Console console = Console.ofProcess();
    return options.with((wallet, decimals) -> {
      JsonNode locked = wallet.locked();
      List<List<String>> rows = new ArrayList<>();
      for (JsonNode item : locked.path("items")) {
        rows.add(row(item, decimals));
      }
      String free = WalletOptions.text(locked.path("free"), decimals);
      if (output.json()) {
        console.print(
            JsonNodeFactory.instance
                .objectNode()
                .put("account", locked.path("account").asText())
                .put("free", free)
                .set("items", Tables.json(COLUMNS, rows)));
      } else if (csv) {
        Tables.csv(COLUMNS, rows).forEach(console::print);
      } else {
        console.print("free in channels  %s %s".formatted(free, wallet.symbol()));
        if (!rows.isEmpty()) {
          console.print("");
          console.table(Tables.withHeading(COLUMNS, rows));
        }
      }
      return ExitCode.OK;
    });
  }

  private static List<String> row(JsonNode item, int decimals) {
    return List.of(
        item.path("kind").asText(),
        WalletOptions.text(item.path("amount"), decimals),
        item.has("promised") ? WalletOptions.text(item.path("promised"), decimals) : "",
        item.path("until").asText(""),
        item.path("counterparty").asText(""),
        item.path("id").asText(""),
        item.path("note").asText());
  }
}
