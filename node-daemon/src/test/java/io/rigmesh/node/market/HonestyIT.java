package io.rigmesh.node.market;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.escrow.Escrow;
import io.rigmesh.ledger.escrow.EscrowStatus;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.TokenAmount;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/// Jobs whose provider lies or dies, or whose chain is away.
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class HonestyIT {
  /// Long enough to be caught in the middle.
  private static final int STEPS = 1_500;

  private static final int CHAIN_PATIENCE_SECONDS = 6;

  @TempDir static Path folder;
  private static Market market;

  @BeforeAll
  static void open() throws Exception {
    // As many samples as the trainings here have segments, so that no lie gets by.
    market =
        new Market(
            folder,
            with -> {
              with.chainPatienceSeconds = CHAIN_PATIENCE_SECONDS;
              with.auditSamples = 2;
            });
  }

  @AfterAll
  static void close() throws Exception {
    market.close();
  }

  /// The provider alters what its worker kept, so that everything that it signs and proves follows
  /// from the altered loss and only a recomputation can tell.
  @Test
  @Order(3)
  void provenLieOfOneBitIsFoundByTheAuditAndNotPaid() throws Exception {
    int lieStep = 5;
    String id = killedInTheMiddle();
    TokenAmount before = market.balance(market.provider);
    float lie = Worker.alterLoss(market.provider, id, STEPS / 2, lieStep);
    market.provider.start();

    JsonNode job = market.requester.awaitState(id, "disputed");
    assertThat(job.get("message").asText())
        .startsWith("Step " + lieStep + " differs: its loss is")
        .contains("but the evidence says " + lie);
    ReceiptFile receipt =
        ProtocolJson.readReceiptFile(market.requester.bytes("/v1/jobs/" + id + "/receipt"));
    assertThat(receipt.receipt().isSignedFor(receipt.domain())).isTrue();
    assertThat(((Evidence.Training) receipt.evidence()).losses().get(lieStep - 1)).isEqualTo(lie);
    Escrow escrow = market.escrow(id).orElseThrow();
    // Nothing was approved of, and so far nothing is proven without.
    assertThat(escrow.status()).isEqualTo(EscrowStatus.ACCEPTED);
    assertThat(escrow.proven()).isZero();
    assertThat(purposes(market.requester.job(id))).containsExactly("fund");
    assertThat(market.balance(market.provider)).isEqualTo(before);
  }

  /// A training whose provider is killed between its two checkpoints. A worker that was done before
  /// this machine came to stop it is given another job.
  private static String killedInTheMiddle() throws Exception {
    for (int attempt = 0; attempt < 12; attempt++) {
      ObjectNode draft = market.training(STEPS, 20 + attempt);
      ((ObjectNode) draft.get("parameters")).put("checkpointEverySteps", "" + STEPS / 2);
      String id = market.requester.submit(draft);
      market.provider.awaitStep(id, STEPS / 2 + 1);
      Worker.signal(market.provider, "STOP");
      if (Worker.isBetween(market.provider, id, STEPS / 2, STEPS)) {
        List<ProcessHandle> workers = market.provider.workers();
        market.provider.kill();
        workers.forEach(ProcessHandle::destroyForcibly);
        return id;
      }
      Worker.signal(market.provider, "CONT");
      market.requester.awaitState(id, "settled");
      market.provider.awaitState(id, "settled");
    }
    throw new AssertionError("the worker is too fast to be caught");
  }

  @Test
  @Order(2)
  void silentChainIsSaidByBothNodesAndTheirJobsWaitAndArePaidOnce() throws Exception {
    String running = market.requester.submit(market.training(STEPS, 12));
    market.provider.awaitReached(running, "running");
    String waiting;
    market.silenceChain();
    try {
      for (NodeProcess node : List.of(market.provider, market.requester)) {
        JsonNode reasons = node.awaitNotReady(NodeProcess.PATIENCE);
        assertThat(reasons.toString()).containsPattern("(?i)the chain('s| 31337)");
      }
      // What was promised is computed, and what is new is kept but not begun.
      market.provider.awaitReached(running, "completed");
      waiting = market.requester.submit(market.training(20, 13));
      JsonNode kept = market.requester.awaitState(waiting, "signed");
      HttpResponse<byte[]> refused = market.provider.post(kept.get("job").toString());
      assertThat(refused.statusCode()).isEqualTo(503);
      assertThat(new String(refused.body(), StandardCharsets.UTF_8))
          .contains("no new job is taken until it is back");
      assertThat(market.provider.knows(waiting)).isFalse();
      assertThat(purposes(market.requester.job(running))).containsExactly("fund");
    } finally {
      market.wakeChain();
    }
    market.provider.awaitReady();
    market.requester.awaitReady();
    for (String id : List.of(running, waiting)) {
      market.requester.awaitState(id, "settled");
      market.provider.awaitState(id, "settled");
      assertThat(market.escrow(id).orElseThrow().status()).isEqualTo(EscrowStatus.RELEASED);
      assertThat(purposes(market.requester.job(id))).containsExactly("fund");
      assertThat(purposes(market.provider.job(id))).containsExactly("settle");
    }
  }

  /// Before the provider knows how fast it is, so that it takes on a job that is far too long to be
  /// done before this machine comes to kill it.
  @Test
  @Order(1)
  void moneyOfAJobWhoseProviderDiedComesBackAtItsDeadline() throws Exception {
    ObjectNode draft = market.training(10 * STEPS, 14);
    // Time enough to begin on a busy machine.
    draft.put("deadlineSeconds", 60);
    String id = market.requester.submit(draft);
    market.requester.awaitState(id, "running");
    market.provider.kill();
    try {
      Escrow escrow = market.escrow(id).orElseThrow();
      assertThat(escrow.status()).isEqualTo(EscrowStatus.ACCEPTED);
      market.requester.awaitState(id, "expired");
      assertThat(Instant.now()).isAfterOrEqualTo(escrow.deadline());
      awaitStatus(id, EscrowStatus.REFUNDED);
      assertThat(purposes(market.requester.job(id))).containsExactly("fund", "refund");
    } finally {
      market.provider.start();
      market.provider.awaitReady();
    }
    market.provider.awaitState(id, "expired");
  }

  private static void awaitStatus(String id, EscrowStatus status) throws InterruptedException {
    long end = System.nanoTime() + NodeProcess.PATIENCE.toNanos();
    while (market.escrow(id).orElseThrow().status() != status) {
      assertThat(System.nanoTime()).as("the escrow becomes " + status).isLessThan(end);
      Thread.sleep(100);
    }
  }

  private static List<String> purposes(JsonNode job) {
    return job.get("transactions").findValuesAsText("purpose");
  }
}
