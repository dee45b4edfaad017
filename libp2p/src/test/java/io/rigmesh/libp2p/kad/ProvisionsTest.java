package io.rigmesh.libp2p.kad;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.rigmesh.libp2p.PeerAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Announcing over days, in a small simulated network.
class ProvisionsTest {
  private static final long HOUR = Duration.ofHours(1).toMillis();

  private final KadSimulation world = new KadSimulation(13);

  @Test
  void recordsAreToldAgainBeforeTheyExpireAndDieWithTheirProvider() {
    // Days pass here.
    world.bootstrapInterval = Duration.ofHours(3);
    world.join(40, 60);
    ByteString key = world.randomMultihash();
    KadSimulation.Peer provider = world.anyone();
    List<Integer> told = new ArrayList<>();
    provider.node.provide(key, told::add);
    world.run(60_000);
    assertThat(told).singleElement().satisfies(nodes -> assertThat(nodes).isGreaterThan(15));
    world.run(60 * HOUR);
    assertThat(find(key)).containsExactly(provider.peerAddress());
    provider.alive = false;
    world.run(24 * HOUR);
    assertThat(find(key)).hasSize(1);
    world.run(26 * HOUR);
    assertThat(find(key)).isEmpty();
    assertThat(world.inOrder.stream().filter(peer -> peer.alive))
        .allMatch(peer -> peer.node.records().size() == 0);
  }

  @Test
  void withdrawnItIsToldNoMore() {
    // Days pass here.
    world.bootstrapInterval = Duration.ofHours(3);
    world.join(40, 60);
    ByteString key = world.randomMultihash();
    KadSimulation.Peer provider = world.anyone();
    provider.node.provide(key, told -> {});
    world.run(60_000);
    provider.node.unprovide(key);
    world.run(49 * HOUR);
    assertThat(find(key)).isEmpty();
  }

  @Test
  void whatNobodyCouldBeToldIsToldOnceSomebodyIsThere() {
    // The bootstrap peer starts a minute after the provider.
    KadSimulation.Peer first = world.joinOne();
    first.alive = false;
    KadSimulation.Peer provider = world.joinOne();
    provider.node.start();
    ByteString key = world.randomMultihash();
    List<Integer> told = new ArrayList<>();
    provider.node.provide(key, told::add);
    world.run(60_000);
    assertThat(told).containsExactly(0);
    assertThat(provider.node.table().size()).isZero();
    first.alive = true;
    first.node.start();
    world.run(120_000);
    assertThat(provider.node.table().size()).isEqualTo(1);
    assertThat(first.node.records().size()).isEqualTo(1);
  }

  private List<PeerAddress> find(ByteString key) {
    List<PeerAddress> found = new ArrayList<>();
    world
        .inOrder
        .get(1)
        .node
        .findProviders(key, 5, provider -> {}, result -> found.addAll(result.providers()));
    world.run(60_000);
    return found;
  }
}
