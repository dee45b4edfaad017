package io.rigmesh.node.market;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.escrow.Escrow;
import io.rigmesh.ledger.escrow.EscrowStatus;
import io.rigmesh.node.network.Peers;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.TokenAmount;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Jobs from the draft to the money, over a real chain and real workers, undisturbed and killed.
class MarketIT {
  private static final int STEPS = 200;

  private static final ObjectMapper MAPPER = new ObjectMapper();

  @TempDir static Path folder;
  private static Market market;

  /// Long enough to be caught in the middle, also on a fast machine.
  private static final int MANY_STEPS = 1_500;

  /// The trainings that every disturbed one must equal.
  private static JsonNode undisturbed;

  private static JsonNode undisturbedLong;

  @BeforeAll
  static void open() throws Exception {
    market = new Market(folder);
    undisturbed = market.settle(market.training(STEPS, 7));
    undisturbedLong = market.settle(market.training(MANY_STEPS, 7));
  }

  @AfterAll
  static void close() throws Exception {
    market.close();
  }

  @Test
  void trainingIsComputedCheckedProvenAndPaidAndItsModelGenerates() throws Exception {
    String id = undisturbed.get("id").asText();
    TokenAmount price = TokenAmount.parse(undisturbed.get("price").asText());
    byte[] json = market.requester.bytes("/v1/jobs/" + id + "/receipt");
    ReceiptFile receipt = ProtocolJson.readReceiptFile(json);
    assertThat(json).isEqualTo(market.provider.bytes("/v1/jobs/" + id + "/receipt"));
    assertThat(receipt.receipt().isSignedFor(receipt.domain())).isTrue();
    assertThat(receipt.receipt().receipt().meter().steps()).isEqualTo(STEPS);
    Escrow escrow = market.escrow(id).orElseThrow();
    assertThat(escrow.status()).isEqualTo(EscrowStatus.RELEASED);
    assertThat(escrow.amountDue()).isEqualTo(price);
    // Taken on and approved of by signatures: one transaction of each side.
    assertThat(purposes(undisturbed)).containsExactly("fund");
    assertThat(purposes(market.provider.job(id))).containsExactly("settle");
    assertThat(undisturbed.get("paid")).isEqualTo(undisturbed.get("price"));
    JsonNode part = undisturbed.get("milestones").get(0);
    assertThat(part.get("proof").asText()).isEqualTo(receipt.receipt().receipt().hash().hex());
    assertThat(part.get("state").asText()).isEqualTo("paid");

    TokenAmount before = market.balance(market.provider);
    JsonNode generated =
        market.settle(market.generation(undisturbed.get("outputModel").asText(), 24));
    String text =
        new String(
            market.requester.bytes(
                "/v1/jobs/" + generated.get("id").asText() + "/artifacts/output.json"),
            StandardCharsets.UTF_8);
    assertThat(text).contains("\"text\"");
    // A channel pays for it: no transaction of its own, and the wallet is as it was.
    assertThat(generated.get("paid")).isEqualTo(generated.get("price"));
    assertThat(purposes(generated)).isEmpty();
    assertThat(market.balance(market.provider)).isEqualTo(before);
    Peers.await(
        "nothing is in escrow any more",
        () -> market.requester.get("/v1/wallet").get("escrowed").asText().equals("0"));
  }

  @Test
  void workerKilledInTheMiddleOfATrainingChangesNoBit() throws Exception {
    String id = market.requester.submit(market.training(MANY_STEPS, 7));
    market.provider.awaitStep(id, MANY_STEPS / 4);
    assertThat(market.provider.workers()).hasSize(1);
    assertThat(market.provider.workers().getFirst().destroyForcibly()).isTrue();
    assertSettledAs(undisturbedLong, id);
    assertThat(market.provider.get("/v1/devices").findValue("restarts").asLong()).isPositive();
  }

