package io.rigmesh.node.cli;

import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.account.RemoteSigner;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.wallet.Wallet;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigDecimal;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Whose wallet a command is about: the node's account, or one whose key a remote signer holds.
final class WalletOptions {
  /// Time for a person to press a button.
  private static final Duration SIGNING_MAX = Duration.ofMinutes(2);

  @Mixin private NodeOptions node;

  @Option(
      names = "--signer",
      paramLabel = "URL",
      description =
          "A remote signer (JSON-RPC, such as Web3signer's) that holds the key of --account.")
  private @Nullable URI signer;

  @Option(
      names = "--account",
      paramLabel = "ADDRESS",
      description = "The account at the signer (default: the node's).")
  private @Nullable String account;

  /// The settings.
  NodeConfig settings() {
    return node.settings();
  }

  /// Opens the wallet and does something with it.
  <T> T with(BiFunction<Wallet, Integer, T> action) {
    URI remote = signer;
    String named = account;
    if ((remote == null) != (named == null)) {
      throw CliException.hopeless("--signer and --account belong together");
    }
    if (remote == null || named == null) {
      return act(Optional.empty(), action);
    }
    try (RemoteSigner connected =
        RemoteSigner.connect(remote, Address.fromHex(named), SIGNING_MAX)) {
      return act(Optional.of(connected), action);
    }
  }

  private <T> T act(Optional<AccountSigner> key, BiFunction<Wallet, Integer, T> action) {
    try (Wallet wallet = Wallet.open(settings(), key)) {
      return action.apply(wallet, wallet.money().decimals());
    }
  }

  /// An amount in whole tokens, such as `12.5`.
  static TokenAmount amount(String text, int decimals) {
    try {
      return new TokenAmount(new BigDecimal(text).movePointRight(decimals).toBigIntegerExact());
    } catch (ArithmeticException e) {
      throw CliException.hopeless(
          text + " has more than the token's " + decimals + " digits behind the point", e);
    } catch (NumberFormatException e) {
      throw CliException.hopeless(text + " is no amount; write it as 12.5", e);
    }
  }

  /// The same the other way round.
  static String text(TokenAmount amount, int decimals) {
    return new BigDecimal(amount.units(), decimals).toPlainString();
  }
}
