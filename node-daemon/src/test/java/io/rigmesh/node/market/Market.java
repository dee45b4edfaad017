package io.rigmesh.node.market;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.channel.ChannelClient;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.escrow.Escrow;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.escrow.Milestone;
import io.rigmesh.ledger.escrow.RegistryClient;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.intent.JdbiIntentStore;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.node.network.PeerIdKeys;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.jdbi.v3.core.Jdbi;

/// A chain with the contracts, a provider and a requester with money.
final class Market implements AutoCloseable {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final Duration PATIENCE = Duration.ofMinutes(2);

  final DevChain chain;
  final NodeProcess provider;
  final NodeProcess requester;
  private final Path folder;
  private final ChainRpc rpc;
  private final TransactionSender sender;
  private final TokenClient token;
  private final EscrowClient escrows;
  private final Settings settings;

  /// What a market is made with, as a test would have it.
  static final class Settings {
    /// How old the newest block may be, and how long an answer may take, before the nodes call the
    /// chain away: longer than a busy machine may stand still.
    int chainPatienceSeconds = 60;

    /// How much of each job the requester recomputes.
    int auditSamples = 1;

    /// How long the provider waits for approval before it proves: on a busy machine too, longer
    /// than an audit takes.
    int approvalPatienceSeconds = 600;

    /// How long a proof may be disputed before its provider may take the money.
    Duration challenge = Duration.ofMinutes(15);

    /// Who rules over disputes; zero for nobody.
    Address referee = Address.ZERO;

    /// How long that may take.
    Duration ruling = Duration.ZERO;

    /// More settings of the provider, indented below its section `provider`, and sections.
    String providerMore = "";
  }

  Market(Path folder) throws Exception {
    this(folder, _ -> {});
  }

  Market(Path folder, Consumer<Settings> change) throws Exception {
    settings = new Settings();
    change.accept(settings);
    this.folder = folder;
    chain =
        DevChain.start(
            new DevChain.Settings(
                AnvilBinary.find(Path.of("")),
                0,
                31_337,
                Optional.of(Duration.ofSeconds(1)),
                Optional.empty()));
    // Also where what follows fails, and nobody can close this.
    Runtime.getRuntime().addShutdownHook(new Thread(chain::close));
    AccountKey holder = AccountKey.generate();
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
    DevDeployment standard = DevDeployment.standard();
    Deployment deployment =
        new DevDeployment(
                standard.supply(),
                standard.unbonding(),
                settings.challenge,
                settings.referee,
                settings.ruling)
            .deploy(sender, PATIENCE);
    Path file = folder.resolve("deployment.json");
    deployment.write(file);
    token = new TokenClient(sender, AccountSigner.of(holder), deployment.token(), PATIENCE);
    escrows = new EscrowClient(sender, token, deployment.escrow(), PATIENCE);

    provider =
        new NodeProcess(
            folder.resolve("provider"),
            yaml(file, "")
                + """
                workers:
                  threads: 1
                  heap-mebibytes-max: 512
                provider:
                  settle-margin-seconds: 5
                  approval-patience-seconds: %d
                """
                    .formatted(settings.approvalPatienceSeconds)
                + settings.providerMore);
    requester =
        new NodeProcess(
            folder.resolve("requester"),
            yaml(file, provider.multiaddr())
                + """
                provider:
                  enabled: false
                audit:
                  samples: %d
                workers:
                  threads: 1
                  heap-mebibytes-max: 512
                """
                    .formatted(settings.auditSamples));
    chain.setBalance(account(provider), BigInteger.TEN.pow(18));
    chain.setBalance(account(requester), BigInteger.TEN.pow(18));
    token.transfer(account(requester), TokenAmount.of(1_000_000_000), "requester");
    provider.awaitReady();
    requester.awaitReady();
    requester.awaitOffers(1);
  }

  /// Starts another provider that asks so much for a million tokens trained on, and knows of the
  /// network only the first provider's address.
  NodeProcess anotherProvider(String name, long trainPrice) throws Exception {
    NodeProcess another =
        new NodeProcess(
            folder.resolve(name),
            yaml(folder.resolve("deployment.json"), provider.multiaddr())
                + """
                workers:
                  threads: 1
                  heap-mebibytes-max: 384
                provider:
                  settle-margin-seconds: 5
                  train-price-per-million-tokens: %d
                """
                    .formatted(trainPrice));
    chain.setBalance(account(another), BigInteger.TEN.pow(18));
    another.awaitReady();
    return another;
  }

  /// Starts another requester, which pays channels from the balance of a payer: its own key has gas
  /// and no token.
  NodeProcess requesterFor(String name, Address payer) throws Exception {
    NodeProcess another =
        new NodeProcess(
            folder.resolve(name),
            yaml(folder.resolve("deployment.json"), provider.multiaddr())
                + """
                provider:
                  enabled: false
                channels:
                  payer: "%s"
                workers:
                  threads: 1
                  heap-mebibytes-max: 384
                """
                    .formatted(payer));
    chain.setBalance(account(another), BigInteger.TEN.pow(18));
    another.awaitReady();
    another.awaitOffers(1);
    return another;
  }