  @Test
  void jobThatIsTooLargeIsRefusedAndNoMoneyIsLocked() throws Exception {
    ObjectNode draft = market.training(10, 1);
    draft.put("priceMax", "100000000");
    ((ObjectNode) draft.get("parameters")).put("dim", "4096").put("ffnDim", "16384");
    String id = market.requester.submit(draft);
    JsonNode job = market.requester.awaitEnd(id);
    assertThat(job.get("state").asText()).isEqualTo("refused");
    assertThat(job.get("code").asText()).isEqualTo("out-of-memory");
    assertThat(market.escrow(id)).isEmpty();
    assertThat(market.provider.knows(id)).isFalse();
  }

  @Test
  void priceBelowTheProvidersIsRefusedAndNoMoneyIsLocked() throws Exception {
    ObjectNode draft = market.training(1_000, 1);
    draft.put("priceMax", "1");
    String id = market.requester.submit(draft);
    JsonNode job = market.requester.awaitEnd(id);
    assertThat(job.get("code").asText()).isEqualTo("price-too-low");
    assertThat(market.escrow(id)).isEmpty();
  }

  @Test
  void cancelledTrainingStopsAndItsMoneyComesBackAtOnce() throws Exception {
    TokenAmount before = market.balance(market.requester);
    String id = market.requester.submit(market.training(5_000, 3));
    market.requester.awaitStep(id, 5);
    market.requester.cancel(id);
    assertThat(market.requester.awaitEnd(id).get("state").asText()).isEqualTo("cancelled");
    assertThat(market.provider.awaitEnd(id).get("state").asText()).isEqualTo("cancelled");
    long end = System.nanoTime() + NodeProcess.PATIENCE.toNanos();
    while (market.escrow(id).orElseThrow().status() != EscrowStatus.REFUNDED) {
      assertThat(System.nanoTime()).isLessThan(end);
      Thread.sleep(100);
    }
    assertThat(market.balance(market.requester)).isEqualTo(before);
  }

  @Test
  void providerKilledBeforeItsAcceptanceIsOnTheChainGoesOn() throws Exception {
    String id = market.requester.submit(market.training(STEPS, 7));
    market.requester.await(id, "fund sent", job -> job.path("transactions").size() > 0);
    market.requester.awaitReached(id, "funded");
    market.holdBlocks();
    try {
      market.provider.await(id, "known", _ -> true);
      market.provider.kill();
    } finally {
      market.releaseBlocks();
    }
    market.provider.start();
    assertSettledAs(undisturbed, id);
  }

  @Test
  void providerKilledWithOneJobRunningAndOneWaitingGoesOnWithBoth() throws Exception {
    String running = market.requester.submit(market.training(MANY_STEPS, 7));
    market.provider.awaitReached(running, "running");
    String waiting = market.requester.submit(market.training(STEPS, 7));
    market.provider.awaitReached(waiting, "funded");
    market.provider.awaitStep(running, 25);
    market.provider.kill();
    market.provider.start();
    assertSettledAs(undisturbedLong, running);
    assertSettledAs(undisturbed, waiting);
  }

  @Test
  void providerKilledBetweenResultAndProofProvesOnce() throws Exception {
    String id = market.requester.submit(market.training(STEPS, 7));
    market.provider.awaitReached(id, "running");
    market.holdBlocks();
    try {
      market.provider.awaitReached(id, "completed");
      market.provider.kill();
    } finally {
      market.releaseBlocks();
    }
    market.provider.start();
    assertSettledAs(undisturbed, id);
    assertThat(purposes(market.provider.job(id))).containsExactly("settle");
  }

