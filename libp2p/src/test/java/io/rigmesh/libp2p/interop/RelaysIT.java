package io.rigmesh.libp2p.interop;

import static io.rigmesh.libp2p.interop.Cast.soon;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Eventually;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.relay.Relay;
import io.rigmesh.libp2p.relay.RelayLimits;
import io.rigmesh.libp2p.relay.RelayTransport;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Circuit relay v2 between ours and js-libp2p: ours as the relay, the listener and the dialler.
final class RelaysIT {
  private static final ProtocolId ECHO = new ProtocolId("/interop/echo/1.0.0");

  private final Cast cast = new Cast();

  @AfterEach
  void sendHome() {
    cast.close();
  }

  @ParameterizedTest
  @EnumSource(names = {"TCP_NOISE", "QUIC"})
  void oursRelaysBetweenTwoPeersOfJs(Wire wire) {
    Host relay = cast.ours(wire.ours());
    Relay service = cast.keep(Relay.start(relay, RelayLimits.defaults()));
    JsPeer listener = cast.js(wire.js().transport("relay"));
    JsPeer dialer = cast.js(wire.js().transport("relay"));
    String circuit = Cast.fullAddress(relay) + "/p2p-circuit";
    listener.call("listen", "address", circuit);
    Eventually.await("js has reserved", () -> service.reservations() == 1);
    listener.call("handle", "protocol", ECHO.name(), "how", "echo");

    JsonNode dialled = dialer.call("dial", "address", circuit + "/p2p/" + listener.id());
    assertThat(dialled.get("peer").asText()).isEqualTo(listener.id().toString());
    assertThat(dialled.get("limited").asBoolean()).isTrue();
    assertThat(service.circuits()).isEqualTo(1);
    int stream =
        dialer
            .call("open", "peer", listener.id().toString(), "protocol", ECHO.name())
            .get("stream")
            .asInt();
    dialer.call("send", "stream", stream, "data", "00112233");
    assertThat(dialer.call("take", "stream", stream, "bytes", 4).get("head").asText())
        .isEqualTo("00112233");

    // Beyond its bytes the circuit is cut.
    dialer.send("sendPattern", "stream", stream, "bytes", 400_000);
    dialer.await("disconnected", event -> event.get("limited").asBoolean());
    Eventually.await("the circuit is gone", () -> service.circuits() == 0);
  }

  @ParameterizedTest
  @EnumSource(names = {"TCP_NOISE", "QUIC"})
  void oursListensBehindAndDialsThroughARelayOfJs(Wire wire) {
    JsPeer relay = cast.js(wire.js().services("relay"));
    Multiaddr circuit = Multiaddr.of(relay.fullAddress()).then("/p2p-circuit");
    Host listener = cast.ours(wire.silent());
    RelayTransport.start(listener);
    soon(listener.network().listen(circuit));
    assertThat(relay.call("reservations").get("peers").get(0).asText())
        .isEqualTo(listener.id().toString());
    listener.handle(
        ECHO, StreamHandler.blocking((stream, io) -> io.input().transferTo(io.output())));

    Host dialer = cast.ours(wire.silent());
    RelayTransport.start(dialer);
    Connection connection = soon(dialer.connect(new PeerAddress(listener.id(), List.of(circuit))));
    assertThat(connection.limited()).isTrue();
    BlockingStream io = soon(dialer.openLimited(listener.id(), ECHO)).blocking();
    io.write(Pattern.bytes(0, 1000));
    assertThat(io.readFully(1000)).isEqualTo(Pattern.bytes(0, 1000));

    JsPeer js = cast.js(wire.js().transport("relay"));
    JsonNode dialled = js.call("dial", "address", circuit + "/p2p/" + listener.id());
    assertThat(dialled.get("limited").asBoolean()).isTrue();
    int stream =
        js.call("open", "peer", listener.id().toString(), "protocol", ECHO.name())
            .get("stream")
            .asInt();
    js.call("send", "stream", stream, "data", "445566");
    assertThat(js.call("take", "stream", stream, "bytes", 3).get("head").asText())
        .isEqualTo("445566");
  }
}
