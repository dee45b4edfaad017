package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Shows the node's money.
@Command(
    name = "wallet",
    description = "Show the account's balances and newest transactions, or do more with its money.",
    subcommands = {
      WalletHistoryCommand.class,
      WalletLockedCommand.class,
      WalletMoves.Deposit.class,
      WalletMoves.Withdraw.class,
      WalletMoves.Authorise.class,
      WalletMoves.Revoke.class,
      WalletWords.Print.class,
      WalletWords.HandIn.class,
      WalletWords.Show.class,
      WalletStake.Stake.class,
      WalletStake.Unstake.class,
      WalletStake.Withdraw.class,
      WalletMoves.Collect.class,
      WalletLeaveCommand.class
    })
final class WalletCommand implements Callable<Integer> {
  private static final int ETHER_DECIMALS = 18;

  @Mixin private WalletOptions options;
  @Mixin private OutputOptions output;

  @Override
  public Integer call() {
    return options.with((wallet, _) -> print(wallet.summary()));
  }

  private int print(JsonNode wallet) {
    Console console = Console.ofProcess();
    if (output.json()) {
      console.print(wallet);
      return ExitCode.OK;
    }
    int decimals = wallet.path("tokenDecimals").asInt();
    String symbol = wallet.path("tokenSymbol").asText();
    console.print("account    " + wallet.path("account").asText());
    console.print("for gas    " + point(wallet.path("balanceWei"), ETHER_DECIMALS) + " ETH");
    for (String name : List.of("balance", "staked", "unbonding", "escrowed", "earned", "spent")) {
      if (wallet.has(name)) {
        console.print(
            name
                + " ".repeat(11 - name.length())
                + point(wallet.path(name), decimals)
                + " "
                + symbol);
      }
    }
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("TRANSACTION", "PURPOSE", "STATUS", "GAS", "CREATED"));
    for (JsonNode t : wallet.path("transactions")) {
      rows.add(
          List.of(
              t.path("transaction").asText("-"),
              t.path("purpose").asText(),
              t.path("status").asText(),
              t.path("gasUsed").asText("-"),
              t.path("createdAt").asText()));
    }
    if (rows.size() > 1) {
      console.print("");
      console.table(rows);
    }
    return ExitCode.OK;
  }

  /// An amount in whole units.
  static String point(JsonNode units, int decimals) {
    return new BigDecimal(new BigInteger(units.asText("0")), decimals)
        .stripTrailingZeros()
        .toPlainString();
  }
}
