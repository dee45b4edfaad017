package io.rigmesh.node.market;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.escrow.Escrow;
import io.rigmesh.ledger.escrow.EscrowStatus;
import io.rigmesh.node.network.Peers;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.TokenAmount;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Trainings that are proven and paid in three milestones while they go on: undisturbed, killed
/// between two of them, called off, and false.
class MilestonesIT {
  /// Six checkpoints, so that the milestones end with the steps 500, 1,000 and 1,500.
  private static final int STEPS = 1_500;

  private static final int CHECKPOINT = 250;
  private static final Address REFEREE = Address.fromHex("0x" + "00".repeat(17) + "4ef0e0");
  private static final Duration RULING = Duration.ofSeconds(5);

  @TempDir static Path folder;
  private static Market market;

  /// The training that a disturbed one must equal.
  private static JsonNode undisturbed;

  @BeforeAll
  static void open() throws Exception {
    market =
        new Market(
            folder,
            with -> {
              with.referee = REFEREE;
              with.ruling = RULING;
            });
    // Whom disputes are told to must be a contract; this one does nothing, and never rules.
    market.chain.request("hardhat_setCode", REFEREE.hex(), "0x00");
    undisturbed = eachMilestoneIsPaidWhileTheTrainingGoesOn();
  }

  @AfterAll
  static void close() throws Exception {
    market.close();
  }

  private static ObjectNode training(long seed) {
    ObjectNode draft = market.training(STEPS, seed);
    ((ObjectNode) draft.get("parameters"))
        .put("checkpointEverySteps", Integer.toString(CHECKPOINT))
        .put("milestones", "3");
    return draft;
  }

  /// The worker stands still behind the first milestone until that is paid, so that it is seen to
  /// be paid in the middle on any machine.
  private static JsonNode eachMilestoneIsPaidWhileTheTrainingGoesOn() throws Exception {
    Caught caught = caughtBehindTheFirst(7);
    TokenAmount ofProvider = caught.ofProvider();
    TokenAmount ofRequester = caught.ofRequester();
    String id = caught.id();
    try {
      JsonNode running = market.requester.await(id, "it is paid", job -> isPaid(job, 1));
      assertThat(running.get("state").asText()).isEqualTo("running");
      assertThat(market.provider.job(id).get("state").asText()).isEqualTo("running");
      // A second one that was reached before the worker stood still may just be on its way.
      Peers.await(
          "what is proven is paid",
          () -> {
            Escrow escrow = market.escrow(id).orElseThrow();
            return escrow.proven() == escrow.paid()
                && market.balance(market.provider).equals(ofProvider.plus(escrow.amountDue()));
          });
      Escrow escrow = market.escrow(id).orElseThrow();
      assertThat(escrow.status()).isEqualTo(EscrowStatus.ACCEPTED);
      assertThat(escrow.milestones()).isEqualTo(3);
      assertThat(escrow.paid()).isBetween(1, 2);
    } finally {
      Worker.signal(market.provider, "CONT");
    }
    JsonNode job = market.requester.awaitState(id, "settled");
    JsonNode sold = market.provider.awaitState(id, "settled");
    TokenAmount price = TokenAmount.parse(job.get("price").asText());
    assertThat(job.get("paid")).isEqualTo(job.get("price")).isEqualTo(sold.get("paid"));
    assertThat(market.balance(market.provider)).isEqualTo(ofProvider.plus(price));
    assertThat(market.balance(market.requester)).isEqualTo(ofRequester.minus(price));
    assertThat(market.escrow(id).orElseThrow().status()).isEqualTo(EscrowStatus.RELEASED);
    // By signatures: one transaction for the money, and one for each milestone.
    assertThat(purposes(job)).containsExactly("fund");
    assertThat(purposes(sold)).containsExactly("settle", "settle", "settle");
    long sum = 0;
    for (int number = 1; number <= 3; number++) {
      JsonNode part = job.get("milestones").get(number - 1);
      assertThat(part).isEqualTo(sold.get("milestones").get(number - 1));
      assertThat(part.get("steps").asInt()).isEqualTo(number * STEPS / 3);
      sum += part.get("amountDue").asLong();
    }
    assertThat(sum).isEqualTo(price.units().longValueExact());
    return job;
  }

  /// A training whose worker stands still behind its first milestone and before its second.
  ///
  /// @param ofProvider what the provider had before it
  /// @param ofRequester what the requester had
  private record Caught(String id, TokenAmount ofProvider, TokenAmount ofRequester) {}

