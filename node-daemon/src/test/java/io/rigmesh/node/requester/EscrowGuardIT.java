package io.rigmesh.node.requester;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.escrow.Escrow;
import io.rigmesh.ledger.escrow.EscrowClient;
import io.rigmesh.ledger.escrow.EscrowStatus;
import io.rigmesh.ledger.escrow.Milestone;
import io.rigmesh.ledger.escrow.TokenClient;
import io.rigmesh.ledger.intent.JdbiIntentStore;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.node.blob.Blobs;
import io.rigmesh.node.blob.FileBlobs;
import io.rigmesh.node.chain.ChainLink;
import io.rigmesh.node.chain.Contracts;
import io.rigmesh.node.config.ConfigLoader;
import io.rigmesh.node.config.NodeConfig;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.network.Blames;
import io.rigmesh.node.network.Peers;
import io.rigmesh.node.network.Streams;
import io.rigmesh.node.network.blob.BlobFetcher;
import io.rigmesh.node.network.job.JobClient;
import io.rigmesh.node.store.Closing;
import io.rigmesh.node.store.Database;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.MilestoneStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.node.workers.WorkerLaunches;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A provider that deals with the chain alone and tells its requester nothing: what it proves is
/// disputed in time, and what it does not prove comes back, whatever state the job is held in.
class EscrowGuardIT {
  private static final Duration PATIENCE = Duration.ofMinutes(2);
  private static final Duration CHALLENGE = Duration.ofMinutes(10);
  private static final Address REFEREE = Address.fromHex("0x" + "00".repeat(17) + "4ef0e0");
  private static final TokenAmount PRICE = TokenAmount.of(1_000);
  private static final PeerId PEER =
      PeerId.of("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN");

  @TempDir static Path folder;

  private static final AccountKey account = AccountKey.generate();
  private static final AccountKey payee = AccountKey.generate();
  private static DevChain chain;
  private static ChainRpc rpc;
  private static TransactionSender holder;
  private static TransactionSender sender;
  private static EscrowClient asProvider;
  private static NodeConfig config;
  private static Database database;
  private static JobStore store;
  private static MilestoneStore milestones;
  private static Blobs blobs;
  private static ChainLink link;

  private final Set<Hash> stopped = ConcurrentHashMap.newKeySet();
  private final AtomicInteger asked = new AtomicInteger();

  @BeforeAll
  static void start() throws Exception {
    chain = DevChain.start(DevChain.Settings.standard(AnvilBinary.find(Path.of(""))));
    // Whom disputes are told to must be a contract; this one does nothing, and never rules.
    chain.request("hardhat_setCode", REFEREE.hex(), "0x00");
    rpc = ChainRpc.connect(RpcSettings.of(31_337, chain.endpoint()));
    AccountKey rich = AccountKey.generate();
    holder = sender(rich, "holder");
    sender = sender(payee, "payee");
    DevDeployment standard = DevDeployment.standard();
    Deployment deployment =
        new DevDeployment(
                standard.supply(), standard.unbonding(), CHALLENGE, REFEREE, Duration.ofHours(1))
            .deploy(holder, PATIENCE);
    Path file = folder.resolve("deployment.json");
    deployment.write(file);
    chain.setBalance(account.address(), BigInteger.TEN.pow(18));
    token(holder, rich, deployment)
        .transfer(account.address(), TokenAmount.of(1_000_000), "requester");
    asProvider =
        new EscrowClient(sender, token(sender, payee, deployment), deployment.escrow(), PATIENCE);
    config =
        ConfigLoader.load(
                folder,
                Optional.empty(),
                Map.of(),
                Map.of(
                    "chain.rpc-urls",
                    chain.endpoint().toString(),
                    "chain.deployment-file",
                    file.toString(),
                    "chain.head-age-seconds-max",
                    "86400",
                    "chain.poll-millis",
                    "100"))
            .config();
    database = Database.open(config.databaseFile(), LedgerSchema.LOCATION);
    store = new JobStore(database, Clock.systemUTC(), 1_000);
    milestones = new MilestoneStore(database);
    blobs = FileBlobs.open(folder.resolve("blobs"), config.blobs());
    link =
        new ChainLink(
            config.chain(),
            Contracts.of(config.chain()),
            AccountSigner.of(account),
            database,
            Clock.systemUTC());
    link.start();
    Peers.await("the chain is there", () -> link.view().head().isPresent());
  }

