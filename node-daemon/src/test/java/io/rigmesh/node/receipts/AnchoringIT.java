package io.rigmesh.node.receipts;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.LedgerSchema;
import io.rigmesh.ledger.account.AccountSigner;
import io.rigmesh.ledger.chain.ChainRpc;
import io.rigmesh.ledger.chain.RpcSettings;
import io.rigmesh.ledger.dev.AnvilBinary;
import io.rigmesh.ledger.dev.Deployment;
import io.rigmesh.ledger.dev.DevChain;
import io.rigmesh.ledger.dev.DevDeployment;
import io.rigmesh.ledger.intent.IntentStore;
import io.rigmesh.ledger.intent.JdbiIntentStore;
import io.rigmesh.ledger.intent.SendListener;
import io.rigmesh.ledger.intent.SenderSettings;
import io.rigmesh.ledger.intent.TransactionSender;
import io.rigmesh.ledger.receipt.ReceiptProof;
import io.rigmesh.node.chain.Contracts;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.receipts.AnchorException.Reason;
import io.rigmesh.node.store.AnchorRow;
import io.rigmesh.node.store.AnchorStore;
import io.rigmesh.node.store.Database;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.MalformedException;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.Task;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A node's store and a real chain: what is anchored, once, and what is proven.
class AnchoringIT {
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  private static final AccountKey ACCOUNT = AccountKey.generate();
  private static final AccountKey OTHER = AccountKey.generate();

  @TempDir static Path folder;
  private static DevChain chain;
  private static ChainRpc rpc;
  private static Contracts contracts;
  private static Deployment deployment;

  @BeforeAll
  static void start() {
    chain = DevChain.start(DevChain.Settings.standard(AnvilBinary.find(Path.of(""))));
    rpc = ChainRpc.connect(RpcSettings.of(31_337, chain.endpoint()));
    chain.setBalance(ACCOUNT.address(), BigInteger.TEN.pow(18));
    chain.setBalance(OTHER.address(), BigInteger.TEN.pow(18));
    try (Node deployer = new Node("deployer", OTHER)) {
      deployment = DevDeployment.standard().deploy(deployer.sender, TIMEOUT);
    }
    contracts =
        new Contracts(
            31_337,
            deployment.escrow(),
            deployment.channels(),
            deployment.registry(),
            deployment.token(),
            Optional.of(deployment.receipts()),
            0,
            Optional.empty());
  }

  @AfterAll
  static void stop() {
    rpc.close();
    chain.close();
  }

  /// What a node has open, over files that outlive it.
  private static final class Node implements AutoCloseable {
    final Database database;
    final JobStore jobs;
    final IntentStore intents;
    final TransactionSender sender;

    Node(String name, AccountKey key) {
      database = Database.open(folder.resolve(name + ".db"), LedgerSchema.LOCATION);
      jobs = new JobStore(database, Clock.systemUTC(), 100);
      intents = new JdbiIntentStore(database.jdbi(), 31_337, key.address());
      sender =
          TransactionSender.start(
              rpc,
              intents,
              AccountSigner.of(key),
              SenderSettings.development(),
              SendListener.NONE,
              Clock.systemUTC());
    }

    Anchoring anchoring() {
      return new Anchoring(
          contracts, ACCOUNT.address(), database, jobs, intents, Clock.systemUTC());
    }

    Anchors.Anchored anchor(String id) {
      return anchoring().anchor(id, sender, TIMEOUT);
    }

    AnchoredReceipt prove(Hash job) {
      return anchoring().prove(job, rpc);
    }

    @Override
    public void close() {
      sender.close();
      jobs.close();
      database.close();
    }
  }

  private static SignedJob job(int nonce) {
    return new Job(
            new Task.Generate(10, 0.5f, 3, 1),
            Digests.sha256(new byte[] {1}),
            Profile.F32_V1,
            Digests.sha256(new byte[] {2}),
            1,
            TokenAmount.of(100),
            2_000_000_000,
            OTHER.address(),
            BigInteger.valueOf(nonce))
        .sign(OTHER, domain());
  }

  private static Domain domain() {
    return new Domain(31_337, deployment.escrow());
  }

