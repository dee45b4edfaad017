package io.rigmesh.libp2p.interop;

import static io.rigmesh.libp2p.interop.Cast.soon;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Eventually;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.identify.IdentifyInfo;
import io.rigmesh.libp2p.identity.PeerRecord;
import io.rigmesh.libp2p.identity.SignedEnvelope;
import io.rigmesh.libp2p.kad.Kademlia;
import io.rigmesh.libp2p.kad.KademliaConfig;
import io.rigmesh.libp2p.kad.KademliaMode;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Ping, identify and Kademlia between ours and js-libp2p.
final class ProtocolsIT {
  private static final ProtocolId KAD = new ProtocolId("/rigmesh/kad/1.0.0");
  private static final HexFormat HEX = HexFormat.of();

  private final Cast cast = new Cast();

  @AfterEach
  void sendHome() {
    cast.close();
  }

  @ParameterizedTest
  @EnumSource
  void pingsBothWays(Wire wire) {
    JsPeer js = cast.js(wire.js());
    Host ours = cast.ours(wire.ours());
    soon(ours.connect(js.address()));
    assertThat(soon(ours.ping().ping(js.id()))).isPositive();
    assertThat(js.call("ping", "peer", ours.id().toString()).get("millis").asInt())
        .isBetween(0, 10_000);
  }

  @ParameterizedTest
  @EnumSource
  void identifyTellsEachWhoTheOtherIs(Wire wire) {
    JsPeer js = cast.js(wire.js().services("identifyPush"));
    Host ours = cast.ours(wire.ours().agentVersion("interop/1.2.3"));
    Connection connection = soon(ours.connect(js.address()));

    IdentifyInfo theirs = soon(ours.identify().identified(connection));
    assertThat(theirs.peer()).isEqualTo(js.id());
    assertThat(theirs.agentVersion()).startsWith("js-libp2p/");
    assertThat(theirs.protocolVersion()).isEqualTo("ipfs/0.1.0");
    assertThat(theirs.addresses()).containsAll(js.addresses());
    assertThat(theirs.speaks(new ProtocolId("/ipfs/ping/1.0.0"))).isTrue();
    assertThat(theirs.observedAddress().orElseThrow().withoutPeerId())
        .isEqualTo(connection.localAddress());
    SignedEnvelope envelope = theirs.signedRecord().orElseThrow();
    assertThat(envelope.signer()).isEqualTo(js.id());
    assertThat(PeerRecord.of(envelope).addresses()).containsAll(js.addresses());

    JsonNode ourselves =
        js.await("identified", event -> event.get("peer").asText().equals(ours.id().toString()));
    assertThat(ourselves.get("agent").asText()).isEqualTo("interop/1.2.3");
    assertThat(texts(ourselves.get("addresses")))
        .contains(ours.listenAddresses().getFirst().toString());
    assertThat(texts(ourselves.get("protocols"))).contains("/ipfs/ping/1.0.0", "/ipfs/id/1.0.0");
    assertThat(ourselves.get("observed").asText())
        .startsWith(connection.remoteAddress().toString());
    assertThat(texts(ourselves.get("recordAddresses")))
        .contains(ours.listenAddresses().getFirst().toString());
    assertThat(ourselves.get("recordSequence").asLong()).isPositive();

    // What changes is pushed, both ways.
    ProtocolId fresh = new ProtocolId("/interop/fresh/1.0.0");
    ours.handle(fresh, StreamHandler.blocking((stream, io) -> {}));
    js.await(
        "updated",
        event ->
            event.get("peer").asText().equals(ours.id().toString())
                && texts(event.get("protocols")).contains(fresh.name()));
    ProtocolId newer = new ProtocolId("/interop/newer/1.0.0");
    js.call("handle", "protocol", newer.name(), "how", "echo");
    Eventually.await(
        "ours has heard the push", () -> ours.peerStore().protocols(js.id()).contains(newer));
  }

  @ParameterizedTest
  @EnumSource(names = {"TCP_NOISE", "QUIC"})
  void providerRecordsAreFoundBothWays(Wire wire) {
    JsPeer js = cast.js(wire.js().services("kad"));
    Host ours = cast.ours(wire.ours());
    Kademlia kad = cast.keep(Kademlia.start(ours, kad(KademliaMode.SERVER)));
    soon(ours.connect(js.address()));
    Eventually.await("js is in our table", () -> kad.tableSize() == 1);
    Eventually.await("ours is in theirs", () -> js.call("table").get("size").asInt() == 1);

    byte[] wanted = multihash(7);
    js.call("provide", "multihash", HEX.formatHex(wanted));
    // js-libp2p waits for no answer to ADD_PROVIDER, so the record may still be on its way.
    Eventually.await(
        "the record of js is found",
        () ->
            soon(kad.findProviders(wanted, 1, one -> {})).stream()
                .map(PeerAddress::peer)
                .anyMatch(js.id()::equals));

    byte[] offered = multihash(8);
    assertThat(soon(kad.provide(offered))).isPositive();
    JsonNode providers =
        js.call("findProviders", "multihash", HEX.formatHex(offered)).get("providers");
    assertThat(providers.findValuesAsText("peer")).contains(ours.id().toString());
    assertThat(texts(providers.get(0).get("addresses")))
        .contains(ours.listenAddresses().getFirst().toString());

    JsPeer third = cast.js(wire.js().services("kad"));
    third.call("dial", "address", js.fullAddress());
    Eventually.await(
        "a peer that only js knows is found",
        () ->
            soon(kad.findPeer(third.id()))
                .map(PeerAddress::peer)
                .filter(third.id()::equals)
                .isPresent());
  }

  @ParameterizedTest
  @EnumSource(names = {"TCP_NOISE", "QUIC"})
  void aClientIsInNobodysTable(Wire wire) {
    JsPeer js = cast.js(wire.js().services("kad"));
    JsPeer jsClient = cast.js(wire.js().services("kad").set("kadClient", true));
    Host client = cast.ours(wire.ours());
    Kademlia kad = cast.keep(Kademlia.start(client, kad(KademliaMode.CLIENT)));
    Connection connection = soon(client.connect(js.address()));
    JsonNode seen =
        js.await("identified", event -> event.get("peer").asText().equals(client.id().toString()));
    assertThat(texts(seen.get("protocols"))).doesNotContain(KAD.name());
    assertThat(soon(client.identify().identified(connection)).speaks(KAD)).isTrue();
    Eventually.await("the server is in the client's table", () -> kad.tableSize() == 1);
    assertThat(js.call("table").get("size").asInt()).isZero();

    Connection other = soon(client.connect(jsClient.address()));
    assertThat(soon(client.identify().identified(other)).speaks(KAD)).isFalse();
    assertThat(kad.tableSize()).isEqualTo(1);
  }

  private static KademliaConfig kad(KademliaMode mode) {
    return KademliaConfig.builder().protocol(KAD).mode(mode).build();
  }

  private static byte[] multihash(int seed) {
    byte[] bytes = new byte[34];
    bytes[0] = 0x12;
    bytes[1] = 32;
    for (int i = 2; i < bytes.length; i++) {
      bytes[i] = (byte) (i * seed);
    }
    return bytes;
  }

  private static List<String> texts(JsonNode array) {
    return array.valueStream().map(JsonNode::asText).toList();
  }
}
