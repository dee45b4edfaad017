package io.rigmesh.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.account.Mnemonic;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.channel.ChannelClient;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.intent.JdbiIntentStore;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.ChannelTerms;
import io.rigmesh.protocol.TokenAmount;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.math.BigInteger;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The wallet's commands on a real chain, without a daemon.
class WalletCommandsIT {
  private static final Duration TIMEOUT = Duration.ofMinutes(2);
  private static final String WORDS = "test test test test test test test test test test test junk";

  /// Another account than the other tests', who count their lines.
  private static final String PAYER = "m/44'/60'/0'/0/7";

  @TempDir static Path folder;
  private static DevChain chain;
  private static Deployment deployment;
  private static Address account;
  private static String err = "";

  @BeforeAll
  static void start() throws Exception {
    chain = DevChain.start(DevChain.Settings.standard(AnvilBinary.find(Path.of(""))));
    Files.writeString(folder.resolve("words"), WORDS);
    run(0, "keys", "import", folder.resolve("words").toString(), "--path", "m/44'/60'/0'/0/1");
    account = Address.fromHex("0x70997970c51812dc3a010c7d01b50e0d17dc79c8");
    AccountKey deployer = AccountKey.generate();
    for (Address funded : List.of(deployer.address(), account)) {
      chain.setBalance(funded, BigInteger.TEN.pow(18));
    }
    DataSource source = LedgerSchema.open(folder.resolve("deployer.db"));
    LedgerSchema.migrate(source);
    try (ChainRpc rpc = ChainRpc.connect(RpcSettings.of(31337, chain.endpoint()));
        TransactionSender sender =
            TransactionSender.start(
                rpc,
                new JdbiIntentStore(Jdbi.create(source), 31337, deployer.address()),
                AccountSigner.of(deployer),
                SenderSettings.development(),
                SendListener.NONE,
                Clock.systemUTC())) {
      deployment = DevDeployment.standard().deploy(sender, TIMEOUT);
      TokenClient token =
          new TokenClient(sender, AccountSigner.of(deployer), deployment.token(), TIMEOUT);
      token.transfer(account, TokenAmount.of(100_000_000), "for the wallet");
      token.transfer(payer().address(), TokenAmount.of(9_000_000), "for the payer");
      Address remote = Address.fromHex(chain.request("eth_accounts").get(0).stringValue());
      token.transfer(remote, TokenAmount.of(7_000_000), "for the remote one");
    }
    deployment.write(folder.resolve("deployment.json"));
  }

  @AfterAll
  static void stop() {
    chain.close();
  }

  /// Runs a command on the node's folder, and returns what it printed as data.
  private static String run(int exitCode, String... arguments) {
    return run(
        exitCode, List.of("chain.deployment-file=" + folder.resolve("deployment.json")), arguments);
  }

  private static String run(int exitCode, List<String> settings, String... arguments) {
    return run(folder.resolve("home"), exitCode, settings, arguments);
  }

  private static String runIn(Path home, int exitCode, String... arguments) {
    return run(
        home,
        exitCode,
        List.of("chain.deployment-file=" + folder.resolve("deployment.json")),
        arguments);
  }