  private static ReceiptFile receipt(SignedJob job, AccountKey provider) {
    Hash link = Digests.sha256(new byte[] {3});
    Receipt receipt =
        new Receipt(
            job.job().id(),
            provider.address(),
            job.job().model(),
            new Meter(4, 1, 1),
            link,
            CommitmentChain.rootOf(List.of(link)),
            Digests.sha256(new byte[] {4}),
            "cpu",
            Profile.F32_V1,
            1_700_000_000,
            1_700_000_001,
            TokenAmount.of(77));
    return new ReceiptFile(
        domain(),
        job,
        receipt.sign(provider, domain()),
        new Evidence.Generation(List.of(1, 2), List.of(3), List.of(link)));
  }

  /// A job that is completed, and its id.
  private static Hash completed(Node node, JobRole role, int nonce) {
    SignedJob job = job(nonce);
    Hash id = job.job().id();
    assertThat(node.jobs.insert(role, job, Transition.to(new JobState.Signed()))).isTrue();
    node.jobs.transition(id, Transition.to(new JobState.Matched()));
    node.jobs.transition(id, Transition.to(new JobState.Funded()));
    node.jobs.transition(id, Transition.to(new JobState.Running()));
    node.jobs.transition(
        id,
        Transition.to(new JobState.Completed())
            .with(receipt(job, role == JobRole.PROVIDER ? ACCOUNT : OTHER), Optional.empty()));
    return id;
  }

  private static void assertNot(Runnable what, Reason reason, String sentence) {
    assertThatThrownBy(what::run)
        .isInstanceOfSatisfying(
            AnchorException.class, e -> assertThat(e.reason()).isEqualTo(reason))
        .hasMessageContaining(sentence);
  }

  @Test
  void whatWasBegunIsGoneOnWithAfterAKillAndEachReceiptIsAnchoredOnceAndProven() {
    List<Hash> jobs = new ArrayList<>();
    Hash bought;
    AnchorRow begun;
    try (Node node = new Node("node", ACCOUNT)) {
      assertNot(() -> node.anchor("none"), Reason.NOTHING, "nothing to anchor");
      for (int i = 0; i < 5; i++) {
        jobs.add(completed(node, JobRole.PROVIDER, i));
      }
      bought = completed(node, JobRole.REQUESTER, 50);
      // What a kill leaves right before the transaction is made.
      begun =
          new AnchorStore(
                  node.database,
                  new AnchorStore.Place(31_337, deployment.receipts(), ACCOUNT.address()),
                  Clock.systemUTC())
              .plan("begun", 100)
              .orElseThrow();
      assertThat(begun.receipts()).isEqualTo(5);
      assertNot(
          () -> node.prove(jobs.getFirst()), Reason.NOT_ANCHORED, "is not confirmed on the chain");
    }
    try (Node node = new Node("node", ACCOUNT)) {
      Hash late = completed(node, JobRole.PROVIDER, 5);
      Anchors.Anchored first = node.anchor("asked");
      assertThat(first.anchor().row().root()).isEqualTo(begun.root());
      assertThat(first.anchor().inclusion()).isPresent();
      assertThat(first.waiting()).isEqualTo(1);
      assertThat(node.anchor("begun").anchor()).isEqualTo(first.anchor());
      assertThat(node.intents.list("anchor:")).hasSize(1);
      for (Hash job : jobs) {
        AnchoredReceipt proof = node.prove(job);
        assertThat(proof.receipt().receipt().job()).isEqualTo(job);
        assertThat(proof.proof().count()).isEqualTo(5);
        ProofCheck.check(rpc, Optional.empty(), AnchorsJson.read(AnchorsJson.write(proof)));
      }
      assertNot(
          () -> node.prove(late), Reason.NOT_ANCHORED, "'rigmesh receipts anchor' anchors it");
      assertNot(() -> node.prove(bought), Reason.NOT_ANCHORED, "once it is settled");
      assertNot(() -> node.prove(Hash.ZERO), Reason.UNKNOWN_JOB, "has no job");
      node.jobs.transition(bought, Transition.to(new JobState.Settled()));

      Anchors.Anchored second = node.anchor("second");
      assertThat(second.anchor().row().receipts()).isEqualTo(2);
      assertThat(second.waiting()).isZero();
      for (Hash job : List.of(late, bought)) {
        ProofCheck.check(rpc, Optional.of(deployment.receipts()), node.prove(job));
      }
      assertNot(() -> node.anchor("third"), Reason.NOTHING, "under an anchored root");
      assertThat(node.intents.list("anchor:")).hasSize(2);
      assertThat(node.anchoring().list().anchors())
          .extracting(anchor -> anchor.row().id())
          .containsExactly("second", "begun");
    }
    // Another database of the same account, such as an old backup, finds on the chain what was
    // done.
    try (Node again = new Node("again", ACCOUNT)) {
      for (int i = 0; i < 5; i++) {
        completed(again, JobRole.PROVIDER, i);
      }
      Anchors.Anchored found = again.anchor("again");
      assertThat(found.anchor().row().root()).isEqualTo(begun.root());
      assertThat(found.anchor().inclusion()).isEmpty();
      assertThat(again.intents.list("anchor:")).isEmpty();
      ProofCheck.check(rpc, Optional.empty(), again.prove(jobs.getLast()));
    }
  }

