package io.rigmesh.libp2p.gossip;

import static io.rigmesh.libp2p.Eventually.await;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.netty.channel.ChannelOption;
import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.Libp2pException;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.Stream;
import io.rigmesh.libp2p.gossip.wire.GossipWire;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Nodes on real hosts over loopback TCP.
class GossipIT {
  private static final String TOPIC = "/test/1";

  private final List<Node> nodes = new ArrayList<>();

  /// A host, its gossip, and what its subscriber got.
  private static final class Node {
    final Host host = HostBuilder.anonymous().listen("/ip4/127.0.0.1/tcp/0").withoutQuic().start();
    final Gossip gossip;
    final Topic topic;
    final BlockingQueue<GossipMessage> received = new LinkedBlockingQueue<>();

    Node(GossipConfig config) {
      gossip = Gossipsub.start(host, config);
      topic = gossip.topic(TOPIC);
    }

    AutoCloseable subscribe() {
      return topic.subscribe(received::add);
    }

    void connect(Node other) {
      soon(host.connect(new PeerAddress(other.host.id(), other.host.listenAddresses())));
    }

    String next() throws InterruptedException {
      GossipMessage message = received.poll(60, TimeUnit.SECONDS);
      assertThat(message).as("a message within a minute").isNotNull();
      return message.data().toStringUtf8();
    }

    boolean sees(Node... others) {
      return topic
          .peers()
          .containsAll(Arrays.stream(others).map(other -> other.host.id()).toList());
    }

    boolean meshes(Node... others) {
      return topic.mesh().containsAll(Arrays.stream(others).map(other -> other.host.id()).toList());
    }
  }

  private Node node() {
    return node(GossipConfig.defaults());
  }

  private Node node(GossipConfig config) {
    Node node = new Node(config);
    nodes.add(node);
    return node;
  }

  @AfterEach
  void closeAll() {
    nodes.forEach(node -> {
      node.gossip.close();
      node.host.close();
    });
  }

  private static <T> T soon(CompletableFuture<T> future) {
    return future.orTimeout(60, TimeUnit.SECONDS).join();
  }

  @Test
  void theMiddleForwardsBetweenTwoThatAreNotConnected() throws Exception {
    Node left = node();
    Node middle = node();
    Node right = node();
    nodes.forEach(Node::subscribe);
    left.connect(middle);
    right.connect(middle);
    await("the meshes stand", () -> middle.meshes(left, right) && left.meshes(middle));
    assertThat(soon(left.topic.publish("hello".getBytes(UTF_8)))).isEqualTo(1);
    GossipMessage message = right.received.poll(60, TimeUnit.SECONDS);
    assertThat(message).isNotNull();
    assertThat(message.data().toStringUtf8()).isEqualTo("hello");
    assertThat(message.from()).isEqualTo(left.host.id());
    assertThat(message.receivedFrom()).isEqualTo(middle.host.id());
    assertThat(middle.next()).isEqualTo("hello");
    assertThat(left.next()).as("its own message").isEqualTo("hello");
    await("the first delivery counts", () -> right.gossip.score(middle.host.id()) > 0);
    assertThat(right.received).as("no message twice").isEmpty();
  }

  @Test
  void messagesArriveInTheOrderOfOnePublisherAlsoWithAValidator() throws Exception {
    Node from = node();
    Node to = node();
    from.topic.validator(message -> Topic.Verdict.ACCEPT);
    to.topic.validator(message -> Topic.Verdict.ACCEPT);
    to.subscribe();
    from.connect(to);
    await("the subscription is known", () -> from.sees(to));
    for (int i = 0; i < 500; i++) {
      from.topic.publish(Integer.toString(i).getBytes(UTF_8));
    }
    for (int i = 0; i < 500; i++) {
      assertThat(to.next()).isEqualTo(Integer.toString(i));
    }
  }

  @Test
  void closingTheLastSubscriptionLeavesTheTopicAndAnotherJoinsAgain() throws Exception {
    Node one = node();
    Node other = node();
    AutoCloseable first = other.subscribe();
    AutoCloseable second = other.subscribe();
    one.connect(other);
    await("the subscription is known", () -> one.sees(other));
    first.close();
    assertThat(soon(one.topic.publish("one".getBytes(UTF_8)))).isEqualTo(1);
    assertThat(other.next()).isEqualTo("one");
    second.close();
    await("the topic is left", () -> one.topic.peers().isEmpty());
    assertThat(soon(one.topic.publish("unheard".getBytes(UTF_8)))).isZero();
    other.subscribe();
    await("the topic is joined again", () -> one.sees(other));
    assertThat(soon(one.topic.publish("two".getBytes(UTF_8)))).isEqualTo(1);
    assertThat(other.next()).isEqualTo("two");
  }

