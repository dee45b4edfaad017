package io.rigmesh.libp2p.interop;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.libp2p.Eventually;
import io.rigmesh.libp2p.dcutr.Namespaces;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// AutoNAT v2 and DCUtR between ours and js-libp2p. js-libp2p neither asks about nor dials private
/// addresses there, so each peer has a public one, in a network namespace of its own. Skipped where
/// these are not permitted.
@Timeout(480)
final class ReachabilityIT {
  private final Cast cast = new Cast();
  private Namespaces network;

  /// What the peers of this test listen with.
  enum Transport {
    TCP("/tcp/4001"),
    QUIC("/udp/4001/quic-v1");

    private final String port;

    Transport(String port) {
      this.port = port;
    }
  }

  @BeforeEach
  void build() throws Exception {
    Optional<String> unavailability = Namespaces.unavailability();
    unavailability.ifPresent(
        why -> System.out.println("AutoNAT and DCUtR with js-libp2p are not tested: " + why));
    assumeTrue(unavailability.isEmpty(), () -> unavailability.orElseThrow());
    network = Namespaces.internet("relay", "ours", "js");
    cast.keep(network::close);
  }

  @AfterEach
  void sendHome() {
    cast.close();
  }

  private String at(String place, Transport transport) {
    return "/ip4/" + network.address(place) + transport.port;
  }

  private PeerProcess ours(String place, String services, Transport transport) throws IOException {
    return cast.keep(
        OurPeer.start(command -> network.inside(place, command), services, at(place, transport)));
  }

  /// js-libp2p tells peers of an address that AutoNAT has confirmed, or that it shall announce.
  private JsPeer.Options js(Transport transport) {
    JsPeer.Options options =
        JsPeer.options()
            .transport(transport == Transport.TCP ? "tcp" : "quic")
            .set("security", new String[] {"noise"})
            .listen(at("js", transport));
    return options.in(command -> network.inside("js", command));
  }

  @ParameterizedTest
  @EnumSource
  void jsFindsItsAddressReachableThroughOurs(Transport transport) throws Exception {
    PeerProcess ours = ours("ours", "autonat", transport);
    JsPeer js = cast.js(js(transport).services("autonat"));
    assertThat(verified(js)).as("before anybody was asked").isFalse();
    js.call("dial", "address", ours.fullAddress());
    Eventually.await("ours has dialled js back", Duration.ofSeconds(120), () -> verified(js));
  }

  private static boolean verified(JsPeer js) {
    JsonNode addresses = js.call("ownAddresses");
    for (JsonNode address : addresses) {
      if (address.get("address").asText().startsWith("/ip4/5.6.7.")) {
        return address.get("verified").asBoolean();
      }
    }
    throw new AssertionError("js has no public address: " + addresses);
  }

  @ParameterizedTest
  @EnumSource
  void oursFindsItsAddressReachableThroughJs(Transport transport) throws Exception {
    JsPeer js = cast.js(js(transport).services("autonat"));
    PeerProcess ours = ours("ours", "autonat", transport);
    ours.call("dial", "address", full(js, transport));
    awaitVerdict(ours, transport, "PUBLIC");
  }

  @Test
  void oursHearsFromJsThatItCannotBeDialled() throws Exception {
    network.shut("ours");
    JsPeer js = cast.js(js(Transport.TCP).services("autonat"));
    PeerProcess ours = ours("ours", "autonat", Transport.TCP);
    ours.call("dial", "address", full(js, Transport.TCP));
    awaitVerdict(ours, Transport.TCP, "PRIVATE");
  }

  private void awaitVerdict(PeerProcess ours, Transport transport, String verdict) {
    Eventually.await(
        "js has dialled back: " + verdict,
        Duration.ofSeconds(120),
        () -> ours.call("verdicts").path(at("ours", transport)).asText().equals(verdict));
  }

  /// js-libp2p itself tells only of addresses that are confirmed.
  private String full(JsPeer js, Transport transport) {
    return at("js", transport) + "/p2p/" + js.id();
  }

  @ParameterizedTest
  @EnumSource
  void oursAndJsBehindARelayPunchTheirWayToADirectConnection(Transport transport) throws Exception {
    PeerProcess relay = ours("relay", "relay", transport);
    network.guard("ours");
    network.guard("js");
    JsPeer js = cast.js(dcutr(transport));
    PeerProcess ours = ours("ours", "relayed,dcutr", transport);
    String circuit = relay.fullAddress() + "/p2p-circuit";

    js.call("listen", "address", circuit);
    JsonNode relayed = ours.call("dial", "address", circuit + "/p2p/" + js.id());
    assertThat(relayed.get("limited").asBoolean()).isTrue();
    assertDirect(ours, js);
  }

  @ParameterizedTest
  @EnumSource
  void jsAndOursBehindARelayPunchTheirWayToADirectConnection(Transport transport) throws Exception {
    PeerProcess relay = ours("relay", "relay", transport);
    network.guard("ours");
    network.guard("js");
    PeerProcess ours = ours("ours", "relayed,dcutr", transport);
    JsPeer js = cast.js(dcutr(transport));
    String circuit = relay.fullAddress() + "/p2p-circuit";

    ours.call("listen", "address", circuit);
    JsonNode relayed = js.call("dial", "address", circuit + "/p2p/" + ours.id());
    assertThat(relayed.get("limited").asBoolean()).isTrue();
    assertDirect(ours, js);
  }

  private JsPeer.Options dcutr(Transport transport) {
    return js(transport)
        .transport("relay")
        .services("dcutr")
        .set("announce", new String[] {at("js", transport)})
        .set("dcutr", Map.of("timeout", 5000));
  }

  /// Both sides see one direct connection, and the relayed one goes.
  private void assertDirect(PeerProcess ours, JsPeer js) {
    Duration patience = Duration.ofSeconds(120);
    JsonNode here =
        ours.await(
            patience,
            "connected",
            event ->
                event.get("peer").asText().equals(js.id().toString())
                    && !event.get("limited").asBoolean());
    assertThat(here.get("remote").asText()).startsWith("/ip4/" + network.address("js") + "/");
    js.await(
        patience,
        "connected",
        event ->
            event.get("peer").asText().equals(ours.id().toString())
                && !event.get("limited").asBoolean()
                && event.get("remote").asText().startsWith("/ip4/" + network.address("ours")));
    ours.await(
        patience,
        "disconnected",
        event ->
            event.get("peer").asText().equals(js.id().toString())
                && event.get("limited").asBoolean());
    assertThat(ours.call("ping", "address", js.fullAddress()).get("millis").asInt())
        .isBetween(0, 10_000);
  }
}