  @Test
  void whatIsChangedInAProofIsSaid() {
    AnchoredReceipt proof;
    AnchoredReceipt neighbour;
    try (Node node = new Node("changed", ACCOUNT)) {
      List<Hash> jobs = new ArrayList<>();
      for (int i = 100; i < 103; i++) {
        jobs.add(completed(node, JobRole.PROVIDER, i));
      }
      node.anchor("a");
      proof = node.prove(jobs.getFirst());
      neighbour = node.prove(jobs.get(1));
    }
    assertNotProven(proof, json -> json.put("index", 1), "The path leads from the receipt");
    assertNotProven(proof, json -> json.put("receipts", 2), "The path is none of this tree");
    assertNotProven(
        proof,
        json ->
            ((ArrayNode) json.get("path")).set(0, AnchorsJson.write(neighbour).get("path").get(0)),
        "The path leads from the receipt");
    assertNotProven(
        proof, json -> json.put("account", OTHER.address().hex()), "has not anchored the root");
    assertNotProven(
        proof, json -> json.put("anchoredAt", "2020-01-01T00:00:00Z"), "and the proof says 2020");
    assertNotProven(
        proof,
        json -> json.put("log", deployment.escrow().hex()),
        "is not the code of this version's ReceiptLog");
    // A receipt that says something else is not what was hashed, nor what was signed.
    Consumer<ObjectNode> cheaper = json -> ((ObjectNode) json.get("receipt")).put("price", "7");
    assertThatThrownBy(() -> check(proof, cheaper))
        .isInstanceOf(MalformedException.class)
        .hasMessageContaining("receiptHash");
    String changed = changed(proof, cheaper).path("receipt").toString();
    Hash hash =
        ProtocolJson.readSignedReceipt(
                ProtocolJson.parse(changed.getBytes(StandardCharsets.UTF_8), "it"), "it")
            .receipt()
            .hash();
    assertNotProven(
        proof,
        json -> {
          cheaper.accept(json);
          json.put("receiptHash", hash.hex());
        },
        "is not signed by its provider");
    // A root over other leaves that nobody anchored.
    ReceiptProof forged =
        ReceiptProof.of(
            List.of(hash, proof.receipt().receipt().hash()), proof.receipt().receipt().hash());
    AnchoredReceipt unanchored =
        new AnchoredReceipt(
            proof.chainId(),
            proof.log(),
            proof.account(),
            proof.anchoredAt(),
            proof.where(),
            proof.domain(),
            proof.receipt(),
            forged);
    assertNotProven(unanchored, _ -> {}, "has not anchored the root");
  }

  private static ObjectNode changed(AnchoredReceipt proof, Consumer<ObjectNode> change) {
    ObjectNode json = AnchorsJson.write(proof);
    change.accept(json);
    return json;
  }

  private static void check(AnchoredReceipt proof, Consumer<ObjectNode> change) {
    ProofCheck.check(rpc, Optional.empty(), AnchorsJson.read(changed(proof, change)));
  }

  private static void assertNotProven(
      AnchoredReceipt proof, Consumer<ObjectNode> change, String sentence) {
    assertNot(() -> check(proof, change), Reason.FALSE, sentence);
  }

  @Test
  void withoutALogItIsSaid() {
    Contracts none =
        new Contracts(
            31_337,
            deployment.escrow(),
            deployment.channels(),
            deployment.registry(),
            deployment.token(),
            Optional.empty(),
            0,
            Optional.empty());
    try (Node node = new Node("none", ACCOUNT)) {
      assertNot(
          () ->
              new Anchoring(
                  none,
                  ACCOUNT.address(),
                  node.database,
                  node.jobs,
                  node.intents,
                  Clock.systemUTC()),
          Reason.NO_LOG,
          "chain.receipts");
    }
  }
}
