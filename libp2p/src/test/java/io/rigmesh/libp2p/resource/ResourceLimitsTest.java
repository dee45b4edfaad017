package io.rigmesh.libp2p.resource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.Direction;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class ResourceLimitsTest {
  private static final Multiaddr PUBLIC = Multiaddr.of("/ip4/1.2.3.4/tcp/4001");

  private final AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);
  private final LimitedResources resources =
      new LimitedResources(ResourceLimits.defaults(), now::get);

  private static PeerId peer() {
    return PeerId.of(Ed25519PrivateKey.generate(new SecureRandom()).publicKey());
  }

  @Test
  void theDefaultsAreThoseOfTheDesign() {
    ResourceLimits limits = ResourceLimits.defaults();
    assertThat(limits.system().connectionsMax()).isEqualTo(128);
    assertThat(limits.system().connectionsInboundMax()).isEqualTo(64);
    assertThat(limits.system().streamsMax()).isEqualTo(2048);
    assertThat(limits.system().memoryBytesMax()).isEqualTo(128L << 20);
    assertThat(limits.transients().connectionsInboundMax()).isEqualTo(16);
    assertThat(limits.peer().connectionsMax()).isEqualTo(8);
    assertThat(limits.peer().streamsInboundMax()).isEqualTo(256);
    assertThat(limits.address().connectionsMax()).isEqualTo(8);
    assertThat(limits.address().newPerSecond()).isEqualTo(0.2);
    assertThat(limits.address().newBurst()).isEqualTo(16);
  }

  @Test
  void theNinthConnectionOfAnAddressIsRefusedAndSaysWhy() {
    List<ConnectionScope> open = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      open.add(resources.openConnection(Direction.INBOUND, PUBLIC));
    }
    assertThatThrownBy(() -> resources.openConnection(Direction.INBOUND, PUBLIC))
        .isInstanceOf(ResourceLimitException.class)
        .hasMessageContaining("address 1.2.3.4/32")
        .hasMessageContaining("8 of at most 8 connections");
    open.getFirst().close();
    resources.openConnection(Direction.INBOUND, PUBLIC).close();
  }

  @Test
  void anIpv4AddressInIpv6ClothingIsTheSameAddress() {
    for (int i = 0; i < 8; i++) {
      resources.openConnection(Direction.OUTBOUND, PUBLIC);
    }
    assertThatThrownBy(() ->
            resources.openConnection(Direction.OUTBOUND, Multiaddr.of("/ip6/::ffff:1.2.3.4/tcp/1")))
        .isInstanceOf(ResourceLimitException.class);
  }

  @Test
  void newConnectionsOfAnAddressAreLetInSlowlyAfterABurst() {
    for (int i = 0; i < 16; i++) {
      resources.openConnection(Direction.INBOUND, PUBLIC).close();
    }
    assertThatThrownBy(() -> resources.openConnection(Direction.INBOUND, PUBLIC))
        .isInstanceOf(ResourceLimitException.class)
        .hasMessageContaining("0.2 per second");
    now.set(now.get().plusMillis(4900));
    assertThatThrownBy(() -> resources.openConnection(Direction.INBOUND, PUBLIC))
        .isInstanceOf(ResourceLimitException.class);
    now.set(now.get().plusMillis(101));
    resources.openConnection(Direction.INBOUND, PUBLIC).close();
    assertThatThrownBy(() -> resources.openConnection(Direction.INBOUND, PUBLIC))
        .isInstanceOf(ResourceLimitException.class);
    // This host's own dials are not paced.
    resources.openConnection(Direction.OUTBOUND, PUBLIC).close();
  }

  @Test
  void aClockThatStepsBackEarnsNothing() {
    now.set(Instant.EPOCH.plus(Duration.ofDays(1)));
    for (int i = 0; i < 16; i++) {
      resources.openConnection(Direction.INBOUND, PUBLIC).close();
    }
    now.set(Instant.EPOCH);
    assertThatThrownBy(() -> resources.openConnection(Direction.INBOUND, PUBLIC))
        .isInstanceOf(ResourceLimitException.class);
  }

  @Test
  void loopbackAndPrivatePeersAreNotLimitedByAddress() {
    for (String text : List.of("/ip4/127.0.0.1/tcp/1", "/ip4/10.1.2.3/tcp/1", "/ip6/::1/tcp/1")) {
      for (int i = 0; i < 40; i++) {
        resources.openConnection(Direction.INBOUND, Multiaddr.of(text)).close();
      }
    }
    assertThat(resources.addressedConnections()).isZero();
  }

  @Test
  void circuitsAreCountedUnderTheirRelay() {
    PeerId relay = peer();
    Multiaddr circuit =
        Multiaddr.of("/ip4/1.2.3.4/tcp/1/p2p/" + relay + "/p2p-circuit/p2p/" + peer());
    for (int i = 0; i < 32; i++) {
      resources.openConnection(Direction.INBOUND, circuit).setPeer(peer());
    }
    assertThatThrownBy(() -> resources.openConnection(Direction.INBOUND, circuit))
        .isInstanceOf(ResourceLimitException.class)
        .hasMessageContaining("relay " + relay);
    // The relay's own address is free for the relay.
    resources.openConnection(Direction.INBOUND, PUBLIC);
  }

  @Test
  void aFloodOfAddressesIsNotRememberedForever() {
    for (int i = 0; i < 3 * AddressBook.ADDRESSES_MAX; i++) {
      resources
          .openConnection(
              Direction.INBOUND,
              Multiaddr.of("/ip4/1." + (i >> 16) + "." + ((i >> 8) & 255) + "." + (i & 255)))
          .close();
    }
    AddressBook book = new AddressBook(AddressLimits.defaults());
    for (int i = 0; i < 3 * AddressBook.ADDRESSES_MAX; i++) {
      AddressBook.Source source = new AddressBook.Source("address " + i, 8, true);
      book.add(source, now.get());
      book.subtract(source, now.get());
    }
    assertThat(book.size()).isEqualTo(AddressBook.ADDRESSES_MAX);
  }

  @Test
  void seventeenUnidentifiedConnectionsAreOneTooMany() {
    Multiaddr loopback = Multiaddr.of("/ip4/127.0.0.1/tcp/1");
    List<ConnectionScope> open = new ArrayList<>();
    for (int i = 0; i < 16; i++) {
      open.add(resources.openConnection(Direction.INBOUND, loopback));
    }
    assertThatThrownBy(() -> resources.openConnection(Direction.INBOUND, loopback))
        .hasMessageContaining("'transient' holds 16 of at most 16 inbound connections");
    open.getFirst().setPeer(peer());
    resources.openConnection(Direction.INBOUND, loopback);
  }

  @Test
  void theNinthConnectionOfAPeerIsRefusedAndStaysTransient() {
    Multiaddr loopback = Multiaddr.of("/ip4/127.0.0.1/tcp/1");
    PeerId peer = peer();
    for (int i = 0; i < 8; i++) {
      resources.openConnection(Direction.OUTBOUND, loopback).setPeer(peer);
    }
    ConnectionScope ninth = resources.openConnection(Direction.OUTBOUND, loopback);
    assertThatThrownBy(() -> ninth.setPeer(peer))
        .hasMessageContaining("peer " + peer)
        .hasMessageContaining("8 of at most 8");
    assertThat(resources.usage().transientConnections()).isEqualTo(1);
    ninth.close();
    assertThat(resources.usage().transientConnections()).isZero();
  }

  @Test
  void whatIsClosedTakesNothingAndGivesNothingBackTwice() {
    ConnectionScope connection = resources.openConnection(Direction.INBOUND, PUBLIC);
    StreamScope stream = connection.openStream(Direction.INBOUND);
    stream.reserveMemory(1000);
    connection.close();
    stream.releaseMemory(1000);
    stream.close();
    assertThatThrownBy(() -> stream.reserveMemory(1)).hasMessageContaining("is closed");
    assertThatThrownBy(() -> connection.openStream(Direction.INBOUND))
        .hasMessageContaining("is closed");
    assertThat(resources.snapshot()).isEmpty();
  }

  @Test
  void memoryThatWasNotReservedCannotBeGivenBack() {
    ConnectionScope connection = resources.openConnection(Direction.INBOUND, PUBLIC);
    connection.reserveMemory(10);
    assertThatThrownBy(() -> connection.releaseMemory(11))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("cannot give back 11");
  }

  @Test
  void aHugeReservationDoesNotOverflow() {
    ConnectionScope connection = resources.openConnection(Direction.INBOUND, PUBLIC);
    connection.reserveMemory(1000);
    assertThatThrownBy(() -> connection.reserveMemory(Long.MAX_VALUE))
        .isInstanceOf(ResourceLimitException.class)
        .hasMessageContaining("bytes of memory");
    assertThat(resources.usage().memoryBytes()).isEqualTo(1000);
  }

  @Test
  void threadsThatRaceForTheLastPlacesGetExactlyThose() throws InterruptedException {
    Multiaddr loopback = Multiaddr.of("/ip4/127.0.0.1/tcp/1");
    ConnectionScope connection = resources.openConnection(Direction.INBOUND, loopback);
    connection.setPeer(peer());
    AtomicInteger taken = new AtomicInteger();
    CountDownLatch start = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      threads.add(
          Thread.ofVirtual()
              .start(() -> {
                try {
                  start.await();
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                  return;
                }
                for (int j = 0; j < 100; j++) {
                  try {
                    connection
                        .openStream(Direction.INBOUND)
                        .setProtocol(new io.rigmesh.libp2p.ProtocolId("/x"));
                    taken.incrementAndGet();
                  } catch (ResourceLimitException full) {
                    Thread.onSpinWait();
                  }
                }
              }));
    }
    start.countDown();
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(taken).hasValue(256);
    connection.close();
    assertThat(resources.snapshot()).isEmpty();
  }
}
