package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.account.RemoteSigner;
import io.rigmesh.node.client.DaemonClient;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.wallet.Wallet;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.nio.file.Files;
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

  /// Opens the wallet and does something with it: through the daemon where one runs, so that one
  /// process has the account's nonces and books, and otherwise by itself. Says which.
  <T> T with(BiFunction<WalletAccess, Integer, T> action) {
    try (RemoteKey key = RemoteKey.of(signer, account);
        WalletAccess wallet = open(key.signer())) {
      Console.ofProcess().say("done " + wallet.doneBy());
      return action.apply(wallet, wallet.decimals());
    }
  }

  private WalletAccess open(Optional<AccountSigner> key) {
    NodeConfig config = settings();
    if (key.isEmpty()) {
      Optional<DaemonClient> daemon = daemon(config);
      if (daemon.isPresent()) {
        return new WalletAccess.OfDaemon(daemon.get(), daemon.get().get("/v1/wallet"));
      }
    }
    return new WalletAccess.Own(Wallet.open(config, key));
  }

  /// The node's daemon, if one answers.
  static Optional<DaemonClient> daemon(NodeConfig config) {
    if (!Files.exists(config.rest().tokenFile())) {
      return Optional.empty();
    }
    return Optional.of(DaemonClient.of(config)).filter(DaemonClient::isLive);
  }

  /// The remote signer's key, where one is named.
  private record RemoteKey(Optional<RemoteSigner> remote) implements AutoCloseable {
    static RemoteKey of(@Nullable URI url, @Nullable String named) {
      if ((url == null) != (named == null)) {
        throw CliException.hopeless("--signer and --account belong together");
      }
      return new RemoteKey(
          url == null || named == null
              ? Optional.empty()
              : Optional.of(RemoteSigner.connect(url, Address.fromHex(named), SIGNING_MAX)));
    }

    Optional<AccountSigner> signer() {
      return remote.map(key -> key);
    }

    @Override
    public void close() {
      remote.ifPresent(RemoteSigner::close);
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

  /// The same the other way round, from the smallest units of an answer.
  static String text(JsonNode units, int decimals) {
    return new BigDecimal(new BigInteger(units.asText("0")), decimals).toPlainString();
  }
}
