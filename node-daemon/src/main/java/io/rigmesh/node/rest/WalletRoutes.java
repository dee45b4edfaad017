package io.rigmesh.node.rest;

import com.linecorp.armeria.common.HttpMethod;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.HttpStatus;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.node.Node;
import io.rigmesh.node.jobs.JsonFields;
import io.rigmesh.node.wallet.Purse;
import io.rigmesh.node.wallet.WalletJson;
import io.rigmesh.node.wallet.WalletMove;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.SessionKey;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.WalletSignature;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The account's history, what of its tokens is locked, and transactions that a person asks for.
final class WalletRoutes {
  private static final int BODY_BYTES_MAX = 4_096;
  private static final int LINES_MAX = 1_000;
  private static final int LINES = 50;
  private static final Pattern POINT = Pattern.compile("(\\d{1,18})-(\\d{1,9})");
  private static final Pattern ID = Pattern.compile("[A-Za-z0-9-]{1,64}");

  private final Node node;

  WalletRoutes(Node node) {
    this.node = node;
  }

  List<Route> routes() {
    return List.of(
        Route.of(HttpMethod.GET, "/v1/wallet/history", this::history),
        Route.of(HttpMethod.GET, "/v1/wallet/locked", _ -> locked()),
        move("/v1/wallet/deposit", WalletRoutes::deposit),
        move("/v1/wallet/withdraw", this::withdraw),
        move("/v1/wallet/authorise", WalletRoutes::authorise),
        move("/v1/wallet/revoke", WalletRoutes::revoke),
        move("/v1/wallet/authorise-signed", this::authoriseSigned),
        move("/v1/wallet/stake", this::stake),
        move("/v1/wallet/unstake", this::unstake),
        move("/v1/wallet/withdraw-stake", _ -> new WalletMove.WithdrawStake(registry())),
        move(
            "/v1/wallet/collect",
            _ -> new WalletMove.Collect(node.chain().contracts().escrow(), node.info().account())));
  }

  private Route move(String path, Function<JsonFields, WalletMove> read) {
    return Route.withBody(HttpMethod.POST, path, BODY_BYTES_MAX, call -> move(call, read));
  }

  private HttpResponse history(Call call) {
    call.allowQueries(Set.of("limit", "before"));
    int limit = call.integer("limit", LINES, 1, LINES_MAX);
    Optional<Purse.Point> before = call.query("before").map(WalletRoutes::point);
    return Json.ok(WalletJson.write(reading(() -> node.purse().history(before, limit))));
  }

  private static Purse.Point point(String text) {
    Matcher matcher = POINT.matcher(text);
    if (!matcher.matches()) {
      throw ApiException.invalid("before", "before is what a page says as next, such as 120-3");
    }
    return new Purse.Point(Long.parseLong(matcher.group(1)), Long.parseLong(matcher.group(2)));
  }

  private HttpResponse locked() {
    return Json.ok(WalletJson.write(reading(() -> node.purse().locked())));
  }

  private HttpResponse move(Call call, Function<JsonFields, WalletMove> read) {
    JsonFields body = new JsonFields(ProtocolJson.parse(call.jsonBody(), "the body"), "the body");
    String id = body.text("id", WalletRoutes::id);
    WalletMove move = read.apply(body);
    body.end();
    try {
      return Json.ok(WalletJson.write(id, ChainErrors.asked(() -> node.purse().move(id, move))));
    } catch (TransactionPendingException e) {
      return Json.response(
          HttpStatus.ACCEPTED, WalletJson.pending(id, String.valueOf(e.getMessage())));
    }
  }

  private static WalletMove deposit(JsonFields body) {
    TokenAmount amount = body.text("amount", WalletRoutes::amount);
    return isEther(body) ? new WalletMove.DepositEther(amount) : new WalletMove.Deposit(amount);
  }

  private WalletMove withdraw(JsonFields body) {
    TokenAmount amount = body.text("amount", WalletRoutes::amount);
    Address to = body.optionalText("to", Address::fromHex).orElseGet(() -> node.info().account());
    return isEther(body)
        ? new WalletMove.WithdrawEther(amount, to)
        : new WalletMove.Withdraw(amount, to);
  }

  private static boolean isEther(JsonFields body) {
    return body.optionalText("asset", WalletRoutes::asset).orElse("token").equals("ether");
  }

  private static String asset(String text) {
    if (!text.equals("token") && !text.equals("ether")) {
      throw new IllegalArgumentException("it is token or ether");
    }
    return text;
  }

  private WalletMove authoriseSigned(JsonFields body) {
    return new WalletMove.AuthoriseSigned(
        new SessionKey(
            body.text("payer", Address::fromHex),
            body.text("key", Address::fromHex),
            node.chain().contracts().token(),
            body.text("limit", WalletRoutes::amount),
            body.text("expiresAt", WalletRoutes::time).getEpochSecond(),
            body.text("nonce", TokenAmount::parse).units()),
        body.text("signature", WalletSignature::fromHex));
  }

  private Address registry() {
    return node.chain().contracts().registry();
  }

  private WalletMove stake(JsonFields body) {
    return new WalletMove.Stake(registry(), body.text("amount", WalletRoutes::amount));
  }

  private WalletMove unstake(JsonFields body) {
    return new WalletMove.Unstake(registry(), body.text("amount", WalletRoutes::amount));
  }

  private static WalletMove authorise(JsonFields body) {
    return new WalletMove.Authorise(
        body.text("key", Address::fromHex),
        body.text("limit", WalletRoutes::amount),
        body.text("expiresAt", WalletRoutes::time));
  }

  private static WalletMove revoke(JsonFields body) {
    return new WalletMove.Revoke(body.text("key", Address::fromHex));
  }

  /// The name of a move.
  static String id(String text) {
    if (!ID.matcher(text).matches()) {
      throw new IllegalArgumentException("an id has 1 to 64 letters, digits and hyphens");
    }
    return text;
  }

  private static TokenAmount amount(String text) {
    TokenAmount amount = TokenAmount.parse(text);
    if (amount.units().signum() == 0) {
      throw new IllegalArgumentException("it is above zero, in the token's smallest unit");
    }
    return amount;
  }

  private static Instant time(String text) {
    try {
      return Instant.ofEpochSecond(Instant.parse(text).getEpochSecond());
    } catch (DateTimeParseException e) {
      throw new IllegalArgumentException("it is a time such as 2030-01-31T12:00:00Z", e);
    }
  }

  /// Reading took longer than a request may, and goes on with the next.
  private static <T> T reading(Supplier<T> question) {
    try {
      return ChainErrors.asked(question);
    } catch (TransactionPendingException e) {
      throw ApiException.unavailable("wallet-reading", String.valueOf(e.getMessage()));
    }
  }
}
