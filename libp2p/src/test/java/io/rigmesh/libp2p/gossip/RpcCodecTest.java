package io.rigmesh.libp2p.gossip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.netty.buffer.ByteBufUtil;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.gossip.wire.GossipWire;
import io.rigmesh.libp2p.multiformats.Varint;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class RpcCodecTest {
  private static final int DATA_MAX = 1000;
  private static final String TOPIC = "/test/1";

  private static Rpc full() {
    Rpc.Builder rpc = Rpc.builder();
    rpc.subscriptions.add(new Rpc.Subscription(TOPIC, true));
    rpc.subscriptions.add(new Rpc.Subscription("/test/2", false));
    rpc.messages.add(Messages.message(TOPIC, Messages.peer(1), 1, "one"));
    rpc.messages.add(Messages.message(TOPIC, Messages.peer(2), 2, "two"));
    rpc.haves.add(new Rpc.Have(TOPIC, List.of(id(1), id(2))));
    rpc.wanted.add(id(3));
    rpc.grafts.add(TOPIC);
    rpc.prunes.add(
        new Rpc.Prune(
            TOPIC,
            List.of(new Rpc.Offered(Messages.peer(3), ByteString.copyFromUtf8("record"))),
            Optional.of(Duration.ofSeconds(60))));
    rpc.prunes.add(new Rpc.Prune("/test/2", List.of(), Optional.empty()));
    rpc.unwanted.add(id(4));
    return rpc.build();
  }

  private static MessageId id(int number) {
    return new MessageId(ByteString.copyFromUtf8("id " + number));
  }

  private static Rpc decode(byte[] bytes) {
    return RpcCodec.decode(bytes, DATA_MAX);
  }

  private static void refused(Consumer<GossipWire.Rpc.Builder> content, String reason) {
    GossipWire.Rpc.Builder rpc = GossipWire.Rpc.newBuilder();
    content.accept(rpc);
    assertThatThrownBy(() -> decode(rpc.build().toByteArray()))
        .isInstanceOf(PeerMisbehaviourException.class)
        .hasMessageStartingWith("/meshsub: ")
        .hasMessageContaining(reason);
  }

  @Test
  void everythingComesBackAsItWent() {
    byte[] bytes = RpcCodec.encode(full());
    assertThat(decode(bytes)).isEqualTo(full());
    assertThat(full().size()).isBetween(bytes.length, bytes.length + 200);
  }

  @Test
  void aLoneMessagesFrameIsTheSameWithoutTheCopy() {
    Rpc rpc = Rpc.of(Messages.message(TOPIC, Messages.peer(1), 1, "x".repeat(300)));
    byte[] bytes = RpcCodec.encode(rpc);
    byte[] frame = ByteBufUtil.getBytes(RpcCodec.frame(rpc));
    byte[] length = Varint.encode(bytes.length);
    assertThat(Arrays.copyOf(frame, length.length)).isEqualTo(length);
    assertThat(Arrays.copyOfRange(frame, length.length, frame.length)).isEqualTo(bytes);
    assertThat(ByteBufUtil.getBytes(RpcCodec.frame(full()))).endsWith(RpcCodec.encode(full()));
  }

  @Test
  void aFaultyMessageDoesNotCostTheOthers() {
    GossipWire.Rpc rpc =
        GossipWire.Rpc.newBuilder()
            .addPublish(GossipWire.Message.newBuilder().setTopic(TOPIC))
            .addPublish(Messages.message(TOPIC, Messages.peer(1), 1, "good").view())
            .addPublish(Messages.message(TOPIC, Messages.peer(1), 2, "x".repeat(1001)).view())
            .addPublish(GossipWire.Message.getDefaultInstance())
            .build();
    Rpc decoded = decode(rpc.toByteArray());
    assertThat(decoded.messages())
        .singleElement()
        .satisfies(message -> assertThat(message.data().toStringUtf8()).isEqualTo("good"));
    assertThat(decoded.faults())
        .containsExactly(
            new Rpc.Fault(TOPIC, "it has no author"),
            new Rpc.Fault(TOPIC, "its data has 1001 bytes, over 1000"),
            new Rpc.Fault("", "its topic is not 1 to 256 bytes of UTF-8"));
  }

  @Test
  void giantCountsAreRefused() {
    refused(
        rpc -> {
          for (int i = 0; i <= RpcCodec.SUBSCRIPTIONS_MAX; i++) {
            rpc.addSubscriptions(GossipWire.Subscription.getDefaultInstance());
          }
        },
        "field 1 over 5000 times");
    refused(
        rpc -> {
          for (int i = 0; i <= RpcCodec.MESSAGES_MAX; i++) {
            rpc.addPublish(GossipWire.Message.getDefaultInstance());
          }
        },
        "field 2 over 8192 times");
    for (int field = 1; field <= 5; field++) {
      int number = field;
      byte[] entry = {(byte) (number << 3 | 2), 0};
      byte[] control = new byte[2 * (RpcCodec.CONTROLS_MAX + 1)];
      for (int at = 0; at < control.length; at += 2) {
        System.arraycopy(entry, 0, control, at, 2);
      }
      assertThatThrownBy(() -> decode(nested(3, control)))
          .isInstanceOf(PeerMisbehaviourException.class)
          .hasMessageContaining("field " + number + " over 1024 times");
    }
  }

  private static byte[] nested(int field, byte[] content) {
    byte[] length = Varint.encode(content.length);
    byte[] out = new byte[1 + length.length + content.length];
    out[0] = (byte) (field << 3 | 2);
    System.arraycopy(length, 0, out, 1, length.length);
    System.arraycopy(content, 0, out, 1 + length.length, content.length);
    return out;
  }

  @Test
  void giantCountsOfIdsAreRefusedAlsoSpreadOverManyEntries() {
    GossipWire.IHave.Builder have = GossipWire.IHave.newBuilder().setTopic(TOPIC);
    GossipWire.IWant.Builder want = GossipWire.IWant.newBuilder();
    GossipWire.IDontWant.Builder unwanted = GossipWire.IDontWant.newBuilder();
    for (int i = 0; i < 2000; i++) {
      have.addMessageIds(id(i).bytes());
      want.addMessageIds(id(i).bytes());
      unwanted.addMessageIds(id(i).bytes());
    }
    for (int i = 0; i < 5; i++) {
      int times = i;
      byte[] within = rpc(control -> control.addIhave(have), times);
      assertThat(decode(within).haves()).hasSize(times);
    }
    assertThat(decode(rpc(control -> control.addIwant(want), 5)).wanted()).hasSize(10_000);
    assertThatThrownBy(() -> decode(rpc(control -> control.addIhave(have), 6)))
        .hasMessageContaining("ids are over 10000");
    assertThatThrownBy(() -> decode(rpc(control -> control.addIwant(want), 6)))
        .hasMessageContaining("ids are over 10000");
    assertThatThrownBy(() -> decode(rpc(control -> control.addIdontwant(unwanted), 6)))
        .hasMessageContaining("ids are over 10000");
    // The walk over the wire form counts all fields together, so that parsing is not even begun.
    assertThatThrownBy(() -> decode(rpc(control -> control.addIhave(have), 60)))
        .hasMessageContaining("too many fields in nested messages");
  }

  private static byte[] rpc(Consumer<GossipWire.Control.Builder> entry, int times) {
    GossipWire.Control.Builder control = GossipWire.Control.newBuilder();
    for (int i = 0; i < times; i++) {
      entry.accept(control);
    }
    return GossipWire.Rpc.newBuilder().setControl(control).build().toByteArray();
  }

  @Test
  void offersAreBoundedOverAllPrunes() {
    GossipWire.Prune.Builder prune = GossipWire.Prune.newBuilder().setTopic(TOPIC);
    for (int i = 0; i < 100; i++) {
      prune.addPeers(
          GossipWire.PeerInfo.newBuilder()
              .setPeerId(ByteString.copyFrom(Messages.peer(i).bytes())));
    }
    assertThat(decode(rpc(control -> control.addPrune(prune), 2)).prunes()).hasSize(2);
    assertThatThrownBy(() -> decode(rpc(control -> control.addPrune(prune), 3)))
        .hasMessageContaining("offers over 256 peers");
  }

  @Test
  void namesAndIdsHaveTheirLengths() {
    refused(
        rpc -> rpc.addSubscriptions(GossipWire.Subscription.newBuilder().setSubscribe(true)),
        "a topic's name is not 1 to 256 bytes of UTF-8");
    refused(
        rpc -> rpc.getControlBuilder().addGraftBuilder().setTopic("x".repeat(257)),
        "a topic's name is not 1 to 256 bytes of UTF-8");
    refused(
        rpc -> rpc.getControlBuilder().addIwantBuilder().addMessageIds(ByteString.EMPTY),
        "a message id of 0 bytes is not from 1 to 128");
    refused(
        rpc ->
            rpc.getControlBuilder()
                .addIdontwantBuilder()
                .addMessageIds(ByteString.copyFrom(new byte[129])),
        "a message id of 129 bytes is not from 1 to 128");
    refused(
        rpc -> rpc.getControlBuilder().addPruneBuilder().setTopic(TOPIC).addPeersBuilder(),
        "a PRUNE offers a peer that cannot be");
    assertThatThrownBy(() -> decode(new byte[RpcCodec.BYTES_MAX + 1]))
        .hasMessageContaining("an RPC of 1048577 bytes is over 1048576");
  }

  @Test
  void aBackoffOfYearsCountsAsAnHour() {
    GossipWire.Rpc.Builder rpc = GossipWire.Rpc.newBuilder();
    rpc.getControlBuilder().addPruneBuilder().setTopic(TOPIC).setBackoff(-1);
    rpc.getControlBuilder().addPruneBuilder().setTopic(TOPIC).setBackoff(0);
    assertThat(decode(rpc.build().toByteArray()).prunes())
        .extracting(prune -> prune.backoff().orElseThrow())
        .containsExactly(Duration.ofHours(1), Duration.ZERO);
  }

  @Test
  void fieldsOfLaterVersionsAreSkipped() throws Exception {
    byte[] bytes = RpcCodec.encode(full());
    byte[] extension = nested(10, new byte[] {1, 2, 3});
    byte[] both = Arrays.copyOf(bytes, bytes.length + extension.length);
    System.arraycopy(extension, 0, both, bytes.length, extension.length);
    assertThat(decode(both)).isEqualTo(full());
  }

  @Property(tries = 2000)
  void anyBytesAreAnRpcOrMisbehaviour(@ForAll byte[] bytes) {
    decodes(bytes);
  }

  @Property(tries = 2000)
  void aBrokenRpcIsAnRpcOrMisbehaviour(
      @ForAll("rpcs") byte[] bytes, @ForAll @IntRange(max = 10_000) int at, @ForAll byte value) {
    decodes(Arrays.copyOf(bytes, at % (bytes.length + 1)));
    byte[] changed = bytes.clone();
    if (changed.length > 0) {
      changed[at % changed.length] = value;
    }
    decodes(changed);
  }

  private static void decodes(byte[] bytes) {
    try {
      Rpc rpc = decode(bytes);
      assertThat(decode(RpcCodec.encode(rpc)).haves()).isEqualTo(rpc.haves());
    } catch (PeerMisbehaviourException e) {
      assertThat(e).hasMessageStartingWith("/meshsub: ");
    }
  }

  @Provide
  Arbitrary<byte[]> rpcs() {
    Arbitrary<String> topics = Arbitraries.strings().alpha().ofMinLength(1).ofMaxLength(20);
    Arbitrary<List<MessageId>> ids =
        Arbitraries.bytes()
            .array(byte[].class)
            .ofMinSize(1)
            .ofMaxSize(60)
            .map(bytes -> new MessageId(ByteString.copyFrom(bytes)))
            .list()
            .ofMaxSize(5);
    return Combinators.combine(topics, ids, ids, topics.list().ofMaxSize(3))
        .as((topic, some, more, names) -> {
          Rpc.Builder rpc = Rpc.builder();
          names.forEach(name -> rpc.subscriptions.add(new Rpc.Subscription(name, true)));
          rpc.haves.add(new Rpc.Have(topic, some));
          rpc.wanted.addAll(more);
          rpc.unwanted.addAll(some);
          rpc.grafts.addAll(names);
          rpc.messages.add(Messages.message(topic, Messages.peer(1), 1, topic));
          rpc.prunes.add(
              new Rpc.Prune(
                  topic,
                  List.of(new Rpc.Offered(Messages.peer(2), ByteString.EMPTY)),
                  Optional.of(Duration.ofSeconds(1))));
          return RpcCodec.encode(rpc.build());
        });
  }
}