  private static String run(Path home, int exitCode, List<String> settings, String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.addAll(List.of("--home", home.toString(), "--set", "chain.rpc-urls=" + chain.endpoint()));
    settings.forEach(setting -> all.addAll(List.of("--set", setting)));
    PrintStream outBefore = System.out;
    PrintStream errBefore = System.err;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream errors = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
      System.setErr(new PrintStream(errors, true, StandardCharsets.UTF_8));
      int code = CommandTree.run(all.toArray(String[]::new));
      err = errors.toString(StandardCharsets.UTF_8);
      assertThat(code).as(err).isEqualTo(exitCode);
    } finally {
      System.setOut(outBefore);
      System.setErr(errBefore);
    }
    return out.toString(StandardCharsets.UTF_8);
  }

  @Test
  void moneyIsDepositedWithdrawnAndShownLineByLine() {
    String hash = run(0, "wallet", "deposit", "12.5").strip();
    assertThat(hash).matches("0x[0-9a-f]{64}");
    run(0, "wallet", "withdraw", "2.25", "--json");
    assertThat(run(0, "wallet", "locked")).contains("free in channels  10.250000 rUSD");
    assertThat(run(0, "wallet", "locked", "--json")).contains("\"free\"").contains("\"10.250000\"");
    List<String> lines = run(0, "wallet", "history", "--csv").lines().toList();
    assertThat(lines.get(0))
        .isEqualTo(
            "time,block,kind,counterparty,amount,wallet,channels,locked,transaction,channel");
    assertThat(lines.get(1)).contains(",withdrawn,").contains(",2.250000,89.750000,10.250000,");
    assertThat(lines.get(2))
        .contains(",deposited,")
        .contains(",12.500000,87.500000,12.500000,0.000000," + hash);
    assertThat(lines.get(3)).contains(",received,").contains(",100.000000,100.000000,0.000000,");
    assertThat(lines).hasSize(4);
    assertThat(run(0, "wallet", "history", "--limit", "1"))
        .contains("COUNTERPARTY")
        .contains("withdrawn")
        .doesNotContain("deposited");
    assertThat(run(0, "wallet", "history", "--json")).contains("\"kind\" : \"deposited\"");

    run(1, "wallet", "withdraw", "1000");
    assertThat(err).contains("rigmesh: ");
    run(2, "wallet", "deposit", "0.0000001");
    assertThat(err).contains("more than the token's 6 digits");
    run(2, "wallet", "deposit", "much");
    assertThat(err).contains("is no amount");
  }

  private static AccountKey payer() {
    return Mnemonic.parse(WORDS).key(PAYER, "");
  }

  @Test
  void anOpenChannelIsARowOfWhatIsLocked() throws Exception {
    Path home = Files.createDirectories(folder.resolve("payer"));
    AccountKey key = payer();
    chain.setBalance(key.address(), BigInteger.TEN.pow(18));
    runIn(home, 0, "keys", "import", folder.resolve("words").toString(), "--path", PAYER);
    Address payee = AccountKey.generate().address();
    ChannelTerms terms =
        new ChannelTerms(key.address(), key.address(), payee, deployment.token(), 1);
    DataSource source = LedgerSchema.open(folder.resolve("payer.db"));
    LedgerSchema.migrate(source);
    String closesAt;
    try (ChainRpc rpc = ChainRpc.connect(RpcSettings.of(31337, chain.endpoint()));
        TransactionSender sender =
            TransactionSender.start(
                rpc,
                new JdbiIntentStore(Jdbi.create(source), 31337, key.address()),
                AccountSigner.of(key),
                SenderSettings.development(),
                SendListener.NONE,
                Clock.systemUTC())) {
      TokenClient token =
          new TokenClient(sender, AccountSigner.of(key), deployment.token(), TIMEOUT);
      ChannelClient channels = new ChannelClient(sender, token, deployment.channels(), 1, TIMEOUT);
      channels.deposit(TokenAmount.of(6_000_000), "first");
      channels.open(terms, TokenAmount.of(4_500_000));
      String open = "channel,4.500000,,," + payee.hex() + "," + terms.id().hex() + ",";
      List<String> before = runIn(home, 0, "wallet", "locked", "--csv").lines().toList();
      assertThat(before.get(0)).isEqualTo("kind,amount,promised,until,counterparty,id,note");
      assertThat(before.get(1)).startsWith(open).contains("60 s after its closing is asked for");
      assertThat(before).hasSize(2);
      channels.requestClose(terms);
      closesAt = channels.channel(terms).orElseThrow().closesAt().orElseThrow().toString();
    }
    assertThat(runIn(home, 0, "wallet", "locked", "--csv").lines().toList().get(1))
        .startsWith(
            "channel,4.500000,,"
                + closesAt
                + ","
                + payee.hex()
                + ","
                + terms.id().hex()
                + ",what is not redeemed by then comes back");
    assertThat(runIn(home, 0, "wallet", "locked"))
        .contains("free in channels  1.500000 rUSD")
        .contains("KIND")
        .contains("4.500000")
        .contains(closesAt)
        .contains(terms.id().hex());
    assertThat(runIn(home, 0, "wallet", "locked", "--json"))
        .contains("\"kind\" : \"channel\"")
        .contains("\"counterparty\" : \"" + payee.hex() + "\"");
  }

  @Test
  void settingsInPlaceOfADeploymentFileAreEnough() {
    List<String> settings =
        List.of(
            "chain.chain-id=31337",
            "chain.escrow=" + deployment.escrow(),
            "chain.channels=" + deployment.channels(),
            "chain.registry=" + deployment.registry(),
            "chain.token=" + deployment.token());
    assertThat(run(0, settings, "wallet", "history", "--csv")).contains(",received,");
    assertThat(err).contains("done by this command itself");
    assertThat(run(0, settings, "wallet")).contains("for gas").contains("staked     0 rUSD");
    run(2, settings, "receipts");
    assertThat(err).contains("No ReceiptLog is set up").contains("chain.receipts");
    run(
        1,
        List.of(
            "chain.chain-id=31337",
            "chain.escrow=" + account,
            settings.get(2),
            settings.get(3),
            settings.get(4)),
        "wallet",
        "locked");
    assertThat(err).contains("There is no contract at chain.escrow = " + account.hex());
  }

  @Test
  void aKeyIsAuthorisedByARemoteSignerAndRevoked() {
    String key = AccountKey.generate().address().hex();
    String remote = chain.request("eth_accounts").get(0).stringValue();
    String[] signer = {"--signer", chain.endpoint().toString(), "--account", remote};
    run(0, with(signer, "wallet", "deposit", "3"));
    run(0, with(signer, "wallet", "authorise", key, "--limit", "2", "--days", "7"));
    assertThat(err).contains("may move 2 into channels until ");
    run(0, with(signer, "wallet", "revoke", key));
    assertThat(run(0, with(signer, "wallet", "history", "--csv")))
        .contains(",deposited," + Address.fromHex(remote).hex() + ",3.000000,4.000000,3.000000,");
    run(2, "wallet", "history", "--signer", chain.endpoint().toString());
    assertThat(err).contains("--signer and --account belong together");

    // The same account's ether and stake, once its history is looked at.
    run(0, with(signer, "wallet", "deposit", "0.5", "--ether"));
    run(1, with(signer, "wallet", "withdraw", "0.6", "--ether"));
    assertThat(err).contains("rigmesh: ");
    run(0, with(signer, "wallet", "withdraw", "0.5", "--ether"));
    assertThat(err).contains("withdrew 0.5");
    run(0, with(signer, "wallet", "stake", "2"));
    assertThat(err).contains("staked 2");
    run(0, with(signer, "wallet", "unstake", "1.5"));
    run(1, with(signer, "wallet", "withdraw-stake"));
    assertThat(err).contains("rigmesh: ");
    run(1, with(signer, "wallet", "collect"));
    assertThat(err).contains("No deferred payment waits for");
  }

  @Test
  void aKeyIsAuthorisedByASignatureThatTheWalletGivesToNobodyButThePerson() throws Exception {
    String key = AccountKey.generate().address().hex();
    String secret = "0x" + "22".repeat(32);
    String payer = AccountKey.fromHex(secret).address().hex();
    String document =
        run(0, "wallet", "authorisation", key, "--payer", payer, "--limit", "2.5", "--days", "7");
    Path file = folder.resolve("word.json");
    Files.writeString(file, document);
    String signature =
        cast("wallet", "sign", "--private-key", secret, "--data", "--from-file", file.toString());

    String wrong =
        cast(
            "wallet",
            "sign",
            "--private-key",
            "0x" + "33".repeat(32),
            "--data",
            "--from-file",
            file.toString());
    run(1, "wallet", "authorise-signed", file.toString(), wrong);
    assertThat(err).contains("has not signed this word");
    Files.writeString(folder.resolve("more.json"), document.replace("2500000", "9500000"));
    run(1, "wallet", "authorise-signed", folder.resolve("more.json").toString(), signature);
    assertThat(err).contains("has not signed this word");
    Files.writeString(folder.resolve("other.json"), document.replace("31337", "1"));
    run(2, "wallet", "authorise-signed", folder.resolve("other.json").toString(), signature);
    assertThat(err).contains("is not for the chain 31337");

    assertThat(run(0, "wallet", "session", key, "--payer", payer)).contains("may move nothing");
    run(0, "wallet", "authorise-signed", file.toString(), signature);
    assertThat(err).contains("may move 2.500000 of " + payer);
    assertThat(run(0, "wallet", "session", key, "--payer", payer, "--json"))
        .contains("\"left\" : \"2.500000\"");
    run(1, "wallet", "authorise-signed", file.toString(), signature);
    assertThat(err).contains("was handed in already");
  }

  private static String cast(String... arguments) throws Exception {
    Path anvil = AnvilBinary.find(Path.of("")).toAbsolutePath().normalize();
    List<String> command = new ArrayList<>(List.of(anvil.toString().replace("anvil", "cast")));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String out =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor()).as(out).isZero();
    return out;
  }

  private static String[] with(String[] more, String... command) {
    List<String> all = new ArrayList<>(List.of(command));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  @Test
  void receiptsAreListedAndWhatIsMissingIsSaid() {
    assertThat(run(0, "receipts"))
        .contains("log        " + deployment.receipts())
        .contains("account    " + account)
        .contains("waiting    0 receipts");
    run(2, "receipts", "anchor");
    assertThat(err).contains("done by this command itself").contains("There is nothing to anchor");
    run(2, "receipts", "prove", deployment.genesis().hex());
    assertThat(err).contains("This node has no job " + deployment.genesis());
    run(2, "receipts", "prove", "the first one");
    assertThat(err).contains("is no job id");
    run(2, "receipts", "check", folder.resolve("deployment.json").toString());
    assertThat(err).contains("the proof lacks the field format");
  }

  @Test
  void aWalletIsOpenInOnePlaceAtATime() throws Exception {
    Path file =
        folder.resolve("home/wallet-" + account.hex().toLowerCase(java.util.Locale.ROOT) + ".lock");
    Files.createDirectories(file.getParent());
    try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        FileLock _ = channel.lock()) {
      run(1, "wallet", "locked");
      assertThat(err).contains("another command has this wallet open");
    }
    run(0, "wallet", "locked");
  }

  @Test
  void wordsAreNotImportedOverAKey() {
    run(2, "keys", "import", folder.resolve("words").toString());
    assertThat(err).contains("holds the key of " + account.hex());
  }
}