  @AfterAll
  static void stop() {
    link.stop();
    store.close();
    database.close();
    holder.close();
    sender.close();
    rpc.close();
    chain.close();
  }

  private static TransactionSender sender(AccountKey key, String name) {
    chain.setBalance(key.address(), BigInteger.TEN.pow(20));
    var source = LedgerSchema.open(folder.resolve(name + ".db"));
    LedgerSchema.migrate(source);
    return TransactionSender.start(
        rpc,
        new JdbiIntentStore(org.jdbi.v3.core.Jdbi.create(source), 31_337, key.address()),
        AccountSigner.of(key),
        SenderSettings.development(),
        SendListener.NONE,
        Clock.systemUTC());
  }

  private static TokenClient token(TransactionSender by, AccountKey key, Deployment deployment) {
    return new TokenClient(by, AccountSigner.of(key), deployment.token(), PATIENCE);
  }

  private static EscrowClient escrows() {
    return link.require().escrow();
  }

  private static Escrow escrow(Hash job) {
    return escrows().escrow(account.address(), job).orElseThrow();
  }

  private static Milestone.Status status(Hash job, int number) {
    return escrows().milestone(account.address(), job, number).orElseThrow().status();
  }

  private static Hash garbage(int number) {
    return Hash.fromHex("%02x".formatted(0xa0 + number).repeat(32));
  }

  /// A running training in two milestones whose money is bound and accepted.
  private static JobRow running(int nonce) {
    long deadline = rpc.head().timestamp().getEpochSecond() + 3_600;
    SignedJob job =
        new Job(
                new Task.Train(
                    4,
                    1,
                    16,
                    0.01f,
                    1,
                    0f,
                    1f,
                    2,
                    2,
                    Optional.of(new Task.Architecture(1, 8, 2, 1, 16, 300))),
                Hash.ZERO,
                Profile.F32_V1,
                Hash.fromHex("22".repeat(32)),
                1,
                PRICE,
                deadline,
                account.address(),
                BigInteger.valueOf(nonce))
            .sign(account, link.contracts().domain());
    Hash id = job.job().id();
    assertThat(store.insert(JobRole.REQUESTER, job, Transition.to(new JobState.Signed()))).isTrue();
    store.transition(id, Transition.to(new JobState.Matched()).by(payee.address(), PEER));
    escrows().fund(id, payee.address(), PRICE, Instant.ofEpochSecond(deadline), 2);
    asProvider.accept(account.address(), id);
    store.transition(id, Transition.to(new JobState.Funded()));
    return store.transition(id, Transition.to(new JobState.Running()).since(1));
  }

  private static void later(Duration time) throws InterruptedException {
    chain.request("evm_increaseTime", time.toSeconds());
    chain.request("hardhat_mine", "0x1");
    Instant head = rpc.head().timestamp();
    Peers.await(
        "the block is seen", () -> !link.view().head().orElseThrow().timestamp().isBefore(head));
  }

  private EscrowGuard guard(Moves moves) {
    return new EscrowGuard(store, milestones, link, account.address(), moves, stopped::add);
  }

