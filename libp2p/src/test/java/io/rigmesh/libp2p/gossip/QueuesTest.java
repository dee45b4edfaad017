package io.rigmesh.libp2p.gossip;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.Eventually;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identity.PeerId;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// What is bounded: the queues at a peer's streams, the cache, and versions that are not known.
class QueuesTest {
  private static final String TOPIC = "/test/1";
  private static final PeerId PEER = Messages.peer(1);

  private static Message message(int number, int bytes) {
    return Messages.message(TOPIC, PEER, number, "x".repeat(bytes));
  }

  private static Rpc rpc(int number) {
    return Rpc.of(message(number, 1000));
  }

  private static Rpc graft(String topic) {
    Rpc.Builder rpc = Rpc.builder();
    rpc.grafts.add(topic);
    return rpc.build();
  }

  private static Rpc have(int bytes) {
    Rpc.Builder rpc = Rpc.builder();
    rpc.haves.add(
        new Rpc.Have(TOPIC, List.of(new MessageId(ByteString.copyFrom(new byte[bytes])))));
    return rpc.build();
  }

  @Test
  void whatMattersMoreLeavesFirst() {
    OutgoingQueue queue = new OutgoingQueue(100_000);
    queue.offer(have(50), Priority.GOSSIP);
    queue.offer(rpc(1), Priority.FORWARD);
    queue.offer(rpc(2), Priority.PUBLISH);
    queue.offer(graft("/a"), Priority.CONTROL);
    queue.offer(graft("/b"), Priority.CONTROL);
    assertThat(queue.poll()).contains(graft("/a"));
    assertThat(queue.poll()).contains(graft("/b"));
    assertThat(queue.poll()).contains(rpc(2));
    assertThat(queue.poll()).contains(rpc(1));
    assertThat(queue.poll()).contains(have(50));
    assertThat(queue.poll()).isEmpty();
    assertThat(queue.isEmpty()).isTrue();
  }

  @Test
  void aFullQueueDropsGossipThenForwardedThenOwnMessages() {
    int size = rpc(1).size();
    OutgoingQueue queue = new OutgoingQueue(4 * size);
    assertThat(queue.offer(have(900), Priority.GOSSIP)).isTrue();
    for (int i = 1; i <= 3; i++) {
      assertThat(queue.offer(rpc(i), Priority.FORWARD)).isTrue();
    }
    assertThat(queue.dropped()).isZero();
    assertThat(queue.offer(rpc(4), Priority.FORWARD)).as("instead of gossip").isTrue();
    assertThat(queue.offer(have(900), Priority.GOSSIP)).as("no room for gossip").isFalse();
    assertThat(queue.offer(rpc(5), Priority.FORWARD)).as("instead of the oldest").isTrue();
    for (int i = 10; i < 14; i++) {
      assertThat(queue.offer(rpc(i), Priority.PUBLISH)).isTrue();
    }
    assertThat(queue.offer(rpc(6), Priority.FORWARD)).as("not instead of own").isFalse();
    assertThat(queue.offer(graft("/a"), Priority.CONTROL)).isTrue();
    assertThat(queue.bytes()).isLessThanOrEqualTo(4L * size);
    assertThat(queue.poll()).contains(graft("/a"));
    assertThat(queue.poll()).contains(rpc(11));
  }

  @Test
  void controlIsNotDroppedForControl() {
    OutgoingQueue queue = new OutgoingQueue(2 * graft("/a").size());
    assertThat(queue.offer(graft("/a"), Priority.CONTROL)).isTrue();
    assertThat(queue.offer(graft("/b"), Priority.CONTROL)).isTrue();
    assertThat(queue.offer(graft("/c"), Priority.CONTROL)).isFalse();
    assertThat(queue.poll()).contains(graft("/a"));
  }

  private static MessageQueue.Item item(int bytes) {
    return new MessageQueue.Item(message(1, bytes), PEER);
  }

  @Test
  void messagesWaitWithinANumberAndASize() {
    MessageQueue queue = new MessageQueue(3, 10_000);
    for (int i = 0; i < 3; i++) {
      assertThat(queue.offer(item(10))).isTrue();
    }
    assertThat(queue.offer(item(10))).isFalse();
    MessageQueue large = new MessageQueue(3, 10_000);
    assertThat(large.offer(item(20_000))).as("alone, any size").isTrue();
    assertThat(large.offer(item(10))).isFalse();
  }

