package io.rigmesh.node.market;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.channel.ChannelClient;
import io.rigmesh.ledger.channel.ChannelContract;
import io.rigmesh.ledger.channel.Handover;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.intent.JdbiIntentStore;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.node.WatchJson;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.SignedVoucher;
import io.rigmesh.protocol.TokenAmount;
import io.rigmesh.protocol.Voucher;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A daemon's wallet on a real chain, by its interface and by bin/rigmesh, which asks the daemon
/// while it runs and does the same by itself when it does not.
class WalletIT {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Duration TIMEOUT = Duration.ofMinutes(2);

  @TempDir Path folder;
  private DevChain chain;
  private AccountKey holder;
  private ChainRpc rpc;
  private TransactionSender sender;
  private TokenClient token;
  private Deployment deployment;
  private NodeProcess node;

  @BeforeEach
  void start() throws Exception {
    chain =
        DevChain.start(
            new DevChain.Settings(
                AnvilBinary.find(Path.of("")),
                0,
                31_337,
                Optional.of(Duration.ofSeconds(1)),
                Optional.empty()));
    holder = AccountKey.generate();
    chain.setBalance(holder.address(), BigInteger.TEN.pow(20));
    DataSource source = LedgerSchema.open(folder.resolve("holder.db"));
    LedgerSchema.migrate(source);
    rpc = ChainRpc.connect(RpcSettings.of(31_337, chain.endpoint()));
    sender =
        TransactionSender.start(
            rpc,
            new JdbiIntentStore(Jdbi.create(source), 31_337, holder.address()),
            AccountSigner.of(holder),
            SenderSettings.development(),
            SendListener.NONE,
            Clock.systemUTC());
    // On a busy machine a daemon may take longer to start than the standard challenge time.
    DevDeployment standard = DevDeployment.standard();
    deployment =
        new DevDeployment(standard.supply(), standard.unbonding(), Duration.ofMinutes(15))
            .deploy(sender, TIMEOUT);
    token = new TokenClient(sender, AccountSigner.of(holder), deployment.token(), TIMEOUT);
    node = new NodeProcess(folder.resolve("node"), yaml());
    Address account = Market.account(node);
    chain.setBalance(account, BigInteger.TEN.pow(18));
    token.transfer(account, TokenAmount.of(100_000_000), "for the wallet");
    node.awaitReady();
  }

  @AfterEach
  void stop() {
    node.close();
    sender.close();
    rpc.close();
    chain.close();
  }

  /// The contracts are named one by one: no deployment file is needed.
  private String yaml() {
    return """
    rest:
      port: 0
    network:
      listen: /ip4/127.0.0.1/tcp/0
      private-network: true
      mdns: false
      port-mapping: false
    provider:
      enabled: false
    chain:
      rpc-urls: %s
      ws-urls: %s
      chain-id: 31337
      escrow: "%s"
      channels: "%s"
      registry: "%s"
      token: "%s"
      from-block: %d
      poll-millis: 500
      head-age-seconds-max: 60
      request-timeout-seconds: 60
    """
        .formatted(
            chain.endpoint(),
            chain.endpoint().toString().replace("http:", "ws:"),
            deployment.escrow(),
            deployment.channels(),
            deployment.registry(),
            deployment.token(),
            deployment.block());
  }

  private Rigmesh.Said rigmesh(String... arguments) throws Exception {
    return Rigmesh.on(node, folder, arguments);
  }

  private static void await(BooleanSupplier condition) {
    long deadline = System.nanoTime() + NodeProcess.PATIENCE.toNanos();
    while (!condition.getAsBoolean() && System.nanoTime() < deadline) {
      LockSupport.parkNanos(20_000_000);
    }
    assertThat(condition.getAsBoolean()).isTrue();
  }

  /// The lines of history without the heading, oldest first, as they are the same for ever.
  private static List<String> lines(Rigmesh.Said history) {
    return history.out().lines().skip(1).toList().reversed();
  }

