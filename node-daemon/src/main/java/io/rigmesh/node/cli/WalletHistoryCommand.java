package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// What moved the account's tokens.
@Command(
    name = "history",
    description = {
      "Show what moved the account's tokens, the newest first, with what it had after it: in the"
          + " account, in its balance with the channels' contract, and locked in channels. Read"
          + " from the chain's events, with or without a running daemon."
    })
final class WalletHistoryCommand implements Callable<Integer> {
  private static final List<String> COLUMNS =
      List.of(
          "time",
          "block",
          "kind",
          "counterparty",
          "amount",
          "wallet",
          "channels",
          "locked",
          "transaction",
          "channel");

  /// What a table shows; files have the rest too.
  private static final int TABLE_COLUMNS = 8;

  private static final int LINES_MAX = 1_000;

  @Mixin private WalletOptions options;
  @Mixin private OutputOptions output;

  @Option(names = "--csv", description = "Print comma-separated values on standard output.")
  private boolean csv;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "50",
      description = "How many lines (default: 50).")
  private int limit;

  @Option(
      names = "--before",
      paramLabel = "POINT",
      description = "Only lines before this point, which the page before said as next.")
  private @Nullable String before;

  @Override
  public Integer call() {
    if (limit < 1 || limit > LINES_MAX) {
      throw CliException.hopeless("--limit lies between 1 and " + LINES_MAX);
    }
    Console console = Console.ofProcess();
    return options.with((wallet, decimals) -> {
      JsonNode history = wallet.history(limit, Optional.ofNullable(before));
      List<List<String>> rows = new ArrayList<>();
      for (JsonNode entry : history.path("entries")) {
        rows.add(row(entry, decimals));
      }
      if (output.json()) {
        console.print(Tables.json(COLUMNS, rows));
      } else if (csv) {
        Tables.csv(COLUMNS, rows).forEach(console::print);
      } else {
        console.table(
            Tables.withHeading(COLUMNS, rows).stream()
                .map(row -> row.subList(0, TABLE_COLUMNS))
                .toList());
      }
      if (history.has("next")) {
        console.say("older lines: --before " + history.path("next").asText());
      }
      return ExitCode.OK;
    });
  }

  private static List<String> row(JsonNode entry, int decimals) {
    return List.of(
        entry.path("at").asText(),
        entry.path("block").asText(),
        entry.path("kind").asText(),
        entry.path("counterparty").asText(),
        WalletOptions.text(entry.path("amount"), decimals),
        WalletOptions.text(entry.path("wallet"), decimals),
        WalletOptions.text(entry.path("channels"), decimals),
        WalletOptions.text(entry.path("locked"), decimals),
        entry.path("transaction").asText(),
        entry.path("channel").asText(""));
  }
}
