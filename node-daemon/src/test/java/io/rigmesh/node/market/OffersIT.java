package io.rigmesh.node.market;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.node.network.Peers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Two providers of different prices and a requester that hears of both by one bootstrap address.
class OffersIT {
  /// So much that the dearer provider asks more than the least price of a job.
  private static final int STEPS = 300;

  @TempDir static Path folder;
  private static Market market;
  private static NodeProcess cheap;
  private static NodeProcess dear;

  @BeforeAll
  static void open() throws Exception {
    market = new Market(folder);
    cheap = market.provider;
    dear = market.anotherProvider("dear", 60_000);
    market.requester.awaitOffers(2);
  }

  @AfterAll
  static void close() throws Exception {
    dear.close();
    market.close();
  }

  @Test
  void cheaperProviderIsChosenAndOneThatIsNamedEvenIfDearer() throws Exception {
    assertThat(peer(settled(market.training(STEPS, 1)))).isEqualTo(cheap.peer());
    ObjectNode named = market.training(STEPS, 2);
    named.put("provider", dear.peer());
    assertThat(peer(settled(named))).isEqualTo(dear.peer());
    assertThat(purposes(dear)).isNotEmpty();
  }

  @Test
  void providerThatRefusesIsPassedOverForTheNext() throws Exception {
    restart(cheap, yaml -> yaml + "  queue-length-max: 0\n");
    try {
      market.requester.awaitOffers(2);
      JsonNode job = settled(market.training(STEPS, 3));
      assertThat(peer(job)).isEqualTo(dear.peer());
      assertThat(cheap.knows(job.get("id").asText())).isFalse();
    } finally {
      restart(cheap, yaml -> yaml.replace("  queue-length-max: 0\n", ""));
    }
    market.requester.awaitOffers(2);
  }

  @Test
  void stoppedProvidersOfferVanishesAndItIsFoundAgainOnAnotherPort() throws Exception {
    String before = dear.multiaddr();
    dear.stop();
    List<String> peers = market.requester.awaitOffers(1).findValuesAsText("peer");
    assertThat(peers).containsExactly(cheap.peer());
    dear.configure(yaml -> yaml.replaceFirst("tcp/\\d+\n", "tcp/0\n"));
    dear.start();
    assertThat(dear.multiaddr()).isNotEqualTo(before);
    dear.awaitReady();
    market.requester.awaitOffers(2);
    ObjectNode named = market.training(STEPS, 4);
    named.put("provider", dear.peer());
    assertThat(peer(settled(named))).isEqualTo(dear.peer());
  }

  @Test
  void aRequesterThatAsksForAStakeBuysFromWhoeverHasOneThoughItIsDearer() throws Exception {
    market.endow(Market.account(dear), 5_000_000);
    // The same move under the same id is one move; while it is under way the answer is 202.
    String stake = "{\"id\":\"stake\",\"amount\":\"5000000\"}";
    Peers.await(
        "the stake is there",
        () -> dear.send("POST", "/v1/wallet/stake", stake).statusCode() == 200);
    // A requester that looked before would find no stake behind the peer, and not look again soon.
    Peers.await("the provider has bound its peer", () -> market.isBound(dear));
    String wanted = "requester:\n  stake-minimum: 5000000\n";
    restart(market.requester, yaml -> yaml + wanted);
    try {
      market.requester.awaitOffers(2);
      Peers.await(
          "the stake behind the peer is read from the chain",
          () ->
              market.requester.get("/v1/offers").findParents("stake").stream()
                  .anyMatch(offer ->
                      offer.get("peer").asText().equals(dear.peer())
                          && offer.get("stake").asText().equals("5000000")));
      assertThat(peer(settled(market.training(STEPS, 5)))).isEqualTo(dear.peer());
      // Not even by its name is one that has none.
      ObjectNode named = market.training(STEPS, 6);
      named.put("provider", cheap.peer());
      HttpResponse<byte[]> refused = market.requester.post(named.toString());
      assertThat(refused.statusCode()).isBetween(400, 503);
      assertThat(new String(refused.body(), StandardCharsets.UTF_8))
          .contains("1 offers are left out")
          .contains("requester.stake-minimum = 5000000");
    } finally {
      restart(market.requester, yaml -> yaml.replace(wanted, ""));
    }
    market.requester.awaitOffers(2);
  }

  private static JsonNode settled(ObjectNode draft) throws InterruptedException {
    String id = market.requester.submit(draft);
    return market.requester.awaitState(id, "settled");
  }

  private static String peer(JsonNode job) {
    return job.get("providerPeer").asText();
  }

  private static List<String> purposes(NodeProcess node) {
    return node.get("/v1/wallet").get("transactions").findValuesAsText("purpose");
  }

  private static void restart(NodeProcess node, java.util.function.UnaryOperator<String> settings)
      throws Exception {
    node.stop();
    node.configure(settings);
    node.start();
    node.awaitReady();
  }
}
