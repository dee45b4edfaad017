package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.protocol.Address;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// The commands that send a transaction of the account.
final class WalletMoves {
  private static final int ETHER_DECIMALS = 18;

  private WalletMoves() {}

  static Integer done(OutputOptions output, String sentence, JsonNode confirmed) {
    Console console = Console.ofProcess();
    if (output.json()) {
      console.print(confirmed);
    } else {
      console.print(confirmed.path("transaction").asText());
      console.say(
          "%s in block %s, for %s gas"
              .formatted(
                  sentence, confirmed.path("block").asText(), confirmed.path("gasUsed").asText()));
    }
    return ExitCode.OK;
  }

  /// Tokens into the balance from which channels are opened.
  @Command(
      name = "deposit",
      description = "Move tokens into the account's balance with the channels' contract.")
  static final class Deposit implements Callable<Integer> {
    @Mixin private WalletOptions options;
    @Mixin private OutputOptions output;

    @Parameters(paramLabel = "AMOUNT", description = "How many tokens, such as 12.5.")
    private String amount;

    @Option(names = "--ether", description = "The amount is ether, for channels that hold it.")
    private boolean ether;

    @Override
    public Integer call() {
      return options.with((wallet, decimals) ->
          done(
              output,
              "deposited " + amount,
              ether
                  ? wallet.depositEther(WalletOptions.amount(amount, ETHER_DECIMALS))
                  : wallet.deposit(WalletOptions.amount(amount, decimals))));
    }
  }

  /// Tokens out of that balance.
  @Command(
      name = "withdraw",
      description = "Pay tokens of the account's balance with the channels' contract out.")
  static final class Withdraw implements Callable<Integer> {
    @Mixin private WalletOptions options;
    @Mixin private OutputOptions output;

    @Parameters(paramLabel = "AMOUNT", description = "How many tokens, such as 12.5.")
    private String amount;

    @Option(
        names = "--to",
        paramLabel = "ADDRESS",
        description = "Who gets them (default: the account).")
    private @Nullable String to;

    @Option(names = "--ether", description = "The amount is ether.")
    private boolean ether;

    @Override
    public Integer call() {
      return options.with((wallet, decimals) -> {
        String named = to;
        Address recipient = named == null ? wallet.account() : Address.fromHex(named);
        return done(
            output,
            "withdrew " + amount,
            ether
                ? wallet.withdrawEther(WalletOptions.amount(amount, ETHER_DECIMALS), recipient)
                : wallet.withdraw(WalletOptions.amount(amount, decimals), recipient));
      });
    }
  }

  /// A key that may spend a part of it.
  @Command(
      name = "authorise",
      description = {
        "Let another key, such as a daemon's, move up to a limit of the account's balance into"
            + " channels until a time. With --signer the account's own key stays where it is."
      })
  static final class Authorise implements Callable<Integer> {
    @Mixin private WalletOptions options;
    @Mixin private OutputOptions output;

    @Parameters(paramLabel = "KEY", description = "The account of the key that may spend.")
    private String key;

    @Option(
        names = "--limit",
        paramLabel = "AMOUNT",
        required = true,
        description = "How many tokens in all.")
    private String limit;

    @Option(
        names = "--days",
        paramLabel = "N",
        defaultValue = "30",
        description = "For how long (default: 30).")
    private int days;

    @Override
    public Integer call() {
      if (days < 1) {
        throw CliException.hopeless("--days is at least 1");
      }
      Instant expiresAt =
          Instant.ofEpochSecond(Instant.now().plus(Duration.ofDays(days)).getEpochSecond());
      return options.with((wallet, decimals) ->
          done(
              output,
              "%s may move %s into channels until %s".formatted(key, limit, expiresAt),
              wallet.authorise(
                  Address.fromHex(key), WalletOptions.amount(limit, decimals), expiresAt)));
    }
  }

  /// No longer.
  @Command(name = "revoke", description = "Let a key move nothing into channels any more.")
  static final class Revoke implements Callable<Integer> {
    @Mixin private WalletOptions options;
    @Mixin private OutputOptions output;

    @Parameters(paramLabel = "KEY", description = "The account of the key.")
    private String key;

    @Override
    public Integer call() {
      return options.with((wallet, decimals) ->
          done(output, key + " may move nothing", wallet.revoke(Address.fromHex(key))));
    }
  }

  /// A payment that was refused.
  @Command(
      name = "collect",
      description = {
        "Pay out what escrows owe the account and its token had refused to pay, as one does that"
            + " blocks accounts. 'rigmesh wallet locked' shows it as deferred."
      })
  static final class Collect implements Callable<Integer> {
    @Mixin private WalletOptions options;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      return options.with(
          (wallet, _) -> done(output, "collected what was deferred", wallet.collect()));
    }
  }
}
