package io.rigmesh.ledger.chain;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RpcEndpointTest {
  private static final Instant NOW = Instant.parse("2026-11-22T12:00:00Z");

  private static HttpHeaders retryAfter(String value) {
    return HttpHeaders.of(Map.of("Retry-After", List.of(value)), (name, text) -> true);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "7|7",
        " 30 |30",
        "0|1",
        "-5|1",
        "86400|300",
        "Sun, 22 Nov 2026 12:00:42 GMT|42",
        "Sun, 22 Nov 2026 11:00:00 GMT|1",
        "soon|15"
      })
  void anEndpointRestsAsLongAsItAsksWithinReason(String value, long seconds) {
    assertThat(RpcEndpoint.rest(retryAfter(value), NOW)).isEqualTo(Duration.ofSeconds(seconds));
  }

  @Test
  void anEndpointThatAsksForNothingRestsAWhile() {
    assertThat(RpcEndpoint.rest(HttpHeaders.of(Map.of(), (name, text) -> true), NOW))
        .isEqualTo(Duration.ofSeconds(15));
  }
}