  @Test
  void aPeerThatComesBackIsHeardAgain() throws Exception {
    Node one = node();
    Node other = node();
    one.subscribe();
    other.subscribe();
    one.connect(other);
    await("both know", () -> one.sees(other) && other.sees(one));
    soon(one.host.disconnect(other.host.id(), "for the test"));
    await("both forget", () -> one.topic.peers().isEmpty() && other.topic.peers().isEmpty());
    other.connect(one);
    await("both know again", () -> one.sees(other) && other.sees(one));
    one.topic.publish("again".getBytes(UTF_8));
    assertThat(other.next()).isEqualTo("again");
  }

  @Test
  void aLostStreamIsOpenedAgainOnTheSameConnection() throws Exception {
    Node one = node();
    Node other = node();
    one.subscribe();
    other.subscribe();
    one.connect(other);
    await("both know", () -> one.sees(other) && other.sees(one));
    one.host.connections(other.host.id()).getFirst().streams().stream()
        .filter(stream -> stream.protocol().equals(PeerFeatures.MESHSUB_1_2))
        .forEach(Stream::reset);
    await(
        "messages pass again",
        () -> {
          one.topic.publish("after".getBytes(UTF_8));
          try {
            GossipMessage message = other.received.poll(100, TimeUnit.MILLISECONDS);
            return message != null && message.receivedFrom().equals(one.host.id());
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        });
    assertThat(one.host.connections()).hasSize(1);
  }

  @Test
  void theValidatorDecidesWhatIsDeliveredAndForwarded() throws Exception {
    Node from = node();
    Node middle = node();
    Node last = node();
    nodes.forEach(Node::subscribe);
    middle.topic.validator(message -> {
      String data = message.data().toStringUtf8();
      return data.startsWith("bad")
          ? Topic.Verdict.REJECT
          : data.startsWith("odd") ? Topic.Verdict.IGNORE : Topic.Verdict.ACCEPT;
    });
    from.connect(middle);
    last.connect(middle);
    await("the meshes stand", () -> middle.meshes(from, last) && from.meshes(middle));
    for (String data : List.of("bad 1", "odd 1", "good")) {
      from.topic.publish(data.getBytes(UTF_8));
    }
    assertThat(last.next()).isEqualTo("good");
    assertThat(middle.next()).isEqualTo("good");
    double afterOne = middle.gossip.score(from.host.id());
    from.topic.publish("odd 2".getBytes(UTF_8));
    for (int i = 0; i < 3; i++) {
      from.topic.publish("bad".getBytes(UTF_8));
    }
    await("bad messages cost", () -> middle.gossip.score(from.host.id()) < afterOne - 5);
    assertThatThrownBy(() -> soon(middle.topic.publish("bad of its own".getBytes(UTF_8))))
        .hasRootCauseInstanceOf(Libp2pException.class)
        .hasMessageContaining("does not accept this host's own message");
  }

  @Test
  void whatWasNotSignedByItsAuthorIsDroppedAndCountsAgainstWhoSentIt() throws Exception {
    Node honest = node();
    honest.subscribe();
    try (Host liar = HostBuilder.anonymous().withoutQuic().start()) {
      soon(liar.connect(new PeerAddress(honest.host.id(), honest.host.listenAddresses())));
      BlockingStream out =
          soon(liar.open(honest.host.id(), PeerFeatures.MESHSUB_1_1, PeerFeatures.MESHSUB_1_0))
              .blocking();
      Ed25519PrivateKey victim = Ed25519PrivateKey.generate(new SecureRandom());
      MessageSigner own = new MessageSigner(liar.key());
      GossipWire.Message victims =
          new MessageSigner(victim).sign(TOPIC, ByteString.copyFromUtf8("true"), 7).view();
      GossipWire.Message forged =
          victims.toBuilder().setData(ByteString.copyFromUtf8("false")).build();
      GossipWire.Message unsigned = victims.toBuilder().clearSignature().build();
      GossipWire.Message otherKey =
          victims.toBuilder()
              .setSignature(
                  own.sign(TOPIC, ByteString.copyFromUtf8("true"), 7).view().getSignature())
              .setKey(ByteString.copyFrom(liar.key().publicKey().bytes()))
              .build();
      GossipWire.Rpc.Builder rpc = GossipWire.Rpc.newBuilder();
      rpc.addPublish(forged).addPublish(unsigned).addPublish(otherKey).addPublish(victims);
      out.writeMessage(rpc.build());
      // The true message of the same author and number was not kept out by the forgeries.
      assertThat(honest.next()).isEqualTo("true");
      await("three invalid messages cost", () -> honest.gossip.score(liar.id()) < -10);
      assertThat(honest.received).isEmpty();
    }
  }

  @Test
  void garbageEndsTheStreamAndGoingOnEndsTheConnection() {
    Node honest = node();
    honest.subscribe();
    try (Host liar = HostBuilder.anonymous().withoutQuic().start()) {
      soon(liar.connect(new PeerAddress(honest.host.id(), honest.host.listenAddresses())));
      CompletableFuture<String> closed = liar.connections(honest.host.id()).getFirst().closed();
      AtomicInteger streams = new AtomicInteger();
      await(
          "the liar is disconnected",
          () -> {
            if (closed.isDone()) {
              return true;
            }
            try {
              BlockingStream out =
                  soon(liar.open(
                          honest.host.id(), PeerFeatures.MESHSUB_1_2, PeerFeatures.MESHSUB_1_1))
                      .blocking()
                      .timeout(Duration.ofSeconds(5));
              streams.incrementAndGet();
              out.write(new byte[] {5, 1, 2, 3, 4, 5});
              out.read(new byte[1], 0, 1);
            } catch (RuntimeException e) {
              // The stream or the connection was ended, as it should be.
              assertThat(e).isNotInstanceOf(IllegalStateException.class);
            }
            return closed.isDone();
          });
      assertThat(streams).hasValueBetween(4, 20);
    }
  }

  @Test
  void aPeerThatDoesNotReadHoldsUpNobodyAndNoMemory() throws Exception {
    Node from = node();
    Node reader = node();
    reader.subscribe();
    try (Host stalled = HostBuilder.anonymous().withoutQuic().start()) {
      // It takes the stream and never reads from it.
      CountDownLatch taken = new CountDownLatch(1);
      stalled.handle(
          PeerFeatures.MESHSUB_1_2,
          stream -> {
            assertThat(stream.channel().config().getOption(ChannelOption.AUTO_READ)).isFalse();
            taken.countDown();
          });
      soon(stalled.connect(new PeerAddress(from.host.id(), from.host.listenAddresses())));
      Stream out =
          soon(stalled.open(from.host.id(), PeerFeatures.MESHSUB_1_2, PeerFeatures.MESHSUB_1_1));
      out.blocking()
          .writeMessage(
              GossipWire.Rpc.newBuilder()
                  .addSubscriptions(
                      GossipWire.Subscription.newBuilder().setSubscribe(true).setTopic(TOPIC))
                  .build());
      from.connect(reader);
      await("both are known", () -> from.topic.peers().size() == 2);
      assertThat(taken.await(60, TimeUnit.SECONDS)).isTrue();
      byte[] data = new byte[200_000];
      for (int i = 0; i < 100; i++) {
        assertThat(soon(from.topic.publish(data))).isEqualTo(2);
        assertThat(reader.next()).hasSize(data.length);
      }
      Gossipsub gossip = (Gossipsub) from.gossip;
      assertThat(gossip.outgoingBytes(stalled.id()))
          .isBetween(1L, (long) GossipLimits.defaults().outgoingBytesMax());
    }
  }

  @Test
  void closingLeavesTheHostRunning() {
    Node one = node();
    Node other = node();
    one.subscribe();
    other.subscribe();
    one.connect(other);
    await("both know", () -> one.sees(other) && other.sees(one));
    one.gossip.close();
    await("the topic is left", () -> other.topic.peers().isEmpty());
    assertThat(one.host.protocols()).doesNotContainAnyElementsOf(PeerFeatures.PROTOCOLS);
    assertThat(one.host.connections()).hasSize(1);
    assertThatThrownBy(() -> one.topic.subscribe(message -> {}))
        .isInstanceOf(Libp2pException.class)
        .hasMessageContaining("closed");
    Gossip again = Gossipsub.start(one.host, GossipConfig.defaults());
    again.topic(TOPIC).subscribe(message -> {});
    await("it may start again", () -> other.sees(one));
    again.close();
  }
}
