package io.rigmesh.libp2p.kad;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.identity.PeerId;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class ProviderRecordsTest {
  private static final KadKey SELF = KadKey.of(KadPeers.peer(-1));
  private static final KadKey KEY = KadKey.of(new byte[] {1});
  private static final long DAY = 86_400_000;
  private static final IpGroup GROUP = new IpGroup(false, 1);

  private final ProviderRecords records = records(new ProviderRecords.Limits(100, 4, 50));

  @Test
  void aRecordLivesTwoDaysAndItsAddressesOne() {
    PeerAddress provider = KadPeers.at(KadPeers.peer(1), "/ip4/9.9.9.9/tcp/1");
    assertThat(records.add(KEY, provider, null, 0)).isTrue();
    assertThat(records.providers(KEY, 9, DAY - 1)).containsExactly(provider);
    assertThat(records.providers(KEY, 9, DAY)).containsExactly(KadPeers.at(provider.peer()));
    assertThat(records.providers(KEY, 9, 2 * DAY - 1)).hasSize(1);
    assertThat(records.providers(KEY, 9, 2 * DAY)).isEmpty();
    assertThat(records.size()).isEqualTo(1);
    records.expire(2 * DAY);
    assertThat(records.size()).isZero();
  }

  @Test
  void tellingAgainRenewsItWithTheNewAddresses() {
    PeerId peer = KadPeers.peer(1);
    records.add(KEY, KadPeers.at(peer, "/ip4/9.9.9.9/tcp/1"), null, 0);
    PeerAddress moved = KadPeers.at(peer, "/ip4/9.9.9.9/tcp/2");
    records.add(KEY, moved, null, DAY);
    assertThat(records.size()).isEqualTo(1);
    assertThat(records.providers(KEY, 9, 2 * DAY)).containsExactly(KadPeers.at(peer));
    assertThat(records.providers(KEY, 9, 2 * DAY - 1)).containsExactly(moved);
    records.expire(2 * DAY);
    assertThat(records.size()).isEqualTo(1);
  }

  @Test
  void whenAKeyIsFullTheMostCrowdedGroupMakesRoom() {
    PeerId alone = KadPeers.peer(0);
    records.add(KEY, KadPeers.at(alone), new IpGroup(false, 2), 0);
    for (int i = 1; i < 20; i++) {
      assertThat(records.add(KEY, KadPeers.at(KadPeers.peer(i)), GROUP, i)).isTrue();
    }
    assertThat(records.providers(KEY, 9, 20))
        .extracting(PeerAddress::peer)
        .containsExactlyInAnyOrder(alone, KadPeers.peer(17), KadPeers.peer(18), KadPeers.peer(19));
  }

  @Test
  void anAnswerTakesFromEachGroupInTurn() {
    PeerId alone = KadPeers.peer(0);
    records.add(KEY, KadPeers.at(alone), new IpGroup(false, 2), 0);
    for (int i = 1; i < 4; i++) {
      records.add(KEY, KadPeers.at(KadPeers.peer(i)), GROUP, i);
    }
    assertThat(records.providers(KEY, 2, 5))
        .extracting(PeerAddress::peer)
        .containsExactly(KadPeers.peer(3), alone);
  }

  @Test
  void aProviderHasOnlySoManyKeys() {
    ProviderRecords few = records(new ProviderRecords.Limits(100, 4, 2));
    PeerAddress eager = KadPeers.at(KadPeers.peer(1));
    assertThat(few.add(KadKey.of(new byte[] {1}), eager, null, 0)).isTrue();
    assertThat(few.add(KadKey.of(new byte[] {2}), eager, null, 0)).isTrue();
    assertThat(few.add(KadKey.of(new byte[] {3}), eager, null, 0)).isFalse();
    assertThat(few.add(KadKey.of(new byte[] {1}), eager, null, 1)).isTrue();
    assertThat(few.add(KadKey.of(new byte[] {3}), KadPeers.at(KadPeers.peer(2)), null, 0)).isTrue();
    few.expire(2 * DAY);
    assertThat(few.add(KadKey.of(new byte[] {3}), eager, null, 2 * DAY)).isTrue();
  }

  @Property(tries = 100)
  void aFullStoreKeepsTheNearestKeys(@ForAll long seed) {
    Random random = new Random(seed);
    ProviderRecords small = records(new ProviderRecords.Limits(10, 4, 50));
    List<KadKey> keys = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      KadKey key = KadKey.of(KadPeers.peer(random.nextLong()));
      keys.add(key);
      small.add(key, KadPeers.at(KadPeers.peer(i)), null, i);
      assertThat(small.size()).isEqualTo(Math.min(10, i + 1));
    }
    keys.sort(SELF::compareDistance);
    for (int i = 0; i < keys.size(); i++) {
      assertThat(small.providers(keys.get(i), 9, 50)).hasSize(i < 10 ? 1 : 0);
    }
    small.expire(3 * DAY);
    assertThat(small.size()).isZero();
  }

  @Test
  void whoAsksMoreThanItsRateIsMadeToWaitAlone() {
    RateLimit limit = new RateLimit(10, 3);
    PeerId eager = KadPeers.peer(1);
    for (int i = 0; i < 3; i++) {
      assertThat(limit.take(eager, 1_000)).isZero();
    }
    assertThat(limit.take(eager, 1_000)).isEqualTo(100);
    assertThat(limit.take(eager, 1_000)).isEqualTo(200);
    assertThat(limit.take(KadPeers.peer(2), 1_000)).isZero();
    assertThat(limit.take(eager, 1_300)).isZero();
    assertThat(limit.take(eager, 60_000)).isZero();
  }

  private static ProviderRecords records(ProviderRecords.Limits limits) {
    return new ProviderRecords(SELF, limits, 2 * DAY, DAY);
  }
}