  /// The settings of a node.
  ///
  /// @param bootstrap the multiaddr of a peer to begin with, or empty
  private String yaml(Path deployment, String bootstrap) {
    return """
    rest:
      port: 0
    network:
      listen: /ip4/127.0.0.1/tcp/0
      bootstrap: %s
      kademlia: server
      private-network: true
      mdns: false
      port-mapping: false
    chain:
      rpc-urls: %s
      deployment-file: %s
      poll-millis: 200
      head-age-seconds-max: %d
      request-timeout-seconds: %d
    jobs:
      progress-every-millis: 20
      retry-delay-millis-max: 1000
    """
        .formatted(
            bootstrap,
            chain.endpoint(),
            deployment,
            settings.chainPatienceSeconds,
            settings.chainPatienceSeconds);
  }

  static Address account(NodeProcess node) {
    return node.account();
  }

  TokenAmount balance(NodeProcess node) {
    return token.balance(account(node));
  }

  /// The contracts.
  Deployment deployment() {
    return Deployment.read(folder.resolve("deployment.json"));
  }

  /// Money and gas for an account of a test.
  void endow(Address account, long units) {
    chain.setBalance(account, BigInteger.TEN.pow(18));
    token.transfer(account, TokenAmount.of(units), "endow " + account);
  }

  /// Whether the chain knows which peer is an account's.
  boolean isBound(NodeProcess node) {
    return new RegistryClient(sender, token, deployment().registry(), PATIENCE)
        .peerOf(account(node), new PeerIdKeys())
        .isPresent();
  }

  /// What the chain has of the tokens in the contract of channels for an account.
  TokenAmount withdrawable(NodeProcess node) {
    Deployment on = deployment();
    return new ChannelClient(sender, token, on.channels(), 1, PATIENCE)
        .balance(account(node), on.token());
  }

  Optional<Escrow> escrow(String job) {
    return escrows.escrow(account(requester), Hash.fromHex(job));
  }

  /// The proof of a part of a job, as the chain has it; none where it was settled in one step.
  Optional<Milestone> milestone(String job, int number) {
    return escrows.milestone(account(requester), Hash.fromHex(job), number);
  }

  /// Stops the making of blocks, so that no transaction gets into one.
  void holdBlocks() {
    chain.request("evm_setIntervalMining", 0);
  }

  void releaseBlocks() {
    chain.request("evm_setIntervalMining", 1);
  }

  /// Lets the chain fall silent, as a machine or a network does that hangs: its port is open, and
  /// nothing answers.
  void silenceChain() throws Exception {
    signal("STOP");
  }

  /// Lets the chain go on, with every request that it was sent meanwhile.
  void wakeChain() throws Exception {
    signal("CONT");
  }

  private void signal(String name) throws Exception {
    int status =
        new ProcessBuilder("kill", "-" + name, Long.toString(chain.processId())).start().waitFor();
    if (status != 0) {
      throw new AssertionError("kill -" + name + " ended with " + status);
    }
  }

  /// A draft that trains a small model, to the same bits whenever the seed is the same.
  ObjectNode training(int steps, long seed) {
    Hash input = requester.upload(text());
    ObjectNode draft = MAPPER.createObjectNode();
    draft.put("kind", "train").put("input", input.hex()).put("seed", Long.toString(seed));
    draft.put("deadlineSeconds", 900);
    draft
        .putObject("parameters")
        .put("steps", Integer.toString(steps))
        .put("batch", "4")
        .put("context", "32")
        .put("learningRate", "0.003")
        .put("warmupSteps", "5")
        .put("weightDecay", "0.1")
        .put("clipNorm", "1")
        .put("checkpointEverySteps", "20")
        .put("layers", "2")
        .put("dim", "32")
        .put("heads", "4")
        .put("kvHeads", "2")
        .put("ffnDim", "64")
        .put("vocabulary", "300");
    return draft;
  }

  /// A draft that trains a model slow enough to be caught in the middle of a long generation.
  ObjectNode slowModel() {
    ObjectNode draft = training(2, 5);
    ((ObjectNode) draft.get("parameters"))
        .put("batch", "1")
        .put("warmupSteps", "1")
        .put("checkpointEverySteps", "2")
        .put("context", "640")
        .put("layers", "4")
        .put("dim", "256")
        .put("heads", "8")
        .put("kvHeads", "4")
        .put("ffnDim", "768");
    return draft;
  }

  ObjectNode generation(String model, int maxTokens) {
    return generation(requester, model, maxTokens);
  }

  /// A draft for a node, which gets the input.
  ObjectNode generation(NodeProcess buyer, String model, int maxTokens) {
    Hash input = buyer.upload(("the rig " + maxTokens).getBytes(StandardCharsets.UTF_8));
    ObjectNode draft = MAPPER.createObjectNode();
    draft.put("kind", "generate").put("input", input.hex()).put("model", model);
    draft.put("seed", "1").put("deadlineSeconds", 600);
    draft
        .putObject("parameters")
        .put("maxTokens", Integer.toString(maxTokens))
        .put("temperature", "0")
        .put("topK", "0")
        .put("topP", "1");
    return draft;
  }

  private static byte[] text() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 400; i++) {
      text.append("the rig trains step ").append(i * 7919 % 1000).append(" and proves it.\n");
    }
    return text.toString().getBytes(StandardCharsets.UTF_8);
  }

  /// Runs a draft to its end and says its view at the requester.
  JsonNode settle(ObjectNode draft) throws InterruptedException {
    String id = requester.submit(draft);
    JsonNode job = requester.awaitState(id, "settled");
    provider.awaitState(id, "settled");
    return job;
  }

  @Override
  public void close() {
    requester.close();
    provider.close();
    sender.close();
    rpc.close();
    chain.close();
  }
}
