package io.rigmesh.libp2p.portmap;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Port mappings by real SOAP over real sockets; discovery by multicast is the library's.
@Timeout(120)
class PortMappingIT {
  private static final Duration TURN = Duration.ofMillis(200);
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private static void await(BooleanSupplier condition, String what) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime()).as(what).isLessThan(end);
      Thread.sleep(10);
    }
  }

  private static Host listening() {
    return HostBuilder.anonymous().listen("/ip4/127.0.0.1/tcp/0").withoutQuic().start();
  }

  private static int port(Host host) {
    return host.listenAddresses().getFirst().parts().get(1).number();
  }

  @Test
  void theListeningPortIsMappedAnnouncedKeptAndTakenBack() throws Exception {
    try (FakeGateway router = new FakeGateway("203.0.113.7");
        Host host = listening()) {
      Multiaddr outside = Multiaddr.of("/ip4/203.0.113.7/tcp/" + port(host));
      String mapping = port(host) + " TCP";
      try (PortMapping mappings =
          PortMapping.start(host, () -> Optional.of(router.device()), TURN)) {
        await(() -> mappings.addresses().contains(outside), "mapped");
        assertThat(router.mappings).containsEntry(mapping, "127.0.0.1 " + port(host));
        assertThat(host.addresses()).contains(outside);
        router.mappings.clear();
        await(() -> router.mappings.containsKey(mapping), "mapped again after it was forgotten");
      }
      // Closing waits a few seconds for it, and a busy machine may need more.
      await(router.mappings::isEmpty, "the mapping is taken back");
      assertThat(host.addresses()).doesNotContain(outside);
    }
  }

  @Test
  void anotherPortIsMappedWhenTheSameOneIsTaken() throws Exception {
    try (FakeGateway router = new FakeGateway("203.0.113.7");
        Host host = listening()) {
      router.taken.add(port(host) + " TCP");
      try (PortMapping mappings =
          PortMapping.start(host, () -> Optional.of(router.device()), TURN)) {
        await(() -> !mappings.addresses().isEmpty(), "mapped");
        assertThat(mappings.addresses())
            .doesNotContain(Multiaddr.of("/ip4/203.0.113.7/tcp/" + port(host)));
        assertThat(router.mappings).containsValue("127.0.0.1 " + port(host));
      }
    }
  }

  @Test
  void theOutsideOfARouterBehindAnotherIsNotAnnounced() throws Exception {
    try (FakeGateway router = new FakeGateway("192.168.7.7");
        Host host = listening();
        PortMapping mappings = PortMapping.start(host, () -> Optional.of(router.device()), TURN)) {
      await(() -> !router.mappings.isEmpty(), "mapped all the same");
      assertThat(mappings.addresses()).isEmpty();
    }
  }

  @Test
  void aDescriptionWithADocumentTypeIsRefusedAndNothingFetchedForIt() throws Exception {
    try (FakeGateway router = new FakeGateway("203.0.113.7");
        Host host = listening()) {
      router.poison();
      try (PortMapping mappings =
          PortMapping.start(host, () -> Optional.of(router.device()), TURN)) {
        await(() -> router.described.get() >= 2, "it was looked for twice");
        assertThat(mappings.addresses()).isEmpty();
      }
      assertThat(router.fetched).hasValue(0);
      assertThat(router.mappings).isEmpty();
    }
  }

  @Test
  void withoutARouterNothingIsAnnouncedAndClosingIsQuick() throws Exception {
    try (Host host = listening()) {
      PortMapping mappings = PortMapping.start(host, Optional::empty, TURN);
      mappings.close();
      assertThat(mappings.addresses()).isEmpty();
    }
  }
}