  /// Catches one. A worker that was done before this machine came to stop it is given another job.
  private static Caught caughtBehindTheFirst(long seed) throws Exception {
    for (int attempt = 0; attempt < 12; attempt++) {
      TokenAmount ofProvider = market.balance(market.provider);
      TokenAmount ofRequester = market.balance(market.requester);
      String id = market.requester.submit(training(seed));
      market.provider.await(id, "the first milestone", job -> milestones(job) >= 1);
      Worker.signal(market.provider, "STOP");
      if (Worker.isBetween(market.provider, id, STEPS / 3, 2 * STEPS / 3)) {
        return new Caught(id, ofProvider, ofRequester);
      }
      Worker.signal(market.provider, "CONT");
      market.requester.awaitState(id, "settled");
      market.provider.awaitState(id, "settled");
    }
    throw new AssertionError("the worker is too fast to be caught");
  }

  @Test
  void nodesThatAreKilledBetweenTwoMilestonesProveAndPayEachOnceAndEndTheSame() throws Exception {
    TokenAmount before = market.balance(market.requester);
    String id = market.requester.submit(training(7));
    market.requester.await(id, "the first milestone", job -> milestones(job) >= 1);
    // Wherever its approval and its money are just now.
    market.provider.kill();
    market.requester.kill();
    market.provider.start();
    market.requester.start();
    JsonNode job = market.requester.awaitState(id, "settled");
    JsonNode sold = market.provider.awaitState(id, "settled");
    for (String same : List.of("output", "outputModel", "price")) {
      assertThat(job.get(same)).isEqualTo(undisturbed.get(same));
    }
    assertThat(purposes(job)).containsExactly("fund");
    assertThat(purposes(sold)).containsExactly("settle", "settle", "settle");
    assertThat(job.get("paid")).isEqualTo(job.get("price")).isEqualTo(sold.get("paid"));
    assertThat(market.balance(market.requester))
        .isEqualTo(before.minus(TokenAmount.parse(job.get("price").asText())));
  }

  @Test
  void aTrainingThatIsCalledOffIsPaidForTheMilestonesThatItReached() throws Exception {
    Caught caught = caughtBehindTheFirst(8);
    TokenAmount before = caught.ofRequester();
    String id = caught.id();
    try {
      market.requester.await(id, "it is paid", job -> isPaid(job, 1));
      // Its provider calls it off, whose worker hears so as soon as it goes on.
      market.provider.cancel(id);
    } finally {
      Worker.signal(market.provider, "CONT");
    }
    market.requester.awaitState(id, "cancelled");
    market.provider.awaitState(id, "cancelled");
    Escrow escrow = awaitAllGone(id);
    assertThat(escrow.status()).isEqualTo(EscrowStatus.REFUNDED);
    assertThat(escrow.proven()).isBetween(1, 2);
    assertThat(market.balance(market.requester)).isEqualTo(before.minus(escrow.amountDue()));
    Peers.await(
        "what was paid is written down",
        () -> market.requester.job(id).get("paid").asText().equals(escrow.amountDue().toString()));
  }

  /// The provider alters what its worker kept of the steps behind the first milestone, so that all
  /// that it signs afterwards follows from the lie.
  @Test
  void aFalseSecondMilestoneStopsTheJobAndOnlyTheFirstIsPaid() throws Exception {
    // As many samples as the second milestone has segments, so that the lie does not get by.
    market.requester.stop();
    market.requester.configure(yaml -> yaml.replace("samples: 1", "samples: 4"));
    market.requester.start();
    int lieStep = 2 * CHECKPOINT + 5;
    Lied lied = caughtBehindAFalseSecond(lieStep);
    String id = lied.id();
    float lie = lied.loss();
    TokenAmount ofRequester = lied.ofRequester();
    TokenAmount ofProvider = lied.ofProvider();
    JsonNode job;
    try {
      job = market.requester.awaitState(id, "disputed");
      // The requester calls it off by itself; this only makes sure that the worker hears it before
      // it goes on.
      market.provider.cancel(id);
    } finally {
      Worker.signal(market.provider, "CONT");
    }
    assertThat(job.get("message").asText())
        .startsWith("Step " + lieStep + " differs: its loss is")
        .contains("but the evidence says " + lie);
    assertThat(job.get("milestones").get(1).get("state").asText()).isEqualTo("false");
    // The provider proves what it has reached and gives back the rest; what it has proven is
    // disputed, and comes back since nobody rules in time.
    JsonNode end = market.requester.awaitEnd(id);
    assertThat(end.get("state").asText()).isEqualTo("failed");
    assertThat(end.get("message").asText()).startsWith("disputed, and what was not proven");
    Escrow escrow = market.escrow(id).orElseThrow();
    assertThat(escrow.status()).isEqualTo(EscrowStatus.REFUNDED);
    assertThat(escrow.proven()).isEqualTo(escrow.paid()).isEqualTo(2);
    TokenAmount first = TokenAmount.parse(end.get("milestones").get(0).get("amountDue").asText());
    assertThat(market.balance(market.provider)).isEqualTo(ofProvider);
    assertThat(market.balance(market.requester))
        .isEqualTo(ofRequester.plus(escrow.amount().minus(first)));
    assertThat(purposes(end)).containsExactly("fund", "dispute", "expire-dispute");
    assertThat(end.get("paid").asText()).isEqualTo(first.toString());
    assertThat(purposes(market.provider.job(id))).containsExactly("settle", "prove", "decline");
  }

