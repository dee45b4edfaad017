package io.rigmesh.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.wallet.LockedItem;
import io.rigmesh.node.client.ClientException;
import io.rigmesh.node.client.DaemonClient;
import io.rigmesh.node.wallet.Purse;
import io.rigmesh.node.wallet.Wallet;
import io.rigmesh.node.wallet.WalletJson;
import io.rigmesh.node.wallet.WalletMove;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.SessionKey;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.WalletSignature;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/// A wallet as a command sees it: a running daemon's, over its interface, or one that the command
/// opens by itself. Both answer in the same JSON.
sealed interface WalletAccess extends AutoCloseable {
  /// Whose it is.
  Address account();

  /// Digits behind the token's point.
  int decimals();

  /// The token's symbol.
  String symbol();

  /// Who does it, for the person.
  String doneBy();

  /// What the account has, as `/v1/wallet` answers it; without a daemon less is known.
  JsonNode summary();

  /// A page of history, as `/v1/wallet/history` answers it.
  JsonNode history(int limit, Optional<String> before);

  /// What is locked, as `/v1/wallet/locked` answers it.
  JsonNode locked();

  /// Moves tokens of the account into its balance with the channels' contract.
  JsonNode deposit(TokenAmount amount);

  /// Pays that balance out.
  JsonNode withdraw(TokenAmount amount, Address to);

  /// Lets a session key move up to `limit` into channels.
  JsonNode authorise(Address key, TokenAmount limit, Instant expiresAt);

  /// Takes that back.
  JsonNode revoke(Address key);

  /// Moves ether of the account into its balance with the channels' contract.
  JsonNode depositEther(TokenAmount wei);

  /// Pays that balance of ether out.
  JsonNode withdrawEther(TokenAmount wei, Address to);

  /// Hands in another account's word about a session key.
  JsonNode authorise(SessionKey word, WalletSignature signature);

  /// Puts tokens at stake.
  JsonNode stake(TokenAmount amount);

  /// Asks stake back.
  JsonNode unstake(TokenAmount amount);

  /// Pays unbonded stake out.
  JsonNode withdrawStake();

  /// Pays out what the token had refused to pay from escrows.
  JsonNode collect();

  @Override
  void close();

  /// Opened by this command.
  ///
  /// @param wallet the wallet
  record Own(Wallet wallet) implements WalletAccess {
    @Override
    public Address account() {
      return wallet.account();
    }

    @Override
    public int decimals() {
      return wallet.money().decimals();
    }

    @Override
    public String symbol() {
      return wallet.money().symbol();
    }

    @Override
    public String doneBy() {
      return "by this command itself, without a daemon";
    }

    @Override
    public JsonNode summary() {
      ObjectNode shown =
          JsonNodeFactory.instance
              .objectNode()
              .put("account", account().hex())
              .put("balanceWei", wallet.rpc().balanceWei(account()).toString())
              .put("tokenSymbol", symbol())
              .put("tokenDecimals", decimals())
              .put(
                  "balance",
                  wallet.money().balance(account(), wallet.rpc().head().number()).toString());
      List<LockedItem> items = wallet.locked().items();
      return shown
          .put("staked", sum(items, LockedItem.Kind.STAKE))
          .put("unbonding", sum(items, LockedItem.Kind.UNBONDING))
          .put("escrowed", sum(items, LockedItem.Kind.ESCROW, LockedItem.Kind.MILESTONE));
    }

    private static String sum(List<LockedItem> items, LockedItem.Kind... kinds) {
      return items.stream()
          .filter(item -> List.of(kinds).contains(item.kind()))
          .map(LockedItem::amount)
          .reduce(TokenAmount.ZERO, TokenAmount::plus)
          .toString();
    }

    @Override
    public JsonNode history(int limit, Optional<String> before) {
      return WalletJson.write(wallet.history(before.map(text -> point(text)), limit));
    }

    private static Purse.Point point(String text) {
      String[] parts = text.split("-", -1);
      try {
        return new Purse.Point(Long.parseLong(parts[0]), Long.parseLong(parts[1]));
      } catch (NumberFormatException | ArrayIndexOutOfBoundsException e) {
        throw CliException.hopeless("--before is what a page says as next, such as 120-3", e);
      }
    }

    @Override
    public JsonNode locked() {
      return WalletJson.write(wallet.locked());
    }

    @Override
    public JsonNode deposit(TokenAmount amount) {
      return move(new WalletMove.Deposit(amount));
    }

    @Override
    public JsonNode withdraw(TokenAmount amount, Address to) {
      return move(new WalletMove.Withdraw(amount, to));
    }

    @Override
    public JsonNode authorise(Address key, TokenAmount limit, Instant expiresAt) {
      return move(new WalletMove.Authorise(key, limit, expiresAt));
    }

    @Override
    public JsonNode revoke(Address key) {
      return move(new WalletMove.Revoke(key));
    }

    @Override
    public JsonNode depositEther(TokenAmount wei) {
      return move(new WalletMove.DepositEther(wei));
    }

    @Override
    public JsonNode withdrawEther(TokenAmount wei, Address to) {
      return move(new WalletMove.WithdrawEther(wei, to));
    }

