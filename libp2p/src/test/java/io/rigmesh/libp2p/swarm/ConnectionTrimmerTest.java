package io.rigmesh.libp2p.swarm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.KnownConnection;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class ConnectionTrimmerTest {
  private static final Instant NOW = Instant.ofEpochSecond(10_000);
  private static final Instant OLD = NOW.minusSeconds(1000);

  private final ConnectionTrimmer manager =
      new ConnectionTrimmer(new ConnectionLimits(2, 4, Duration.ofSeconds(20)));

  private static PeerId peer(int number) {
    byte[] seed = ByteBuffer.allocate(32).putInt(number).array();
    return PeerId.of(Ed25519PrivateKey.ofSeed(seed).publicKey());
  }

  @Test
  void nothingIsTrimmedUpToTheHighWaterMark() {
    List<Connection> open = idle(4, OLD);
    assertThat(manager.trim(open, NOW)).isEmpty();
  }

  @Test
  void aboveTheHighWaterMarkTheLeastValuedGoUntilTheLowWaterMark() {
    List<Connection> open = idle(5, OLD);
    for (int i = 0; i < 5; i++) {
      manager.tag(peer(i), "gossip", 10 * (i + 1));
    }
    manager.tag(peer(0), "kad", 100);
    assertThat(manager.trim(open, NOW)).containsExactly(open.get(1), open.get(2), open.get(3));
  }

  @Test
  void newConnectionsAreLeftAlone() {
    List<Connection> open = idle(5, NOW.minusSeconds(19));
    assertThat(manager.trim(open, NOW)).isEmpty();
    assertThat(manager.trim(open, NOW.plusSeconds(1))).hasSize(3);
  }

  @Test
  void protectedPeersStayUntilTheLastTagIsLifted() {
    List<Connection> open = idle(5, OLD);
    open.forEach(connection -> manager.protect(connection.peer(), "relay"));
    manager.protect(peer(0), "mesh");
    assertThat(manager.trim(open, NOW)).isEmpty();
    assertThat(manager.unprotect(peer(0), "relay")).isTrue();
    assertThat(manager.trim(open, NOW)).isEmpty();
    assertThat(manager.unprotect(peer(0), "mesh")).isFalse();
    assertThat(manager.unprotect(peer(0), "mesh")).isFalse();
    assertThat(manager.trim(open, NOW)).containsExactly(open.get(0));
  }

  @Test
  void amongEqualsRelayedThenIdleThenInboundThenYoungGoFirst() {
    Connection relayed = new KnownConnection(peer(1), Direction.OUTBOUND, OLD, true, 1);
    Connection idle = new KnownConnection(peer(2), Direction.OUTBOUND, OLD, false, 0);
    Connection inboundYoung =
        new KnownConnection(peer(3), Direction.INBOUND, NOW.minusSeconds(30), false, 1);
    Connection inboundOld = new KnownConnection(peer(4), Direction.INBOUND, OLD, false, 1);
    Connection outbound = new KnownConnection(peer(5), Direction.OUTBOUND, OLD, false, 1);
    ConnectionTrimmer none = new ConnectionTrimmer(new ConnectionLimits(0, 0, Duration.ZERO));
    assertThat(none.trim(List.of(outbound, inboundOld, inboundYoung, idle, relayed), NOW))
        .containsExactly(relayed, idle, inboundYoung, inboundOld, outbound);
  }

  @Test
  void aTagOfZeroIsNoTag() {
    manager.tag(peer(1), "a", 5);
    manager.tag(peer(1), "a", 0);
    manager.tag(peer(2), "a", 0);
    assertThat(manager.value(peer(1))).isZero();
    assertThat(manager.taggedPeers()).isZero();
  }

  @Test
  void valuesOfEndlessPeersAreForgotten() {
    for (int i = 0; i < 100 + ConnectionTrimmer.TAGGED_PEERS_MAX; i++) {
      byte[] hash = ByteBuffer.allocate(34).put((byte) 0x12).put((byte) 32).putInt(i).array();
      manager.tag(PeerId.of(hash), "seen", 1);
    }
    assertThat(manager.taggedPeers()).isEqualTo(ConnectionTrimmer.TAGGED_PEERS_MAX);
  }

  @Test
  void marksThatCrossAreRefused() {
    assertThatThrownBy(() -> new ConnectionLimits(5, 4, Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Property(tries = 300)
  void trimmingKeepsProtectedAndYoungAndNeverGoesBelowTheLowWaterMark(
      @ForAll @Size(max = 30) List<@IntRange(max = 11) Integer> peers,
      @ForAll @Size(30) List<@IntRange(max = 40) Integer> agesSeconds,
      @ForAll @Size(max = 4) List<@IntRange(max = 11) Integer> protects,
      @ForAll @Size(12) List<@IntRange(min = -5, max = 5) Integer> values) {
    ConnectionTrimmer trimming =
        new ConnectionTrimmer(new ConnectionLimits(5, 10, Duration.ofSeconds(20)));
    List<Connection> open = new ArrayList<>();
    for (int i = 0; i < peers.size(); i++) {
      open.add(
          new KnownConnection(
              peer(peers.get(i)),
              Direction.INBOUND,
              NOW.minusSeconds(agesSeconds.get(i)),
              false,
              0));
    }
    protects.forEach(number -> trimming.protect(peer(number), "p"));
    for (int i = 0; i < 12; i++) {
      trimming.tag(peer(i), "v", values.get(i));
    }
    List<Connection> closed = trimming.trim(open, NOW);
    long free =
        open.stream()
            .filter(c -> !trimming.isProtected(c.peer()))
            .filter(c -> !c.openedAt().isAfter(NOW.minusSeconds(20)))
            .count();
    long due = open.size() <= 10 ? 0 : Math.min(free, open.size() - 5);
    assertThat(closed).hasSize((int) due).doesNotHaveDuplicates();
    assertThat(closed).noneMatch(c -> trimming.isProtected(c.peer()));
    assertThat(closed).noneMatch(c -> c.openedAt().isAfter(NOW.minusSeconds(20)));
    long worstKept =
        open.stream()
            .filter(c -> !closed.contains(c))
            .filter(c -> !trimming.isProtected(c.peer()))
            .filter(c -> !c.openedAt().isAfter(NOW.minusSeconds(20)))
            .mapToLong(c -> trimming.value(c.peer()))
            .min()
            .orElse(Long.MAX_VALUE);
    assertThat(closed).allMatch(c -> trimming.value(c.peer()) <= worstKept);
  }

  private static List<Connection> idle(int count, Instant openedAt) {
    List<Connection> open = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      open.add(new KnownConnection(peer(i), Direction.INBOUND, openedAt, false, 0));
    }
    return open;
  }
}