  /// A training whose worker stands still behind a second milestone that is false.
  ///
  /// @param loss what the altered step's loss is said to be
  /// @param ofProvider what the provider had when the first was paid, and nothing else will be
  /// @param ofRequester what the requester had then
  private record Lied(String id, float loss, TokenAmount ofProvider, TokenAmount ofRequester) {}

  private static Lied caughtBehindAFalseSecond(int lieStep) throws Exception {
    for (int attempt = 0; attempt < 6; attempt++) {
      String id = caughtBetweenTheCheckpointsOfTheSecond();
      float lie = Worker.alterLoss(market.provider, id, 3 * CHECKPOINT, lieStep - 2 * CHECKPOINT);
      TokenAmount ofProvider = market.balance(market.provider);
      TokenAmount ofRequester = market.balance(market.requester);
      market.provider.start();
      market.provider.await(id, "the second milestone", job -> milestones(job) >= 2);
      Worker.signal(market.provider, "STOP");
      if (Worker.isBetween(market.provider, id, 2 * STEPS / 3, STEPS - CHECKPOINT)) {
        return new Lied(id, lie, ofProvider, ofRequester);
      }
      // It reached its end before this machine came to stop it.
      Worker.signal(market.provider, "CONT");
      market.requester.awaitEnd(id);
      market.provider.awaitEnd(id);
    }
    throw new AssertionError("the worker is too fast to be caught");
  }

  /// A training whose provider is killed with a checkpoint behind its first milestone and none of
  /// the second's end. A worker that was too fast is given another job.
  private static String caughtBetweenTheCheckpointsOfTheSecond() throws Exception {
    for (int attempt = 0; attempt < 12; attempt++) {
      String id = market.requester.submit(training(20 + attempt));
      market.provider.awaitStep(id, 3 * CHECKPOINT + 1);
      Worker.signal(market.provider, "STOP");
      if (Worker.isBetween(market.provider, id, 3 * CHECKPOINT, 4 * CHECKPOINT)) {
        market.requester.await(id, "the first milestone is paid", job -> isPaid(job, 1));
        List<ProcessHandle> workers = market.provider.workers();
        market.provider.kill();
        workers.forEach(ProcessHandle::destroyForcibly);
        return id;
      }
      Worker.signal(market.provider, "CONT");
      market.requester.awaitEnd(id);
    }
    throw new AssertionError("the worker is too fast to be caught");
  }

  /// Waits until nothing of a job's money waits for anything.
  private static Escrow awaitAllGone(String id) throws InterruptedException {
    long end = System.nanoTime() + NodeProcess.PATIENCE.toNanos();
    while (true) {
      Escrow escrow = market.escrow(id).orElseThrow();
      boolean open =
          escrow.status() == EscrowStatus.FUNDED || escrow.status() == EscrowStatus.ACCEPTED;
      if (!open && escrow.paid() == escrow.proven()) {
        return escrow;
      }
      assertThat(System.nanoTime()).as("the money of the job moves: " + escrow).isLessThan(end);
      Thread.sleep(100);
    }
  }

  private static int milestones(JsonNode job) {
    return job.path("milestones").size();
  }

  private static boolean isPaid(JsonNode job, int number) {
    return job.path("milestones").path(number - 1).path("state").asText().equals("paid");
  }

  private static List<String> purposes(JsonNode job) {
    return job.get("transactions").findValuesAsText("purpose");
  }
}