  @Test
  void whoeverPutsWaitsForRoomAndWhoeverTakesForAMessage() throws InterruptedException {
    MessageQueue queue = new MessageQueue(1, 10_000);
    AtomicInteger put = new AtomicInteger();
    Thread putter =
        Thread.startVirtualThread(() -> {
          try {
            for (int i = 0; i < 3; i++) {
              queue.put(item(10));
              put.incrementAndGet();
            }
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
    Eventually.await("the putter waits", () -> putter.getState() == Thread.State.WAITING);
    assertThat(put).hasValue(1);
    for (int i = 0; i < 3; i++) {
      assertThat(queue.take()).isPresent();
    }
    putter.join();
    assertThat(put).hasValue(3);
    queue.offer(item(10));
    queue.end();
    assertThat(queue.offer(item(10))).isFalse();
    assertThat(queue.put(item(10))).as("without waiting").isFalse();
    assertThat(queue.take()).as("what waited before the end").isPresent();
    assertThat(queue.take()).isEmpty();
  }

  @Test
  void theCacheIsBoundedInBytesAndDropsTheOldest() {
    MessageCache cache = new MessageCache(5, 3, 10_000);
    for (int i = 0; i < 100; i++) {
      cache.put(message(i, 1000));
      if (i % 3 == 0) {
        cache.shift();
      }
    }
    assertThat(cache.bytes()).isBetween(5_000L, 10_000L);
    assertThat(cache.take(message(99, 1000).id(), PEER, 3)).isNotNull();
    assertThat(cache.take(message(90, 1000).id(), PEER, 3)).isNull();
    for (int i = 0; i < 5; i++) {
      cache.shift();
    }
    assertThat(cache.bytes()).isZero();
  }

  @Test
  void theCacheTellsOfItsNewestWindowsOnlyAndByTopic() {
    MessageCache cache = new MessageCache(5, 3, 1_000_000);
    cache.put(message(1, 10));
    cache.put(message(1, 10));
    cache.put(Messages.message("/other", PEER, 2, "data"));
    assertThat(cache.gossipIds(TOPIC)).containsExactly(message(1, 10).id());
    cache.shift();
    cache.shift();
    assertThat(cache.gossipIds(TOPIC)).hasSize(1);
    cache.shift();
    assertThat(cache.gossipIds(TOPIC)).isEmpty();
    assertThat(cache.take(message(1, 10).id(), PEER, 3)).isNotNull();
  }

  @Test
  void laterVersionsCanDoWhatEarlierOnesCould() {
    assertThat(features("/meshsub/1.0.0")).isEqualTo(new PeerFeatures(true, false, false));
    assertThat(features("/meshsub/1.1.0")).isEqualTo(new PeerFeatures(true, true, false));
    assertThat(features("/meshsub/1.2.0")).isEqualTo(new PeerFeatures(true, true, true));
    assertThat(features("/meshsub/1.3.0")).isEqualTo(features("/meshsub/1.2.0"));
    assertThat(features("/meshsub/1.12.7-beta")).isEqualTo(features("/meshsub/1.2.0"));
    assertThat(features("/meshsub/2.0.0")).isEqualTo(features("/meshsub/1.2.0"));
    assertThat(features("/floodsub/1.0.0")).isEqualTo(PeerFeatures.FLOOD);
    assertThat(features("/meshsub/what.ever")).isEqualTo(PeerFeatures.FLOOD);
    assertThat(features("/meshsub/99999999999999.0.0")).isEqualTo(PeerFeatures.FLOOD);
  }

  private static PeerFeatures features(String protocol) {
    return PeerFeatures.of(new ProtocolId(protocol));
  }

  @Test
  void backoffsAreBoundedPerTopicAndTheLongerOneHolds() {
    Backoffs backoffs = new Backoffs();
    backoffs.add(TOPIC, PEER, 100);
    backoffs.add(TOPIC, PEER, 50);
    assertThat(backoffs.endsAt(TOPIC, PEER)).isEqualTo(100);
    for (int i = 0; i < Backoffs.PER_TOPIC_MAX; i++) {
      backoffs.add(TOPIC, Messages.peer(1000 + i), 200);
    }
    assertThat(backoffs.endsAt(TOPIC, PEER)).as("the eldest is forgotten").isZero();
    backoffs.expire(200);
    assertThat(backoffs.endsAt(TOPIC, Messages.peer(1500))).isZero();
  }

  @Test
  void seenIdsAreBounded() {
    SeenMessages seen = new SeenMessages(1000, 10);
    for (int i = 0; i < 15; i++) {
      seen.add(message(i, 10), PEER, i);
    }
    assertThat(seen.size()).isEqualTo(10);
    assertThat(seen.get(message(4, 10).id())).isNull();
    seen.expire(1007);
    assertThat(seen.size()).isEqualTo(7);
    assertThat(Optional.ofNullable(seen.get(message(14, 10).id()))).isPresent();
  }
}