  @Test
  void commandsGoThroughTheDaemonWhileItRunsAndDoTheSameWithoutIt() throws Exception {
    Rigmesh.Said deposited = rigmesh("wallet", "deposit", "12.5");
    assertThat(deposited.err()).contains("done through the running daemon");
    String transaction = deposited.out().strip();
    assertThat(transaction).matches("0x[0-9a-f]{64}");

    // The same move under the same id is one move, however often it is asked for.
    String twice = "{\"id\":\"once\",\"amount\":\"2500000\"}";
    JsonNode first = move("withdraw", twice);
    assertThat(move("withdraw", twice)).isEqualTo(first);
    assertThat(node.send("POST", "/v1/wallet/withdraw", twice.replace("25", "35")).statusCode())
        .isEqualTo(409);

    Rigmesh.Said history = rigmesh("wallet", "history", "--csv");
    assertThat(lines(history)).hasSize(3);
    assertThat(lines(history).get(0)).contains(",received,").contains(",100.000000,");
    assertThat(lines(history).get(1)).contains(",deposited,").contains(transaction);
    assertThat(lines(history).get(2))
        .contains(",withdrawn,")
        .contains(",2.500000,90.000000,10.000000,0.000000," + first.path("transaction").asText());
    JsonNode page = node.get("/v1/wallet/history?limit=2");
    assertThat(page.path("entries")).hasSize(2);
    JsonNode rest = node.get("/v1/wallet/history?before=" + page.path("next").asText());
    assertThat(rest.path("entries")).hasSize(1);
    assertThat(rest.has("next")).isFalse();

    Rigmesh.Said chainShown = rigmesh("chain");
    assertThat(chainShown.out()).contains("working").contains("WebSocket  told of");
    assertThat(rigmesh("wallet", "locked").out()).contains("free in channels  10.000000 rUSD");
    assertThat(new String(node.bytes("/metrics"), StandardCharsets.UTF_8))
        .contains("rigmesh_chain_endpoint_requests_total{endpoint=\"" + chain.endpoint() + "\"}")
        .contains("rigmesh_chain_socket_connected 1.0");

    node.kill();
    Rigmesh.Said own = rigmesh("wallet", "history", "--csv");
    assertThat(own.err()).contains("done by this command itself, without a daemon");
    assertThat(own.out()).isEqualTo(history.out());
    String withdrawn = rigmesh("wallet", "withdraw", "1").out().strip();
    node.start();
    node.awaitReady();
    // One nonce after the other, whoever sent.
    rigmesh("wallet", "deposit", "3");
    assertThat(lines(rigmesh("wallet", "history", "--csv")))
        .hasSize(5)
        .satisfies(all -> {
          assertThat(all.get(3)).contains(",withdrawn,").contains(withdrawn);
          assertThat(all.get(4)).contains(",deposited,").contains(",88.000000,12.000000,");
        });
  }

  private static SignedVoucher voucher(
      ChannelClient channels, AccountKey signer, ChannelTerms terms, long amount) {
    Voucher voucher = new Voucher(terms.id(), TokenAmount.of(amount), Hash.ZERO);
    return new SignedVoucher(voucher, signer.sign(voucher.typedData().digest(channels.domain())));
  }

  @Test
  void aWatchedChannelThatIsClosedWithAnOldVoucherIsAnsweredWithTheNewestAfterAKill()
      throws Exception {
    ChannelClient channels = new ChannelClient(sender, token, deployment.channels(), 1, TIMEOUT);
    Address payee = AccountKey.generate().address();
    ChannelTerms terms =
        new ChannelTerms(holder.address(), holder.address(), payee, deployment.token(), 1);
    channels.deposit(TokenAmount.of(100_000_000), "for the channel");
    channels.open(terms, TokenAmount.of(100_000_000));
    Path file = folder.resolve("handover.json");
    Files.writeString(
        file,
        WatchJson.write(new Handover(terms, voucher(channels, holder, terms, 60_000_000)))
            .toString());
    assertThat(rigmesh("watch", "add", file.toString()).out().strip()).isEqualTo(terms.id().hex());
    assertThat(new String(node.bytes("/metrics"), StandardCharsets.UTF_8))
        .contains("rigmesh_watched_channels 1.0");
    node.kill();

    SignedVoucher old = voucher(channels, holder, terms, 1_000_000);
    channels.submitRedeem(
        "old", payee, deployment.token(), List.of(new ChannelContract.Claim(terms, old)));
    sender.await("old", TIMEOUT);
    channels.requestClose(terms);
    assertThat(channels.balance(payee, deployment.token())).isEqualTo(TokenAmount.of(1_000_000));

    node.start();
    await(() -> channels.balance(payee, deployment.token()).equals(TokenAmount.of(60_000_000)));
    await(() ->
        node.get("/v1/watched")
            .path("channels")
            .get(0)
            .path("redeemed")
            .asText()
            .equals("60000000"));
    assertThat(rigmesh("watch", "list").out()).contains("closing").contains(payee.hex());
  }

  private JsonNode move(String what, String body) throws Exception {
    JsonNode[] answer = new JsonNode[1];
    await(() -> {
      try {
        answer[0] = MAPPER.readTree(node.send("POST", "/v1/wallet/" + what, body).body());
      } catch (java.io.IOException e) {
        throw new AssertionError(e);
      }
      return answer[0].path("status").asText().equals("confirmed");
    });
    return answer[0];
  }
}
