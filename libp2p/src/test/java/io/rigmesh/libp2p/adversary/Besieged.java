package io.rigmesh.libp2p.adversary;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.ConnectionListener;
import io.rigmesh.libp2p.Eventually;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.StreamResetException;
import io.rigmesh.libp2p.gossip.Gossip;
import io.rigmesh.libp2p.gossip.GossipConfig;
import io.rigmesh.libp2p.gossip.Gossipsub;
import io.rigmesh.libp2p.kad.Kademlia;
import io.rigmesh.libp2p.kad.KademliaConfig;
import io.rigmesh.libp2p.kad.KademliaMode;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/// A host that peers attack, and an honest peer of it who shall notice nothing.
final class Besieged {
  static final Duration HANDSHAKE = Duration.ofSeconds(8);
  static final Duration SOON = Duration.ofSeconds(60);

  /// What a host may have more of after an attack: caches and code that was not there before.
  private static final long HEAP_BYTES_MORE = 12L * 1024 * 1024;

  private final List<AutoCloseable> services = new ArrayList<>();
  private final List<String> reasons = new CopyOnWriteArrayList<>();
  final Host host;
  private final Host honest;
  private int descriptors;
  private long memoryBytes;
  private long heapBytes;

  /// @param listen what the host listens on
  Besieged(String... listen) throws Exception {
    host = HostBuilder.anonymous().handshakeTimeout(HANDSHAKE).listen(listen).start();
    Gossip gossip = Gossipsub.start(host, GossipConfig.defaults());
    services.add(gossip);
    services.add(Kademlia.start(host, KademliaConfig.builder().mode(KademliaMode.SERVER).build()));
    services.add(gossip.topic("news").subscribe(message -> {}));
    host.addListener(
        new ConnectionListener() {
          @Override
          public void disconnected(Connection connection, String reason) {
            reasons.add(reason);
          }
        });
    honest = HostBuilder.anonymous().start();
    honest.connect(address()).get(60, TimeUnit.SECONDS);
  }

  PeerAddress address() {
    return new PeerAddress(host.id(), host.listenAddresses());
  }

  InetSocketAddress socketAddress() {
    Multiaddr address = host.listenAddresses().getFirst();
    return new InetSocketAddress(
        "127.0.0.1",
        address
            .first(AddressProtocol.TCP)
            .or(() -> address.first(AddressProtocol.UDP))
            .orElseThrow()
            .number());
  }

  /// Waits until the host has a stranger's connection too.
  void awaitStranger() {
    Eventually.await("a stranger is there", () -> host.connections().size() == 2);
  }

  /// Remembers what the host has and holds; to be called when a first stranger has come and gone,
  /// who brings up what it keeps for good.
  void remember() throws Exception {
    Eventually.await("only the honest peer is left", () -> host.connections().size() == 1);
    answers();
    reasons.clear();
    descriptors = openDescriptors();
    memoryBytes = host.resources().usage().memoryBytes();
    heapBytes = heapBytes();
  }

  /// The honest peer is answered, at the latest when it asks for the third time: while a flood is
  /// being cut one of its streams may be refused.
  void answers() throws Exception {
    for (int left = 2; ; left--) {
      try {
        assertThat(honest.ping().ping(host.id()).get(60, TimeUnit.SECONDS)).isPositive();
        return;
      } catch (ExecutionException e) {
        if (left == 0 || !(e.getCause() instanceof StreamResetException)) {
          throw e;
        }
      }
    }
  }

  /// A stranger was disconnected, and this was in the reason.
  void awaitReason(String part) {
    Eventually.await(
        "a reason with '" + part + "' among " + reasons,
        SOON,
        () -> reasons.stream().anyMatch(reason -> reason.contains(part)));
  }

  /// All is as it was.
  void assertUnharmed() throws Exception {
    answers();
    Eventually.await("strangers are gone", SOON, () -> host.connections().size() == 1);
    assertThat(honest.connections(host.id())).as("the honest peer's connection").hasSize(1);
    Eventually.await("descriptors are back", SOON, () -> openDescriptors() <= descriptors);
    Eventually.await(
        "memory is given back",
        SOON,
        () -> host.resources().usage().memoryBytes() <= memoryBytes + 64 * 1024);
    Eventually.await(
        "the heap is as small as before", SOON, () -> heapBytes() < heapBytes + HEAP_BYTES_MORE);
  }

  void close() throws Exception {
    honest.close();
    for (AutoCloseable service : services.reversed()) {
      service.close();
    }
    host.close();
  }

  /// What is reachable.
  private static long heapBytes() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  private static int openDescriptors() {
    String[] open = new File("/proc/self/fd").list();
    if (open != null) {
      return open.length;
    }
    return (int)
        ((com.sun.management.UnixOperatingSystemMXBean)
                ManagementFactory.getOperatingSystemMXBean())
            .getOpenFileDescriptorCount();
  }
}
