package io.rigmesh.node.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.ledger.chain.EndpointHealth;
import io.rigmesh.node.rest.MemoryNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeMetricsTest {
  @TempDir Path home;
  private NodeMetrics metrics;

  @BeforeEach
  void start() {
    metrics = new NodeMetrics(new MemoryNode(home, Map.of()), "1.2.3");
  }

  @AfterEach
  void stop() {
    metrics.close();
  }

  private PrometheusText scraped() {
    return PrometheusText.parse(metrics.scrape());
  }

  @Test
  void numbersOfTheNodeAreShown() {
    PrometheusText text = scraped();
    assertThat(text.value("rigmesh_build_info", Map.of("version", "1.2.3"))).isEqualTo(1);
    assertThat(text.value("rigmesh_jobs", Map.of("role", "provider", "state", "running")))
        .isEqualTo(2);
    assertThat(text.value("rigmesh_jobs", Map.of("role", "requester", "state", "settled")))
        .isZero();
    assertThat(text.value("rigmesh_jobs_refused_total", Map.of("code", "busy"))).isEqualTo(7);
    assertThat(text.value("rigmesh_tokens_total", Map.of("kind", "train", "direction", "in")))
        .isEqualTo(1_000);
    assertThat(text.value("rigmesh_tokens_total", Map.of("kind", "generate", "direction", "out")))
        .isEqualTo(50);
    assertThat(text.value("rigmesh_jobs_run_seconds_total", Map.of("kind", "train")))
        .isEqualTo(12.5);
    assertThat(text.value("rigmesh_queue_jobs", Map.of())).isEqualTo(3);
    assertThat(text.value("rigmesh_worker_restarts_total", Map.of("device", "cpu"))).isEqualTo(5);
    assertThat(text.value("rigmesh_worker_up", Map.of("device", "cpu"))).isEqualTo(1);
    assertThat(text.value("rigmesh_chain_head_age_seconds", Map.of())).isEqualTo(1.25);
    assertThat(text.value("rigmesh_earned_token_units_total", Map.of())).isEqualTo(900);
    assertThat(text.value("rigmesh_transactions_total", Map.of("purpose", "fund"))).isEqualTo(4);
    assertThat(text.value("rigmesh_transactions_total", Map.of("purpose", "strange"))).isEqualTo(1);
    assertThat(text.value("rigmesh_transactions_total", Map.of("purpose", "settle"))).isZero();
    assertThat(text.value("rigmesh_gas_used_total", Map.of())).isEqualTo(123_456);
    assertThat(text.value("rigmesh_ready", Map.of())).isEqualTo(1);
    Map<String, String> paying = Map.of("role", "requester");
    assertThat(text.value("rigmesh_channels", paying)).isEqualTo(1);
    assertThat(text.value("rigmesh_channels_paid_token_units_total", paying)).isEqualTo(2);
    assertThat(text.value("rigmesh_channels_redeemed_token_units_total", paying)).isEqualTo(1);
    assertThat(text.value("rigmesh_channels_unpaid_token_units", Map.of())).isZero();
    assertThat(text.families()).containsKey("jvm_memory_used_bytes");
  }

  @Test
  void eachEndpointOfTheChainIsShownByItsName() {
    PrometheusText text = scraped();
    Map<String, String> first = Map.of("endpoint", "https://rpc.example");
    Map<String, String> second = Map.of("endpoint", "https://rpc.example #2");
    assertThat(text.value("rigmesh_chain_endpoint_requests_total", first)).isEqualTo(10);
    assertThat(text.value("rigmesh_chain_endpoint_requests_total", second)).isZero();
    assertThat(text.value("rigmesh_chain_endpoint_failures_total", first)).isEqualTo(2);
    assertThat(text.value("rigmesh_chain_endpoint_answers_seconds_count", first)).isEqualTo(8);
    assertThat(text.value("rigmesh_chain_endpoint_answers_seconds_sum", first)).isEqualTo(0.4);
    assertThat(text.value("rigmesh_chain_endpoint_blocks_behind", first)).isEqualTo(7);
    assertThat(text.value("rigmesh_chain_endpoint_blocks_behind", second)).isNaN();
    Map<String, String> behind =
        Map.of("endpoint", "https://rpc.example", "state", EndpointHealth.State.BEHIND.id());
    assertThat(text.value("rigmesh_chain_endpoint_state", behind)).isEqualTo(1);
    Map<String, String> working =
        Map.of("endpoint", "https://rpc.example", "state", EndpointHealth.State.WORKING.id());
    assertThat(text.value("rigmesh_chain_endpoint_state", working)).isZero();
    assertThat(text.value("rigmesh_chain_socket_connected", Map.of())).isZero();
    assertThat(text.value("rigmesh_chain_socket_blocks_total", Map.of())).isEqualTo(3);
  }

  @Test
  void everyMetricHasAHelpTextAndCountersEndInTotal() {
    metrics.request("GET", "/v1/jobs", 200, Duration.ofMillis(3));
    metrics.eventStreams(() -> 2);
    for (PrometheusText.Family family : scraped().families().values()) {
      assertThat(family.help()).as(family.name()).isNotBlank();
      assertThat(family.name().endsWith("_total"))
          .as(family.name() + " is a " + family.type())
          .isEqualTo(family.type().equals("counter"));
    }
  }

  @Test
  void requestsAreCountedByRouteWithBoundedLabels() {
    metrics.request("GET", "/v1/jobs/{id}", 200, Duration.ofMillis(3));
    metrics.request("GET", "/v1/jobs/{id}", 200, Duration.ofMillis(30));
    metrics.request("BREW", "none", 405, Duration.ofMillis(1));
    PrometheusText text = scraped();
    Map<String, String> shown = Map.of("method", "GET", "route", "/v1/jobs/{id}", "status", "200");
    assertThat(text.value("rigmesh_http_requests_seconds_count", shown)).isEqualTo(2);
    List<String> methods =
        text.families().get("rigmesh_http_requests_seconds").samples().stream()
            .map(s -> s.labels().get("method"))
            .distinct()
            .toList();
    assertThat(methods).containsExactlyInAnyOrder("GET", "other");
  }
}
