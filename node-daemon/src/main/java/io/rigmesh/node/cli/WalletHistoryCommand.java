package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.rigmesh.ledger.wallet.WalletEntry;
import io.rigmesh.protocol.Hash;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// What moved the account's tokens.
@Command(
    name = "history",
    description = {
      "Show what moved the account's tokens, the newest first, with what it had after it: in the"
          + " account, in its balance with the channels' contract, and locked in channels. Read from the"
          + " chain's events, with or without a running daemon."
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

  @Override
  public Integer call() {
    if (limit < 1) {
      throw CliException.hopeless("--limit is at least 1");
    }
    Console console = Console.ofProcess();
    List<List<String>> rows =
        options.with((wallet, decimals) ->
            wallet.report(Optional.empty(), limit).entries().stream()
                .map(entry -> row(entry, decimals))
                .toList());
    if (output.json()) {
      ArrayNode list = JsonNodeFactory.instance.arrayNode();
      for (List<String> row : rows) {
        var line = list.addObject();
        for (int i = 0; i < COLUMNS.size(); i++) {
          line.put(COLUMNS.get(i), row.get(i));
        }
      }
      console.print(list);
    } else if (csv) {
      console.print(String.join(",", COLUMNS));
      rows.forEach(row -> console.print(String.join(",", row)));
    } else {
      List<List<String>> table = new ArrayList<>();
      table.add(COLUMNS.stream().map(name -> name.toUpperCase(java.util.Locale.ROOT)).toList());
      table.addAll(rows);
      console.table(table.stream().map(row -> row.subList(0, TABLE_COLUMNS)).toList());
    }
    return ExitCode.OK;
  }

  private static List<String> row(WalletEntry entry, int decimals) {
    return List.of(
        entry.place().at().toString(),
        Long.toString(entry.place().blockNumber()),
        entry.kind().id(),
        entry.counterparty().hex(),
        WalletOptions.text(entry.amount(), decimals),
        WalletOptions.text(entry.wallet(), decimals),
        WalletOptions.text(entry.channels(), decimals),
        WalletOptions.text(entry.locked(), decimals),
        entry.place().transaction().hex(),
        entry.channel().map(Hash::hex).orElse(""));
  }
}
