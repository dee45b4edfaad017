package io.rigmesh.libp2p.interop;

import static io.rigmesh.libp2p.interop.Cast.soon;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.mdns.Mdns;
import io.rigmesh.libp2p.mdns.MdnsSettings;
import io.rigmesh.libp2p.multiformats.AddressScope;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Multicast DNS between ours and js-libp2p, over this machine's network interfaces. Skipped where
/// none takes multicast.
@Timeout(120)
final class MdnsInteropIT {
  // A service of this test's own, so that peers outside are neither found nor disturbed.
  private static final String SERVICE = "_p2p-" + Long.toHexString(System.nanoTime());

  private final Cast cast = new Cast();

  @AfterEach
  void sendHome() {
    cast.close();
  }

  @ParameterizedTest
  @EnumSource(names = {"TCP_NOISE", "QUIC"})
  void eachFindsTheOtherAndDialsIt(Wire wire) throws Exception {
    String service = SERVICE + "-" + wire.ordinal() + "._udp.local";
    BlockingQueue<PeerAddress> found = new LinkedBlockingQueue<>();
    Host ours = cast.ours(wire.ours());
    mdns(ours, service, found::add);
    JsPeer js = cast.js(wire.js().set("mdns", Map.of("serviceTag", service, "interval", 2_000)));

    PeerAddress theirs = found.poll(30, TimeUnit.SECONDS);
    assertThat(theirs).as("what ours has found").isEqualTo(js.address());
    JsonNode seen =
        js.await(
            Duration.ofSeconds(30),
            "discovered",
            event -> event.get("peer").asText().equals(ours.id().toString()));
    assertThat(seen.get("addresses").get(0).asText())
        .isEqualTo(ours.listenAddresses().getFirst().toString());

    // The peer stores know the addresses already.
    assertThat(soon(ours.ping().ping(js.id()))).isPositive();
    soon(ours.disconnect(js.id(), "for the test"));
    // Until it has heard of that, it would ask on the connection that is no more.
    js.await("disconnected", event -> event.get("peer").asText().equals(ours.id().toString()));
    assertThat(js.call("ping", "peer", ours.id().toString()).get("millis").asInt()).isNotNegative();
  }

  private void mdns(Host host, String service, Consumer<PeerAddress> found) {
    MdnsSettings settings =
        MdnsSettings.defaults().withServiceName(service).withScopes(Set.of(AddressScope.LOOPBACK));
    try {
      cast.keep(Mdns.start(host, settings, found));
    } catch (Libp2pException e) {
      System.out.println("mDNS with js-libp2p is not tested: " + e.getMessage());
      abort(e.getMessage());
    }
  }
}