  @Test
  void requesterKilledWhileFundingRunningAndPayingPaysOnce() throws Exception {
    TokenAmount before = market.balance(market.requester);
    String id = market.requester.submit(market.training(STEPS, 7));
    market.requester.awaitReached(id, "matched");
    market.requester.kill();
    market.requester.start();
    market.requester.awaitReached(id, "running");
    market.requester.kill();
    market.requester.start();
    market.requester.awaitReached(id, "completed");
    market.requester.kill();
    market.requester.start();
    JsonNode job = assertSettledAs(undisturbed, id);
    assertThat(market.balance(market.requester))
        .isEqualTo(before.minus(TokenAmount.parse(job.get("price").asText())));
  }

  @Test
  void receiptsOfRunJobsAreAnchoredOnceOverAKillAndProvenToStrangers() throws Exception {
    String job = undisturbed.get("id").asText();
    market.holdBlocks();
    try {
      // It is on its way, and no block has taken it, when the node is killed.
      long end = System.nanoTime() + NodeProcess.PATIENCE.toNanos();
      while (anchor() != 202) {
        assertThat(System.nanoTime()).isLessThan(end);
      }
      market.requester.kill();
    } finally {
      market.releaseBlocks();
    }
    // The command goes on with it where no daemon runs.
    JsonNode anchored =
        MAPPER.readTree(Rigmesh.on(market.requester, folder, "receipts", "anchor", "--json").out());
    assertThat(anchored.get("receipts").asInt()).isGreaterThanOrEqualTo(2);
    market.requester.start();
    market.requester.awaitReady();
    JsonNode anchors = market.requester.get("/v1/receipts").get("anchors");
    assertThat(anchors).hasSize(1);
    assertThat(anchors.get(0).get("transaction")).isEqualTo(anchored.get("transaction"));
    assertThat(market.requester.get("/v1/wallet").get("transactions").findValuesAsText("purpose"))
        .containsOnlyOnce("anchor");
    assertThat(Rigmesh.ending(2, market.requester.home(), folder, "receipts", "anchor").err())
        .contains("There is nothing to anchor");

    JsonNode other =
        market.requester.get("/v1/jobs/" + undisturbedLong.get("id").asText() + "/receipt/proof");
    assertThat(other.get("root")).isEqualTo(anchored.get("root"));
    ObjectNode proof =
        (ObjectNode)
            MAPPER.readTree(
                Rigmesh.on(market.requester, folder, "receipts", "prove", job, "--json").out());
    assertThat(check(0, proof).out())
        .contains("The receipt of the job " + job)
        .contains("was anchored by " + market.requester.account());
    assertThat(check(2, proof.put("account", market.provider.account().hex())).err())
        .contains("has not anchored the root");
    // The provider has the same receipt, and has anchored none.
    assertThat(market.provider.send("GET", "/v1/jobs/" + job + "/receipt/proof", "").statusCode())
        .isEqualTo(404);
  }

  /// Asks for the receipts to be anchored, and says the status of the answer.
  private static int anchor() {
    return market.requester.send("POST", "/v1/receipts/anchor", "{\"id\":\"once\"}").statusCode();
  }

  /// What a stranger hears who has a proof and an endpoint of the chain.
  private static Rigmesh.Said check(int exitCode, JsonNode proof) throws Exception {
    Path file = folder.resolve("proof.json");
    Files.writeString(file, proof.toString());
    return Rigmesh.ending(
        exitCode,
        folder.resolve("nowhere"),
        folder,
        "receipts",
        "check",
        file.toString(),
        "--rpc",
        market.chain.endpoint().toString());
  }

  private static JsonNode assertSettledAs(JsonNode undisturbed, String id)
      throws InterruptedException {
    JsonNode job = market.requester.awaitState(id, "settled");
    market.provider.awaitState(id, "settled");
    assertThat(job.get("output")).isEqualTo(undisturbed.get("output"));
    assertThat(job.get("outputModel")).isEqualTo(undisturbed.get("outputModel"));
    assertThat(job.get("price")).isEqualTo(undisturbed.get("price"));
    return job;
  }

  private static List<String> purposes(JsonNode job) {
    return job.get("transactions").findValuesAsText("purpose");
  }
}
