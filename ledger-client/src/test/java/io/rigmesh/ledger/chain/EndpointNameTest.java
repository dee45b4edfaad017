package io.rigmesh.ledger.chain;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import org.junit.jupiter.api.Test;

class EndpointNameTest {
  private static final URI ADDRESS =
      URI.create("https://somebody:passw0rd@rpc.example:8443/v3/0123456789abcdef?token=fedcba98");

  @Test
  void onlySchemeHostAndPortAreShown() {
    assertThat(EndpointName.of(ADDRESS)).isEqualTo("https://rpc.example:8443");
    assertThat(EndpointName.of(URI.create("ws://localhost/key"))).isEqualTo("ws://localhost");
  }

  @Test
  void whatAnEndpointRepeatsOfItsAddressIsHidden() {
    assertThat(
            EndpointName.withoutSecrets(
                ADDRESS, "project 0123456789abcdef of somebody (passw0rd, fedcba98) is over v3"))
        .isEqualTo("project ... of ... (..., ...) is over v3");
  }
}
