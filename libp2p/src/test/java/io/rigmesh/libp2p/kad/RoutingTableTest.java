package io.rigmesh.libp2p.kad;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.kad.RoutingTable.Admission;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class RoutingTableTest {
  private static final PeerId SELF = KadPeers.peer(-1);
  private static final KadKey SELF_KEY = KadKey.of(SELF);
  private static final int K = 4;
  private static final long SILENCE = 600_000;
  private static final IpGroup GROUP = new IpGroup(false, 7);

  private final Random random = new Random(3);
  private final RoutingTable table =
      new RoutingTable(SELF_KEY, K, new RoutingTable.GroupLimits(2, 3), SILENCE);

  @Test
  void aFullBucketNamesTheLongestSilentPeerOnlyAfterAWhile() {
    List<PeerId> peers = fillFarthestBucket();
    PeerId late = inBucket(0);
    assertThat(table.add(late, null, 10)).isEqualTo(new Admission.Full(Optional.empty()));
    table.answered(peers.get(0), 5_000);
    long later = 5_000 + SILENCE;
    assertThat(table.add(late, null, later))
        .isEqualTo(new Admission.Full(Optional.of(peers.get(1))));
    // While that one is checked, the next is named.
    assertThat(table.add(late, null, later))
        .isEqualTo(new Admission.Full(Optional.of(peers.get(2))));
    // Who answers keeps its place.
    table.answered(peers.get(1), later);
    assertThat(table.contains(peers.get(1))).isTrue();
    // Who does not makes room.
    table.remove(peers.get(2));
    assertThat(table.add(late, null, later)).isEqualTo(new Admission.Added());
    assertThat(table.size(0)).isEqualTo(K);
  }

  @Test
  void oneIpGroupGetsAFewPlacesInABucketAndInTheTable() {
    assertThat(table.add(inBucket(0), GROUP, 0)).isEqualTo(new Admission.Added());
    PeerId second = inBucket(0);
    assertThat(table.add(second, GROUP, 0)).isEqualTo(new Admission.Added());
    assertThat(table.add(inBucket(0), GROUP, 0)).isEqualTo(new Admission.Crowded());
    assertThat(table.add(inBucket(1), GROUP, 0)).isEqualTo(new Admission.Added());
    assertThat(table.add(inBucket(2), GROUP, 0)).isEqualTo(new Admission.Crowded());
    assertThat(table.add(inBucket(2), new IpGroup(true, 7), 0)).isEqualTo(new Admission.Added());
    // A place that is left is free again.
    table.remove(second);
    assertThat(table.add(inBucket(2), GROUP, 0)).isEqualTo(new Admission.Added());
  }

  @Test
  void silentPeersAreHandedOutOnceForACheck() {
    List<PeerId> peers = fillFarthestBucket();
    table.answered(peers.get(3), 1_000);
    assertThat(table.takeSilentSince(500, 2)).containsExactly(peers.get(0), peers.get(1));
    assertThat(table.takeSilentSince(500, 9)).containsExactly(peers.get(2));
    assertThat(table.takeSilentSince(500, 9)).isEmpty();
    assertThat(table.failed(peers.get(0))).isEqualTo(1);
    assertThat(table.takeSilentSince(500, 9)).containsExactly(peers.get(0));
    assertThat(table.failed(peers.get(0))).isEqualTo(2);
    table.answered(peers.get(0), 2_000);
    assertThat(table.failed(peers.get(0))).isEqualTo(1);
    assertThat(table.failed(KadPeers.peer(99))).isZero();
  }

  @Test
  void aNodeIsNotInItsOwnTable() {
    assertThatThrownBy(() -> table.add(SELF, null, 0)).isInstanceOf(IllegalArgumentException.class);
  }

  @Property(tries = 200)
  void bucketsAndGroupsStayWithinTheirLimitsAndTheClosestAreTheClosest(@ForAll long seed) {
    Random choices = new Random(seed);
    RoutingTable any = new RoutingTable(SELF_KEY, K, new RoutingTable.GroupLimits(2, 3), SILENCE);
    Map<PeerId, IpGroup> groups = new HashMap<>();
    for (int i = 0; i < 150; i++) {
      PeerId peer = KadPeers.peer(choices.nextInt(60));
      IpGroup group = choices.nextBoolean() ? null : new IpGroup(false, choices.nextInt(4));
      switch (choices.nextInt(4)) {
        case 0 -> any.remove(peer);
        case 1 -> any.failed(peer);
        default -> {
          boolean known = any.contains(peer);
          if (any.add(peer, group, i * 100_000L) instanceof Admission.Added) {
            assertThat(known).isFalse();
            groups.put(peer, group);
          }
        }
      }
    }
    List<PeerId> all = any.peers();
    assertThat(all).doesNotHaveDuplicates().hasSize(any.size());
    Map<Integer, Integer> buckets = new HashMap<>();
    Map<IpGroup, Integer> perGroup = new HashMap<>();
    for (PeerId peer : all) {
      buckets.merge(SELF_KEY.commonPrefix(KadKey.of(peer)), 1, Integer::sum);
      if (groups.get(peer) != null) {
        perGroup.merge(groups.get(peer), 1, Integer::sum);
      }
    }
    assertThat(buckets.values()).allMatch(size -> size <= K);
    assertThat(perGroup.values()).allMatch(size -> size <= 3);

    KadKey target = KadKey.of(KadPeers.peer(choices.nextLong()));
    List<PeerId> sorted = new ArrayList<>(all);
    sorted.sort((left, right) -> target.compareDistance(KadKey.of(left), KadKey.of(right)));
    int count = choices.nextInt(30);
    assertThat(any.closest(target, count))
        .isEqualTo(sorted.subList(0, Math.min(count, sorted.size())));
    assertThat(any.closest(SELF_KEY, 100)).hasSize(all.size());
  }

  private List<PeerId> fillFarthestBucket() {
    List<PeerId> peers = new ArrayList<>();
    for (int i = 0; i < K; i++) {
      peers.add(inBucket(0));
      assertThat(table.add(peers.get(i), null, i)).isEqualTo(new Admission.Added());
    }
    return peers;
  }

  private PeerId inBucket(int prefix) {
    while (true) {
      PeerId peer = KadPeers.peer(random.nextLong());
      if (SELF_KEY.commonPrefix(KadKey.of(peer)) == prefix) {
        return peer;
      }
    }
  }
}