    @Override
    public JsonNode authorise(SessionKey word, WalletSignature signature) {
      return move(new WalletMove.AuthoriseSigned(word, signature));
    }

    @Override
    public JsonNode stake(TokenAmount amount) {
      return move(new WalletMove.Stake(wallet.contracts().registry(), amount));
    }

    @Override
    public JsonNode unstake(TokenAmount amount) {
      return move(new WalletMove.Unstake(wallet.contracts().registry(), amount));
    }

    @Override
    public JsonNode withdrawStake() {
      return move(new WalletMove.WithdrawStake(wallet.contracts().registry()));
    }

    @Override
    public JsonNode collect() {
      return move(new WalletMove.Collect(wallet.contracts().escrow(), account()));
    }

    private JsonNode move(WalletMove move) {
      String id = UUID.randomUUID().toString();
      return WalletJson.write(id, wallet.move(id, move));
    }

    @Override
    public void close() {
      wallet.close();
    }
  }

  /// A running daemon's.
  ///
  /// @param client reaches it
  /// @param wallet what `/v1/wallet` answered
  record OfDaemon(DaemonClient client, JsonNode wallet) implements WalletAccess {
    private static final Duration READ_MAX = Duration.ofMinutes(5);
    private static final Duration SEND_MAX = Duration.ofMinutes(3);

    @Override
    public Address account() {
      return Address.fromHex(wallet.path("account").asText());
    }

    @Override
    public int decimals() {
      return wallet.path("tokenDecimals").asInt();
    }

    @Override
    public String symbol() {
      return wallet.path("tokenSymbol").asText();
    }

    @Override
    public String doneBy() {
      return "through the running daemon";
    }

    @Override
    public JsonNode summary() {
      return wallet;
    }

    @Override
    public JsonNode history(int limit, Optional<String> before) {
      return read(() ->
          client.get(
              "/v1/wallet/history?limit=%d%s"
                  .formatted(
                      limit,
                      before.map(text -> "&before=" + DaemonClient.escaped(text)).orElse(""))));
    }

    @Override
    public JsonNode locked() {
      return read(() -> client.get("/v1/wallet/locked"));
    }

    /// Asks again while the daemon reads the chain's past, of which a request sees a part.
    private static JsonNode read(Supplier<JsonNode> question) {
      long end = System.nanoTime() + READ_MAX.toNanos();
      while (true) {
        try {
          return question.get();
        } catch (ClientException e) {
          if (!String.valueOf(e.getMessage()).contains("(wallet-reading,")
              || System.nanoTime() - end > 0) {
            throw e;
          }
        }
      }
    }

    @Override
    public JsonNode deposit(TokenAmount amount) {
      return move("deposit", body().put("amount", amount.toString()));
    }

    @Override
    public JsonNode withdraw(TokenAmount amount, Address to) {
      return move("withdraw", body().put("amount", amount.toString()).put("to", to.hex()));
    }

    @Override
    public JsonNode authorise(Address key, TokenAmount limit, Instant expiresAt) {
      return move(
          "authorise",
          body()
              .put("key", key.hex())
              .put("limit", limit.toString())
              .put("expiresAt", expiresAt.toString()));
    }

    @Override
    public JsonNode revoke(Address key) {
      return move("revoke", body().put("key", key.hex()));
    }

    @Override
    public JsonNode depositEther(TokenAmount wei) {
      return move("deposit", body().put("amount", wei.toString()).put("asset", "ether"));
    }

    @Override
    public JsonNode withdrawEther(TokenAmount wei, Address to) {
      return move(
          "withdraw",
          body().put("amount", wei.toString()).put("to", to.hex()).put("asset", "ether"));
    }

    @Override
    public JsonNode authorise(SessionKey word, WalletSignature signature) {
      return move(
          "authorise-signed",
          body()
              .put("payer", word.payer().hex())
              .put("key", word.key().hex())
              .put("limit", word.limit().toString())
              .put("expiresAt", Instant.ofEpochSecond(word.expiresAtSeconds()).toString())
              .put("nonce", word.nonce().toString())
              .put("signature", signature.hex()));
    }

    @Override
    public JsonNode stake(TokenAmount amount) {
      return move("stake", body().put("amount", amount.toString()));
    }

    @Override
    public JsonNode unstake(TokenAmount amount) {
      return move("unstake", body().put("amount", amount.toString()));
    }

    @Override
    public JsonNode withdrawStake() {
      return move("withdraw-stake", body());
    }

    @Override
    public JsonNode collect() {
      return move("collect", body());
    }

    private static ObjectNode body() {
      return JsonNodeFactory.instance.objectNode().put("id", UUID.randomUUID().toString());
    }

    /// The same under the same id until it is confirmed: it is done once.
    private JsonNode move(String what, ObjectNode body) {
      long end = System.nanoTime() + SEND_MAX.toNanos();
      while (true) {
        JsonNode answer = client.post("/v1/wallet/" + what, body);
        if (answer.path("status").asText().equals("confirmed")) {
          return answer;
        }
        if (System.nanoTime() - end > 0) {
          throw CliException.retry(answer.path("note").asText());
        }
      }
    }

    @Override
    public void close() {
      // The client holds nothing open.
    }
  }
}
