package io.rigmesh.node.market;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.ledger.escrow.Escrow;
import io.rigmesh.ledger.escrow.EscrowStatus;
import io.rigmesh.ledger.escrow.Milestone;
import io.rigmesh.node.network.Peers;
import io.rigmesh.protocol.TokenAmount;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Work that nobody approves of in time: its provider proves it on the chain, and is paid by a
/// requester that can only reach the chain, or by the contract when the challenge time is over.
class UnapprovedIT {
  private static final int STEPS = 900;
  private static final Duration CHALLENGE = Duration.ofSeconds(60);

  @TempDir static Path folder;
  private static Market market;

  @BeforeAll
  static void open() throws Exception {
    market =
        new Market(
            folder,
            with -> {
              with.approvalPatienceSeconds = 1;
              with.challenge = CHALLENGE;
            });
  }

  @AfterAll
  static void close() throws Exception {
    market.close();
  }

  private static ObjectNode training(long seed, int milestones) {
    ObjectNode draft = market.training(STEPS, seed);
    ObjectNode parameters = (ObjectNode) draft.get("parameters");
    parameters.put("checkpointEverySteps", Integer.toString(STEPS / 3));
    if (milestones > 1) {
      parameters.put("milestones", Integer.toString(milestones));
    }
    return draft;
  }

  /// The requester is gone before the first milestone is reached.
  @Test
  void aProviderWhoseRequesterIsGoneProvesEachMilestoneAndIsPaidWhenTheChallengeTimeIsOver()
      throws Exception {
    Caught caught = caughtBeforeTheFirst();
    TokenAmount ofProvider = caught.ofProvider();
    TokenAmount ofRequester = caught.ofRequester();
    String id = caught.id();
    try {
      market.requester.kill();
    } finally {
      Worker.signal(market.provider, "CONT");
    }
    JsonNode sold = market.provider.awaitState(id, "settled");
    assertThat(purposes(sold))
        .containsExactlyInAnyOrder("prove", "prove", "prove", "release", "release", "release");
    Escrow escrow = market.escrow(id).orElseThrow();
    assertThat(escrow.status()).isEqualTo(EscrowStatus.RELEASED);
    assertThat(escrow.paid()).isEqualTo(3);
    TokenAmount price = TokenAmount.parse(sold.get("price").asText());
    assertThat(sold.get("paid").asText()).isEqualTo(price.toString());
    assertThat(market.balance(market.provider)).isEqualTo(ofProvider.plus(price));
    assertThat(market.balance(market.requester)).isEqualTo(ofRequester.minus(price));

    // It comes back, finds that it has paid, and gets what it paid for.
    market.requester.start();
    JsonNode bought = market.requester.awaitState(id, "settled");
    assertThat(bought.get("paid")).isEqualTo(bought.get("price")).isEqualTo(sold.get("paid"));
    assertThat(bought.get("output")).isEqualTo(sold.get("output"));
    assertThat(market.requester.get("/v1/folders/" + bought.get("output").asText()).get("files"))
        .isNotEmpty();
    assertThat(purposes(bought)).containsExactly("fund");
  }

  /// A training whose worker stands still before its first milestone.
  ///
  /// @param ofProvider what the provider had before it
  /// @param ofRequester what the requester had
  private record Caught(String id, TokenAmount ofProvider, TokenAmount ofRequester) {}

  /// Catches one. A worker that was further before this machine came to stop it is given another
  /// job.
  private static Caught caughtBeforeTheFirst() throws Exception {
    for (int attempt = 0; attempt < 12; attempt++) {
      TokenAmount ofProvider = market.balance(market.provider);
      TokenAmount ofRequester = market.balance(market.requester);
      String id = market.requester.submit(training(10 + attempt, 3));
      market.provider.awaitStep(id, 1);
      Worker.signal(market.provider, "STOP");
      if (Worker.isBetween(market.provider, id, 0, STEPS / 3)) {
        return new Caught(id, ofProvider, ofRequester);
      }
      Worker.signal(market.provider, "CONT");
      market.requester.awaitState(id, "settled");
      market.provider.awaitState(id, "settled");
    }
    throw new AssertionError("the worker is too fast to be caught");
  }

  /// The provider is gone while the requester still audits what it has proven.
  @Test
  void aRequesterWhoseProviderIsGonePaysByATransactionWhatItFindsExact() throws Exception {
    Proven proven = provenDuringItsAudit();
    TokenAmount ofProvider = proven.ofProvider();
    String id = proven.id();
    try {
      market.provider.kill();
    } finally {
      Worker.signal(market.requester, "CONT");
    }
    JsonNode bought = market.requester.awaitState(id, "settled");
    assertThat(purposes(bought)).containsExactly("fund", "release");
    assertThat(bought.get("paid")).isEqualTo(bought.get("price"));
    TokenAmount price = TokenAmount.parse(bought.get("price").asText());
    assertThat(market.balance(market.provider)).isEqualTo(ofProvider.plus(price));

    market.provider.start();
    JsonNode sold = market.provider.awaitState(id, "settled");
    assertThat(sold.get("paid")).isEqualTo(bought.get("paid"));
    assertThat(purposes(sold)).containsExactly("prove");
    market.requester.awaitOffers(1);
  }

  /// A training that is proven while its audit stands still.
  ///
  /// @param ofProvider what the provider had before it
  private record Proven(String id, TokenAmount ofProvider) {}

  /// Brings one about. Where the audit was over before this machine came to stop it, the training
  /// was approved of and is paid, and another is handed in.
  private static Proven provenDuringItsAudit() throws Exception {
    for (int attempt = 0; attempt < 12; attempt++) {
      TokenAmount ofProvider = market.balance(market.provider);
      String id = market.requester.submit(training(30 + attempt, 1));
      Peers.await("its audit begins", () -> !market.requester.workers().isEmpty());
      Worker.signal(market.requester, "STOP");
      Peers.await(
          "it is proven or paid",
          () -> isProven(id) || market.provider.job(id).path("state").asText().equals("settled"));
      if (isProven(id)) {
        return new Proven(id, ofProvider);
      }
      Worker.signal(market.requester, "CONT");
      market.requester.awaitState(id, "settled");
    }
    throw new AssertionError("the audit is too fast to be caught");
  }

  private static boolean isProven(String id) {
    return market
        .milestone(id, 1)
        .filter(proof -> proof.status() == Milestone.Status.PROVEN)
        .isPresent();
  }

  private static List<String> purposes(JsonNode job) {
    return job.get("transactions").findValuesAsText("purpose");
  }
}
