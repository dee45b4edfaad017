package io.rigmesh.libp2p.kad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class LookupTest {
  private static final PeerId SELF = KadPeers.peer(-1);
  private static final KadKey TARGET = KadKey.of(new byte[] {1, 2, 3});
  private static final Lookup.Shape SHAPE = new Lookup.Shape(4, 3, 4, 3, 400);

  @Test
  void itAsksTheNearestFirstAndNeverMoreThanAlphaAtOnce() {
    List<PeerAddress> peers = sorted(10);
    Lookup lookup = new Lookup(SELF, TARGET, SHAPE, peers);
    assertThat(lookup.next()).containsExactlyElementsOf(peers.subList(0, 3));
    assertThat(lookup.next()).isEmpty();
    assertThat(lookup.finished()).isFalse();
    answer(lookup, peers.get(1));
    assertThat(lookup.next()).containsExactly(peers.get(3));
    // A failure lets the fifth among the nearest four.
    lookup.failed(peers.get(0).peer());
    assertThat(lookup.next()).containsExactly(peers.get(4));
    answer(lookup, peers.get(2));
    answer(lookup, peers.get(3));
    assertThat(lookup.finished()).isFalse();
    answer(lookup, peers.get(4));
    assertThat(lookup.finished()).isTrue();
    assertThat(lookup.next()).isEmpty();
    assertThat(lookup.closest()).containsExactlyElementsOf(peers.subList(1, 5));
    assertThat(lookup.asked()).isEqualTo(5);
  }

  @Test
  void itEndsWhenNobodyIsLeft() {
    Lookup nobody = new Lookup(SELF, TARGET, SHAPE, List.of());
    assertThat(nobody.finished()).isTrue();
    assertThat(nobody.closest()).isEmpty();
    List<PeerAddress> two = sorted(2);
    Lookup lookup = new Lookup(SELF, TARGET, SHAPE, two);
    lookup.next().forEach(peer -> lookup.failed(peer.peer()));
    assertThat(lookup.finished()).isTrue();
    assertThat(lookup.closest()).isEmpty();
  }

  @Test
  void itAsksEachOnceAndNeverItself() {
    List<PeerAddress> peers = sorted(2);
    Lookup lookup = new Lookup(SELF, TARGET, SHAPE, peers);
    lookup.next();
    lookup.answered(
        peers.get(0).peer(),
        null,
        List.of(KadPeers.at(SELF, "/ip4/1.2.3.4/tcp/1"), peers.get(0), peers.get(1)),
        UnaryOperator.identity());
    assertThat(lookup.next()).isEmpty();
    assertThatThrownBy(() -> answer(lookup, peers.get(0)))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> lookup.failed(KadPeers.peer(77)))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void oneAnswerNamesNoMoreThanKPeersAndNoneWithoutAddress() {
    List<PeerAddress> peers = sorted(10);
    Lookup lookup = new Lookup(SELF, TARGET, SHAPE, List.of(peers.get(9)));
    lookup.next();
    List<PeerAddress> named = new ArrayList<>(peers.subList(0, 9));
    named.set(0, KadPeers.at(peers.get(0).peer()));
    lookup.answered(peers.get(9).peer(), null, named, UnaryOperator.identity());
    assertThat(lookup.next()).containsExactlyElementsOf(peers.subList(1, 4));
    lookup.failed(peers.get(1).peer());
    assertThat(lookup.next()).isEmpty();
    assertThat(lookup.hops(peers.get(2).peer())).isEqualTo(1);
    assertThat(lookup.hops(peers.get(9).peer())).isZero();
  }

  @Test
  void itGivesUpAfterTooManyQuestions() {
    List<PeerAddress> peers = sorted(9);
    Lookup lookup = new Lookup(SELF, TARGET, new Lookup.Shape(4, 3, 4, 3, 2), peers);
    assertThat(lookup.next()).hasSize(2);
    lookup.failed(peers.get(0).peer());
    assertThat(lookup.finished()).isFalse();
    lookup.failed(peers.get(1).peer());
    assertThat(lookup.finished()).isTrue();
  }

  @Test
  void stoppedItIsFinished() {
    Lookup lookup = new Lookup(SELF, TARGET, SHAPE, sorted(9));
    lookup.next();
    lookup.stop();
    assertThat(lookup.finished()).isTrue();
    assertThat(lookup.next()).isEmpty();
  }

  /// A gang of one network that stands nearer than everybody takes the whole result of a lookup
  /// that does not look at networks, and three places of one that does.
  @Test
  void aCrowdTakesFewRegularPlaces() {
    assertThat(gangIn(3)).isEqualTo(3);
    assertThat(gangIn(Integer.MAX_VALUE)).isEqualTo(20);
  }

  private static long gangIn(int groupMax) {
    Random random = new Random(5);
    World world = new World();
    for (int i = 0; i < 200; i++) {
      world.add(KadPeers.peer(random.nextLong()), "/ip4/" + (11 + i) + ".1.1.1/tcp/1");
    }
    Set<PeerId> gang = new HashSet<>();
    for (int i = 0; i < 100; i++) {
      PeerId member = KadPeers.peerNear(TARGET, 10, random);
      gang.add(member);
      world.add(member, "/ip4/9.9.1." + i + "/tcp/1");
    }
    Lookup lookup =
        new Lookup(
            SELF, TARGET, new Lookup.Shape(20, 10, 20, groupMax, 400), world.peers.subList(0, 20));
    while (!lookup.finished()) {
      for (PeerAddress peer : lookup.next()) {
        Multiaddr from = peer.addresses().getFirst();
        // An honest peer names the nearest of all, the gang only itself.
        List<PeerAddress> named = world.nearest(gang.contains(peer.peer()) ? gang : Set.of());
        lookup.answered(
            peer.peer(), IpGroup.of(from).orElse(null), named, UnaryOperator.identity());
      }
    }
    List<PeerAddress> result = lookup.closest();
    assertThat(result).hasSize(20);
    return result.stream().filter(peer -> gang.contains(peer.peer())).count();
  }

  /// A crowd names an honest peer first, which taints it; an honest one naming it lifts that.
  @Test
  void aCrowdCannotTaintThoseItNames() {
    List<PeerAddress> peers = sorted(6);
    IpGroup crowded = new IpGroup(false, 1);
    Lookup lookup = new Lookup(SELF, TARGET, new Lookup.Shape(4, 9, 4, 1, 99), peers.subList(3, 6));
    lookup.next();
    assertThat(named(lookup, peers.get(3), crowded, List.of())).isTrue();
    assertThat(named(lookup, peers.get(4), crowded, List.of(peers.get(0)))).isFalse();
    assertThat(lookup.next()).containsExactly(peers.get(0));
    assertThat(named(lookup, peers.get(0), null, List.of(peers.get(1)))).isFalse();
    assertThat(lookup.next()).containsExactly(peers.get(1));
    assertThat(named(lookup, peers.get(5), null, List.of(peers.get(0)))).isTrue();
    // Whom it named is vouched for as well.
    assertThat(named(lookup, peers.get(1), null, List.of())).isTrue();
    assertThat(lookup.closest())
        .containsExactly(peers.get(0), peers.get(1), peers.get(3), peers.get(5));
  }

  @Property(tries = 200)
  void whateverHappensItEndsWithTheNearestThatAnswered(@ForAll long seed) {
    Random random = new Random(seed);
    World world = new World();
    Set<PeerId> dead = new HashSet<>();
    for (int i = 0; i < 60; i++) {
      PeerId peer = KadPeers.peer(random.nextLong());
      world.add(peer, "/ip4/" + (11 + i) + ".1.1.1/tcp/1");
      if (random.nextInt(4) == 0) {
        dead.add(peer);
      }
    }
    Lookup lookup = new Lookup(SELF, TARGET, SHAPE, world.peers.subList(0, 5));
    List<PeerAddress> waiting = new ArrayList<>();
    Set<PeerId> answered = new HashSet<>();
    int asked = 0;
    while (true) {
      List<PeerAddress> next = lookup.next();
      asked += next.size();
      waiting.addAll(next);
      assertThat(waiting).hasSizeLessThanOrEqualTo(3).doesNotHaveDuplicates();
      if (lookup.finished()) {
        break;
      }
      // Not finished, it always waits for somebody.
      PeerAddress peer = waiting.remove(random.nextInt(waiting.size()));
      if (dead.contains(peer.peer())) {
        lookup.failed(peer.peer());
      } else {
        answered.add(peer.peer());
        lookup.answered(
            peer.peer(),
            IpGroup.of(peer.addresses().getFirst()).orElse(null),
            world.nearest(Set.of()),
            UnaryOperator.identity());
      }
    }
    assertThat(lookup.asked()).isEqualTo(asked);
    List<PeerId> expected =
        world.peers.stream()
            .map(PeerAddress::peer)
            .filter(answered::contains)
            .sorted((left, right) -> TARGET.compareDistance(KadKey.of(left), KadKey.of(right)))
            .limit(4)
            .toList();
    assertThat(lookup.closest()).extracting(PeerAddress::peer).isEqualTo(expected);
  }

  private static boolean named(
      Lookup lookup, PeerAddress from, IpGroup group, List<PeerAddress> named) {
    return lookup.answered(from.peer(), group, named, UnaryOperator.identity());
  }

  private static void answer(Lookup lookup, PeerAddress peer) {
    lookup.answered(peer.peer(), null, List.of(), UnaryOperator.identity());
  }

  /// Peers by their distance from the target.
  private static List<PeerAddress> sorted(int count) {
    World world = new World();
    for (int i = 0; i < count; i++) {
      world.add(KadPeers.peer(i), "/ip4/" + (11 + i) + ".1.1.1/tcp/1");
    }
    return world.sorted();
  }

  private static final class World {
    final List<PeerAddress> peers = new ArrayList<>();
    private final Map<PeerId, KadKey> keys = new HashMap<>();

    void add(PeerId peer, String address) {
      peers.add(KadPeers.at(peer, address));
      keys.put(peer, KadKey.of(peer));
    }

    List<PeerAddress> sorted() {
      List<PeerAddress> all = new ArrayList<>(peers);
      all.sort(
          (left, right) -> TARGET.compareDistance(keys.get(left.peer()), keys.get(right.peer())));
      return all;
    }

    /// The nearest of some, or of all when none are given.
    List<PeerAddress> nearest(Set<PeerId> among) {
      return sorted().stream()
          .filter(peer -> among.isEmpty() || among.contains(peer.peer()))
          .limit(20)
          .toList();
    }
  }
}
