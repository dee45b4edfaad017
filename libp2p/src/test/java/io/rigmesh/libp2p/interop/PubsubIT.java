package io.rigmesh.libp2p.interop;

import static io.rigmesh.libp2p.interop.Cast.soon;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Eventually;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.gossip.Gossip;
import io.rigmesh.libp2p.gossip.GossipConfig;
import io.rigmesh.libp2p.gossip.GossipMessage;
import io.rigmesh.libp2p.gossip.Gossipsub;
import io.rigmesh.libp2p.gossip.MeshParameters;
import io.rigmesh.libp2p.gossip.Topic;
import io.rigmesh.libp2p.gossip.wire.GossipWire;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Gossipsub between ours and js-libp2p.
@Timeout(240)
final class PubsubIT {
  private static final String TOPIC = "/interop/news/1";
  private static final Duration BACKOFF = Duration.ofSeconds(4);

  /// Long for this backoff, and short for the usual one of a minute.
  private static final Duration AGAIN = Duration.ofSeconds(45);

  private final Cast cast = new Cast();
  private final BlockingQueue<GossipMessage> received = new LinkedBlockingQueue<>();

  @AfterEach
  void sendHome() {
    cast.close();
  }

  @ParameterizedTest
  @EnumSource(names = {"TCP_NOISE", "QUIC"})
  void messagesReachBothSidesAndPassThroughOurs(Wire wire) throws Exception {
    JsPeer first = cast.js(wire.js().services("gossip"));
    JsPeer second = cast.js(wire.js().services("gossip"));
    Host ours = cast.ours(wire.ours());
    Gossip gossip = cast.keep(Gossipsub.start(ours, GossipConfig.defaults()));
    Topic topic = gossip.topic(TOPIC);
    cast.keep(topic.subscribe(received::add));
    soon(ours.connect(first.address()));
    second.call("dial", "address", Cast.fullAddress(ours));
    first.call("subscribe", "topic", TOPIC);
    second.call("subscribe", "topic", TOPIC);
    Eventually.await("both are in our mesh", () -> topic.mesh().size() == 2);
    Eventually.await("ours is in their mesh", () -> meshOf(first, ours) && meshOf(second, ours));

    soon(topic.publish(new byte[] {1, 2, 3}));
    GossipMessage own = received.poll(60, TimeUnit.SECONDS);
    assertThat(own).as("a host hears itself").isNotNull();
    assertThat(own.from()).isEqualTo(ours.id());
    for (JsPeer js : List.of(first, second)) {
      JsonNode message = js.await("message", any -> true);
      assertThat(message.get("from").asText()).isEqualTo(ours.id().toString());
      assertThat(message.get("data").asText()).isEqualTo("010203");
    }

    // The two are not connected: what one says reaches the other through ours alone, once.
    first.call("publish", "topic", TOPIC, "data", "0a0b");
    GossipMessage here = received.poll(60, TimeUnit.SECONDS);
    assertThat(here).isNotNull();
    assertThat(here.from()).isEqualTo(first.id());
    assertThat(here.data()).isEqualTo(ByteString.copyFrom(new byte[] {10, 11}));
    JsonNode there = second.await("message", any -> true);
    assertThat(there.get("from").asText()).isEqualTo(first.id().toString());
    assertThat(there.get("data").asText()).isEqualTo("0a0b");
    assertThat(second.seen("message")).as("no second copy").isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"TCP_NOISE", "QUIC"})
  void oursRefusesWhatJsSaysInAnothersName(Wire wire) throws Exception {
    JsPeer js = cast.js(wire.js().services("gossip"));
    Host ours = cast.ours(wire.ours());
    Gossip gossip = cast.keep(Gossipsub.start(ours, GossipConfig.defaults()));
    Topic topic = gossip.topic(TOPIC);
    cast.keep(topic.subscribe(received::add));
    soon(ours.connect(js.address()));
    // js tells of a message as sent before it has a stream to send it on.
    Eventually.await(
        "js is heard",
        () -> {
          js.call("publish", "topic", TOPIC, "data", "00");
          return !received.isEmpty();
        });

    PeerId victim = somebody();
    for (String data : List.of("bad0", "bad1", "bad2")) {
      js.call("forge", "topic", TOPIC, "data", data, "from", victim.toString());
    }
    js.call("forge", "topic", TOPIC, "data", "bad3", "from", ours.id().toString());
    js.call("publish", "topic", TOPIC, "data", "600d");
    ByteString last = ByteString.EMPTY;
    while (last.size() < 2) {
      GossipMessage heard = received.poll(60, TimeUnit.SECONDS);
      assertThat(heard).isNotNull();
      assertThat(heard.from()).isEqualTo(js.id());
      last = heard.data();
    }
    assertThat(last.byteAt(0)).as("the honest message alone").isEqualTo((byte) 0x60);
    Eventually.await("it counts against js", () -> gossip.score(js.id()) < 0);
    assertThat(received).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"TCP_NOISE", "QUIC"})
  void jsRefusesWhatOursSaysInAnothersName(Wire wire) {
    JsPeer js = cast.js(wire.js().services("gossip"));
    js.call("subscribe", "topic", TOPIC);
    Host ours = cast.ours(wire.ours());
    PeerId victim = somebody();
    soon(ours.connect(js.address()));
    BlockingStream io = soon(ours.open(js.id(), new ProtocolId("/meshsub/1.1.0"))).blocking();
    // As another with our signature; ourselves with a signature of something else; then the truth.
    GossipWire.Message stranger = signed(ours, victim, 1, "bad0");
    GossipWire.Message altered =
        signed(ours, ours.id(), 2, "good").toBuilder()
            .setData(ByteString.copyFromUtf8("bad1"))
            .build();
    GossipWire.Message honest = signed(ours, ours.id(), 3, "honest");
    for (GossipWire.Message message : List.of(stranger, altered, honest)) {
      io.writeMessage(GossipWire.Rpc.newBuilder().addPublish(message).build());
    }
    JsonNode heard = js.await("message", any -> true);
    assertThat(heard.get("from").asText()).isEqualTo(ours.id().toString());
    assertThat(heard.get("sequence").asText()).isEqualTo("3");
    assertThat(js.seen("message")).as("the honest message alone").isEmpty();
  }

  /// A message signed with the host's key, whoever it says to be from.
  private static GossipWire.Message signed(Host host, PeerId from, long sequence, String data) {
    GossipWire.Message.Builder message =
        GossipWire.Message.newBuilder()
            .setFrom(ByteString.copyFrom(from.bytes()))
            .setData(ByteString.copyFromUtf8(data))
            .setSeqno(ByteString.copyFrom(ByteBuffer.allocate(8).putLong(sequence).array()))
            .setTopic(TOPIC);
    byte[] prefix = "libp2p-pubsub:".getBytes(StandardCharsets.US_ASCII);
    byte[] signed =
        ByteString.copyFrom(prefix).concat(message.build().toByteString()).toByteArray();
    return message
        .setSignature(ByteString.copyFrom(host.key().sign(signed)))
        .setKey(ByteString.copyFrom(host.key().publicKey().bytes()))
        .build();
  }

  @ParameterizedTest
  @EnumSource(names = {"TCP_NOISE", "QUIC"})
  void oursWaitsForAsLongAsThePruneOfJsSays(Wire wire) {
    JsPeer js =
        cast.js(
            wire.js()
                .services("gossip")
                .set("gossip", Map.of("unsubcribeBackoff", BACKOFF.toMillis())));
    Host ours = cast.ours(wire.ours());
    Gossip gossip = cast.keep(Gossipsub.start(ours, GossipConfig.defaults()));
    Topic topic = gossip.topic(TOPIC);
    cast.keep(topic.subscribe(received::add));
    soon(ours.connect(js.address()));
    js.call("subscribe", "topic", TOPIC);
    Eventually.await("grafted", () -> topic.mesh().contains(js.id()) && meshOf(js, ours));

    long before = System.nanoTime();
    js.call("unsubscribe", "topic", TOPIC);
    Eventually.await("pruned", () -> !topic.mesh().contains(js.id()));
    js.call("subscribe", "topic", TOPIC);
    Eventually.await("grafted again", AGAIN, () -> topic.mesh().contains(js.id()));
    assertBackoff(before);
    Eventually.await("and taken by js", () -> meshOf(js, ours));
  }

  @ParameterizedTest
  @EnumSource(names = {"TCP_NOISE", "QUIC"})
  void jsWaitsForAsLongAsThePruneOfOursSaysAndIsRefusedWhereItDoesNot(Wire wire) throws Exception {
    JsPeer js = cast.js(wire.js().services("gossip"));
    Host ours = cast.ours(wire.ours());
    Gossip gossip = cast.keep(Gossipsub.start(ours, GossipConfig.defaults().with(shortBackoff())));
    Topic topic = gossip.topic(TOPIC);
    AutoCloseable subscription = topic.subscribe(received::add);
    soon(ours.connect(js.address()));
    js.call("subscribe", "topic", TOPIC);
    Eventually.await("grafted", () -> topic.mesh().contains(js.id()) && meshOf(js, ours));

    long before = System.nanoTime();
    subscription.close();
    js.await(
        "prune",
        event ->
            event.get("peerId").asText().equals(ours.id().toString())
                && event.get("direction").asText().equals("inbound"));
    assertThat(meshOf(js, ours)).isFalse();
    cast.keep(topic.subscribe(received::add));
    Eventually.await("js sees ours again", () -> topic.peers().contains(js.id()));

    // A graft in between is answered with another PRUNE, which starts the longer backoff.
    if (System.nanoTime() - before < BACKOFF.toNanos() / 2) {
      js.call("graft", "peer", ours.id().toString(), "topic", TOPIC);
      // Unless this machine stands still until the backoff is over.
      Eventually.await(
          "refused",
          () ->
              js.seen("prune").stream()
                      .anyMatch(event -> event.get("direction").asText().equals("inbound"))
                  || System.nanoTime() - before > BACKOFF.toNanos());
      boolean refused = topic.mesh().isEmpty();
      assertThat(refused || System.nanoTime() - before > BACKOFF.toNanos())
          .as("no mesh before the backoff is over")
          .isTrue();
    }
    Eventually.await(
        "grafted again", AGAIN, () -> topic.mesh().contains(js.id()) && meshOf(js, ours));
    assertBackoff(before);
  }

  /// @param before when nobody had pruned yet: no delay of this test makes the backoff look shorter
  private static void assertBackoff(long before) {
    assertThat(Duration.ofNanos(System.nanoTime() - before))
        .as("from the PRUNE to the next GRAFT")
        // A clock of milliseconds.
        .isGreaterThan(BACKOFF.minusMillis(10));
  }

  private static MeshParameters shortBackoff() {
    MeshParameters usual = MeshParameters.defaults();
    return new MeshParameters(
        usual.degrees(),
        usual.gossipFactor(),
        usual.heartbeat(),
        usual.fanoutTimeToLive(),
        usual.historyLength(),
        usual.historyGossip(),
        usual.seenTimeToLive(),
        BACKOFF,
        BACKOFF,
        Duration.ofSeconds(1),
        usual.exchangePeers(),
        usual.floodPublish(),
        usual.opportunisticHeartbeats(),
        usual.opportunisticPeers(),
        usual.haveIdsMax(),
        usual.haveMessagesMax(),
        usual.wantFollowUp(),
        usual.retransmissionsMax(),
        usual.unwantedBytesMin());
  }

  private static PeerId somebody() {
    return PeerId.of(Ed25519PrivateKey.generate(new SecureRandom()).publicKey());
  }

  private static boolean meshOf(JsPeer js, Host ours) {
    return texts(js.call("mesh", "topic", TOPIC).get("peers")).contains(ours.id().toString());
  }

  private static List<String> texts(JsonNode array) {
    return array.valueStream().map(JsonNode::asText).toList();
  }
}
