package io.rigmesh.node.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/// The commands that put a provider's tokens at stake and take them back.
final class WalletStake {
  private WalletStake() {}

  /// Tokens at stake.
  @Command(
      name = "stake",
      description = {
        "Put tokens of the account at stake, which requesters may ask of providers. A daemon that offers"
            + " its devices then binds its peer to the account by itself."
      })
  static final class Stake implements Callable<Integer> {
    @Mixin private WalletOptions options;
    @Mixin private OutputOptions output;

    @Parameters(paramLabel = "AMOUNT", description = "How many tokens, such as 12.5.")
    private String amount;

    @Override
    public Integer call() {
      return options.with((wallet, decimals) ->
          WalletMoves.done(
              output, "staked " + amount, wallet.stake(WalletOptions.amount(amount, decimals))));
    }
  }

  /// Tokens asked back.
  @Command(
      name = "unstake",
      description = "Ask stake back; it can be withdrawn after the registry's unbonding time.")
  static final class Unstake implements Callable<Integer> {
    @Mixin private WalletOptions options;
    @Mixin private OutputOptions output;

    @Parameters(paramLabel = "AMOUNT", description = "How many tokens, such as 12.5.")
    private String amount;

    @Override
    public Integer call() {
      return options.with((wallet, decimals) ->
          WalletMoves.done(
              output,
              "asked " + amount + " back",
              wallet.unstake(WalletOptions.amount(amount, decimals))));
    }
  }

  /// Tokens back.
  @Command(name = "withdraw-stake", description = "Pay out the stake whose unbonding time is over.")
  static final class Withdraw implements Callable<Integer> {
    @Mixin private WalletOptions options;
    @Mixin private OutputOptions output;

    @Override
    public Integer call() {
      return options.with((wallet, decimals) ->
          WalletMoves.done(output, "withdrew the unbonded stake", wallet.withdrawStake()));
    }
  }
}
