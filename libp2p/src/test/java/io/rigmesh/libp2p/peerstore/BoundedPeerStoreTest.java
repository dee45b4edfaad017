package io.rigmesh.libp2p.peerstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.KnownConnection;
import io.rigmesh.libp2p.PeerMisbehaviourException;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.identity.PeerRecord;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BoundedPeerStoreTest {
  private static final Duration HOUR = Duration.ofHours(1);
  private static final Multiaddr A = Multiaddr.of("/ip4/1.2.3.4/tcp/1");
  private static final Multiaddr B = Multiaddr.of("/ip4/1.2.3.4/udp/2/quic-v1");
  private static final ProtocolId PING = new ProtocolId("/ipfs/ping/1.0.0");

  private final AtomicReference<Instant> now =
      new AtomicReference<>(Instant.ofEpochSecond(1_000_000));
  private final BoundedPeerStore store =
      BoundedPeerStore.inMemory(PeerStoreLimits.defaults(), now::get);

  @TempDir Path folder;

  private static Ed25519PrivateKey key(int number) {
    return Ed25519PrivateKey.ofSeed(ByteBuffer.allocate(32).putInt(number).array());
  }

  private static PeerId peer(int number) {
    return PeerId.of(
        ByteBuffer.allocate(34).put((byte) 0x12).put((byte) 32).putInt(number).array());
  }

  private BoundedPeerStore opened(Path file) {
    return BoundedPeerStore.open(
        file, PeerStoreLimits.defaults().withSaveEvery(Duration.ofHours(1)), now::get);
  }

  private void pass(Duration time) {
    now.set(now.get().plus(time));
  }

  @Test
  void addressesExpireAndTheLaterExpiryCounts() {
    store.addAddresses(peer(1), List.of(A, B), HOUR);
    store.addAddresses(peer(1), List.of(A), HOUR.multipliedBy(3));
    store.addAddresses(peer(1), List.of(A), Duration.ofMinutes(1));
    assertThat(store.addresses(peer(1))).containsExactly(A, B);
    pass(HOUR);
    assertThat(store.addresses(peer(1))).containsExactly(A);
    assertThat(store.peers()).containsExactly(peer(1));
    pass(HOUR.multipliedBy(2));
    assertThat(store.addresses(peer(1))).isEmpty();
    assertThat(store.peers()).isEmpty();
  }

  @Test
  void aPeersOwnIdIsTakenOffItsAddressesAndAnothersAddressIsNotTaken() {
    store.addAddresses(peer(1), List.of(A.withPeerId(peer(1)), B.withPeerId(peer(2))), HOUR);
    assertThat(store.addresses(peer(1))).containsExactly(A);
  }

  @Test
  void addressesOfASignedRecordComeFirstAndANewerRecordReplacesThem() {
    PeerId signer = PeerId.of(key(1).publicKey());
    store.addAddresses(signer, List.of(A), HOUR.multipliedBy(9));
    assertThat(store.addSignedRecord(new PeerRecord(signer, 5, List.of(B)).seal(key(1)), HOUR))
        .isTrue();
    assertThat(store.addresses(signer)).containsExactly(B, A);
    assertThat(store.addSignedRecord(new PeerRecord(signer, 4, List.of()).seal(key(1)), HOUR))
        .isFalse();
    assertThat(store.addresses(signer)).containsExactly(B, A);
    Multiaddr moved = Multiaddr.of("/ip4/5.6.7.8/tcp/1");
    assertThat(store.addSignedRecord(new PeerRecord(signer, 6, List.of(moved)).seal(key(1)), HOUR))
        .isTrue();
    assertThat(store.addresses(signer)).containsExactly(moved, A);
    assertThat(PeerRecord.of(store.signedRecord(signer).orElseThrow()).sequence()).isEqualTo(6);
  }

  @Test
  void aRecordSignedByAnotherIsRefusedAndNothingIsRemembered() {
    PeerId victim = PeerId.of(key(1).publicKey());
    assertThatThrownBy(
            () -> store.addSignedRecord(new PeerRecord(victim, 5, List.of(B)).seal(key(2)), HOUR))
        .isInstanceOf(PeerMisbehaviourException.class);
    assertThat(store.size()).isZero();
  }

  @Test
  void uselessAddressesOfARecordAreNotDialledButTheRecordIsKept() {
    PeerId signer = PeerId.of(key(1).publicKey());
    store.addSignedRecord(new PeerRecord(signer, 5, List.of(A, B)).seal(key(1)), A::equals, HOUR);
    assertThat(store.addresses(signer)).containsExactly(A);
    assertThat(PeerRecord.of(store.signedRecord(signer).orElseThrow()).addresses())
        .containsExactly(A, B);
  }

  @Test
  void aPeersAddressesProtocolsAndAgentAreBounded() {
    List<Multiaddr> many = new ArrayList<>();
    List<ProtocolId> protocols = new ArrayList<>();
    for (int i = 1; i <= 1000; i++) {
      many.add(Multiaddr.of("/ip4/1.2.3.4/tcp/" + i));
      protocols.add(new ProtocolId("/p/" + i));
    }
    store.addAddresses(peer(1), List.of(A), HOUR.multipliedBy(2));
    store.addAddresses(peer(1), many, HOUR);
    store.setProtocols(peer(1), protocols);
    store.setAgent(peer(1), "a".repeat(10_000));
    assertThat(store.addresses(peer(1))).hasSize(32).contains(A);
    assertThat(store.protocols(peer(1))).hasSize(256);
    assertThat(store.agent(peer(1)).orElseThrow()).hasSize(256);
  }

  @Test
  void aFullStoreDropsPeersWithoutALiveAddressThenTheOldest() {
    BoundedPeerStore small =
        BoundedPeerStore.inMemory(PeerStoreLimits.defaults().withPeersMax(3), now::get);
    small.addAddresses(peer(1), List.of(A), HOUR.multipliedBy(5));
    pass(Duration.ofSeconds(1));
    small.addAddresses(peer(2), List.of(A), HOUR.multipliedBy(5));
    small.setProtocols(peer(3), List.of(PING));
    small.addAddresses(peer(4), List.of(A), HOUR);
    assertThat(small.peers()).containsExactlyInAnyOrder(peer(1), peer(2), peer(4));
    small.addAddresses(peer(5), List.of(A), HOUR);
    assertThat(small.peers()).containsExactlyInAnyOrder(peer(2), peer(4), peer(5));
  }

  @Test
  void aFloodOfLargeEntriesStaysWithinTheMemory() {
    BoundedPeerStore small =
        BoundedPeerStore.inMemory(PeerStoreLimits.defaults().withBytesMax(100_000), now::get);
    List<ProtocolId> long1 =
        java.util.stream.IntStream.range(0, 20)
            .mapToObj(i -> new ProtocolId("/" + i + "x".repeat(900)))
            .toList();
    for (int i = 0; i < 100; i++) {
      small.addAddresses(peer(i), List.of(A), HOUR);
      small.setProtocols(peer(i), long1);
      assertThat(small.bytes()).isLessThanOrEqualTo(100_000);
    }
    assertThat(small.size()).isBetween(2, 10);
    assertThat(small.protocols(peer(99))).hasSize(20);
  }

  private KnownConnection connection(int number, Direction direction) {
    return new KnownConnection(peer(number), direction, now.get(), false, 0);
  }

  @Test
  void connectedPeersStayAndTheirAddressesAreRememberedForADayAfterwards() {
    BoundedPeerStore small =
        BoundedPeerStore.inMemory(PeerStoreLimits.defaults().withPeersMax(3), now::get);
    KnownConnection first = connection(1, Direction.INBOUND);
    KnownConnection second = connection(1, Direction.INBOUND);
    small.connected(first);
    small.connected(second);
    small.addAddresses(peer(1), List.of(A), Duration.ofSeconds(1));
    pass(HOUR);
    for (int i = 2; i < 50; i++) {
      small.addAddresses(peer(i), List.of(A), HOUR);
    }
    assertThat(small.addresses(peer(1))).containsExactly(A);
    small.disconnected(first, "test");
    assertThat(small.addresses(peer(1))).containsExactly(A);
    pass(HOUR);
    small.disconnected(second, "test");
    pass(Duration.ofHours(23));
    assertThat(small.addresses(peer(1))).containsExactly(A);
    pass(HOUR);
    assertThat(small.addresses(peer(1))).isEmpty();
  }

  @Test
  void theAddressOfASuccessfulDialIsRememberedAndThatOfAnInboundConnectionIsNot() {
    store.connected(connection(1, Direction.OUTBOUND));
    store.connected(connection(2, Direction.INBOUND));
    assertThat(store.addresses(peer(1))).containsExactly(Multiaddr.of("/ip4/9.8.7.6/tcp/4001"));
    assertThat(store.addresses(peer(2))).isEmpty();
    assertThat(store.peers()).containsExactlyInAnyOrder(peer(1), peer(2));
  }

  @Test
  void peersThatAreConnectedWhenTheHostStopsAreRememberedOverTheRestart() {
    Path file = folder.resolve("peers");
    BoundedPeerStore first = opened(file);
    first.connected(connection(1, Direction.OUTBOUND));
    first.addAddresses(peer(1), List.of(A), Duration.ofSeconds(1));
    pass(HOUR);
    first.close();
    pass(HOUR);
    BoundedPeerStore second = opened(file);
    assertThat(second.addresses(peer(1))).contains(A);
    second.close();
  }

  @Test
  void aStoreFullOfConnectedPeersTakesNoOthers() {
    BoundedPeerStore small =
        BoundedPeerStore.inMemory(PeerStoreLimits.defaults().withPeersMax(2), now::get);
    small.connected(connection(1, Direction.INBOUND));
    small.connected(connection(2, Direction.INBOUND));
    small.addAddresses(peer(3), List.of(A), HOUR);
    assertThat(small.peers()).containsExactlyInAnyOrder(peer(1), peer(2));
  }

  @Test
  void whatIsKnownSurvivesARestart() {
    Path file = folder.resolve("data/peers");
    PeerId signer = PeerId.of(key(1).publicKey());
    BoundedPeerStore first = opened(file);
    first.addSignedRecord(new PeerRecord(signer, 5, List.of(B)).seal(key(1)), HOUR);
    first.addAddresses(signer, List.of(A), HOUR.multipliedBy(2));
    first.setProtocols(signer, List.of(PING));
    first.setAgent(signer, "rigmesh/1");
    first.addAddresses(peer(2), List.of(A), Duration.ofSeconds(1));
    first.close();
    pass(Duration.ofMinutes(1));
    BoundedPeerStore second = opened(file);
    assertThat(second.peers()).containsExactly(signer);
    assertThat(second.addresses(signer)).containsExactly(B, A);
    assertThat(second.protocols(signer)).containsExactly(PING);
    assertThat(second.agent(signer)).contains("rigmesh/1");
    assertThat(second.signedRecord(signer).orElseThrow().signer()).isEqualTo(signer);
    assertThat(second.addSignedRecord(new PeerRecord(signer, 4, List.of()).seal(key(1)), HOUR))
        .isFalse();
    pass(HOUR);
    assertThat(second.addresses(signer)).containsExactly(A);
    second.close();
  }

  @Test
  void aDamagedFileIsSetAsideAndTheStoreStartsEmpty() throws IOException {
    Path file = folder.resolve("peers");
    BoundedPeerStore first = opened(file);
    first.addAddresses(peer(1), List.of(A), HOUR);
    first.close();
    byte[] whole = Files.readAllBytes(file);
    for (int at = 0; at < whole.length; at += 7) {
      byte[] damaged = whole.clone();
      damaged[at] ^= 1;
      Files.write(file, damaged);
      BoundedPeerStore second = opened(file);
      assertThat(second.peers()).as("a bit of byte %d flipped", at).isEmpty();
      assertThat(folder.resolve("peers.damaged")).hasBinaryContent(damaged);
      assertThat(file).doesNotExist();
      second.close();
    }
    Files.write(file, new byte[0]);
    opened(file).close();
    assertThat(folder.resolve("peers.damaged")).isEmptyFile();
  }

  @Test
  void aGiantFileIsNotRead() throws IOException {
    Path file = folder.resolve("peers");
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(3L << 30);
    }
    BoundedPeerStore second = opened(file);
    assertThat(second.peers()).isEmpty();
    assertThat(folder.resolve("peers.damaged")).exists();
    second.close();
  }

  @Test
  void changesAreWrittenInTheBackground() throws InterruptedException {
    Path file = folder.resolve("peers");
    BoundedPeerStore first =
        BoundedPeerStore.open(
            file, PeerStoreLimits.defaults().withSaveEvery(Duration.ofMillis(5)), now::get);
    first.addAddresses(peer(1), List.of(A), HOUR);
    long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
    while (!Files.exists(file) && System.nanoTime() < deadline) {
      Thread.onSpinWait();
    }
    // Nothing of the first store is closed: what is there now is what a crash would leave.
    BoundedPeerStore second = opened(file);
    assertThat(second.peers()).containsExactly(peer(1));
    second.close();
    first.close();
  }

  @Test
  void whatIsRemovedIsForgotten() {
    store.addAddresses(peer(1), List.of(A), HOUR);
    store.setAgent(peer(1), "x");
    store.remove(peer(1));
    assertThat(store.size()).isZero();
    assertThat(store.bytes()).isZero();
    assertThat(store.agent(peer(1))).isEmpty();
  }
}
