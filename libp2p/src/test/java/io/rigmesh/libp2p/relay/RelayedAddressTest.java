package io.rigmesh.libp2p.relay;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.security.SecureRandom;
import org.junit.jupiter.api.Test;

class RelayedAddressTest {
  private static final PeerId RELAY = peer();
  private static final PeerId TARGET = peer();

  private static PeerId peer() {
    return PeerId.of(Ed25519PrivateKey.generate(new SecureRandom()).publicKey());
  }

  @Test
  void takesAnAddressApart() {
    String whole = "/ip4/192.0.2.1/tcp/4001/p2p/" + RELAY + "/p2p-circuit";
    RelayedAddress address =
        RelayedAddress.of(Multiaddr.of(whole + "/p2p/" + TARGET)).orElseThrow();
    assertThat(address.whole()).hasToString(whole);
    assertThat(address.relay().peer()).isEqualTo(RELAY);
    assertThat(address.relay().addresses())
        .containsExactly(Multiaddr.of("/ip4/192.0.2.1/tcp/4001"));
    assertThat(address.target()).contains(TARGET);
  }

  @Test
  void needsNeitherTheRelaysAddressNorTheTarget() {
    RelayedAddress address =
        RelayedAddress.of(Multiaddr.of("/p2p/" + RELAY + "/p2p-circuit")).orElseThrow();
    assertThat(address.relay().addresses()).isEmpty();
    assertThat(address.target()).isEmpty();
  }

  @Test
  void knowsWhatIsOfAnotherKind() {
    String circuit = "/p2p/" + RELAY + "/p2p-circuit";
    for (String other :
        new String[] {
          "/ip4/192.0.2.1/tcp/4001",
          "/p2p-circuit",
          "/ip4/192.0.2.1/tcp/4001/p2p-circuit",
          circuit + circuit,
          circuit + "/ip4/192.0.2.1",
          circuit + "/p2p/" + TARGET + "/tcp/1"
        }) {
      assertThat(RelayedAddress.of(Multiaddr.of(other))).as(other).isEmpty();
    }
  }
}