  /// How this account pays, over a network in which nobody answers.
  private EscrowPayment payment(EscrowGuard guard, Moves moves) {
    Streams nobody =
        (peer, _) -> {
          asked.incrementAndGet();
          throw new Libp2pException("nobody answers for " + peer);
        };
    Blames blames = new Blames((_, _) -> {});
    JobClient client =
        new JobClient(
            nobody,
            PEER,
            account,
            link.contracts().domain(),
            link.contracts().market(),
            blames,
            PATIENCE);
    BlobFetcher fetcher = new BlobFetcher(nobody, blobs, blames, _ -> List.of());
    Delivery delivery =
        new Delivery(config, blobs, fetcher, client, link.contracts().domain(), moves);
    Audit audit = new Audit(config, store, blobs, new WorkerLaunches(config));
    Approvals approvals =
        new Approvals(config, store, milestones, link, account, delivery, audit, Clock.systemUTC());
    return new EscrowPayment(
        config, store, milestones, link, account.address(), client, approvals, guard, moves);
  }

  /// How jobs move at a time at which a job is long past its deadline.
  private static Moves pastDeadline(JobRow row) {
    Instant at = Instant.ofEpochSecond(row.job().deadlineSeconds() + 61);
    return new Moves(store, Clock.fixed(at, ZoneOffset.UTC));
  }

  @Test
  void proofsThatNobodyTellsOfAreDisputedAtHalfOfTheChallengeTimeWhileTheJobRuns()
      throws Exception {
    JobRow row = running(1);
    TokenAmount half = TokenAmount.of(500);
    asProvider.submitProof(account.address(), row.id(), 1, garbage(1), half);
    asProvider.submitProof(account.address(), row.id(), 2, garbage(2), half);
    Moves moves = new Moves(store, Clock.systemUTC());
    EscrowGuard guard = guard(moves);
    EscrowPayment payment = payment(guard, moves);
    // What is proven may still be told of.
    assertThat(guard.attend(row, escrow(row.id()), escrows())).isFalse();
    assertThat(status(row.id(), 1)).isEqualTo(Milestone.Status.PROVEN);
    assertThat(payment.fault(row)).isEmpty();

    later(CHALLENGE.dividedBy(2).plusSeconds(10));
    guard.start();
    try {
      for (int number = 1; number <= 2; number++) {
        int proof = number;
        Peers.await(
            "proof " + proof + " is disputed",
            () -> status(row.id(), proof) == Milestone.Status.DISPUTED);
      }
      Peers.await("whoever watches the job is told", () -> stopped.contains(row.id()));
    } finally {
      guard.stop();
    }
    assertThat(payment.fault(row).orElseThrow()).contains("milestone 1").contains("is disputed");
  }

  @Test
  void whatNobodyCanProveAnyMoreComesBackWhileTheJobIsHeldRunning() throws Exception {
    JobRow row = running(2);
    TokenAmount before = escrows().escrow(account.address(), row.id()).orElseThrow().amount();
    assertThat(before).isEqualTo(PRICE);
    later(Duration.ofSeconds(3_700));
    EscrowGuard guard = guard(pastDeadline(row));
    guard.start();
    try {
      Peers.await("the money is back", () -> escrow(row.id()).status() == EscrowStatus.REFUNDED);
    } finally {
      guard.stop();
    }
    assertThat(store.find(row.id()).orElseThrow().state()).isInstanceOf(JobState.Running.class);
  }

  @Test
  void whatWasNotProvenComesBackBeforeTheProviderIsAskedForAnything() throws Exception {
    JobRow running = running(3);
    asProvider.submitProof(account.address(), running.id(), 1, garbage(1), TokenAmount.of(500));
    JobRow row =
        store.transition(
            running.id(),
            Transition.to(new JobState.Failed("its provider is gone")).owing(Closing.REFUND));
    later(Duration.ofSeconds(3_700));
    Moves moves = pastDeadline(row);
    EscrowPayment payment = payment(guard(moves), moves);
    assertThat(payment.reclaim(row)).isEqualTo(new Step.Moved());
    assertThat(escrow(row.id()).status()).isEqualTo(EscrowStatus.REFUNDED);
    assertThat(asked).hasValue(0);
    // Only then is the provider asked for what it has proven, and its silence holds nothing up.
    assertThat(payment.reclaim(row)).isInstanceOf(Step.Wait.class);
    assertThat(asked).hasPositiveValue();
  }
}
