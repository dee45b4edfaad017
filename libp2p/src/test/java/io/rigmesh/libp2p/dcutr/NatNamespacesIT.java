package io.rigmesh.libp2p.dcutr;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Two peers behind routers that translate addresses find out by AutoNAT that nobody can dial them,
/// reserve with a relay, connect through it, and end with a direct connection; then links are cut
/// and healed, and the relay is lost and comes back. Skipped where network namespaces are not
/// permitted.
@Timeout(600)
class NatNamespacesIT {
  private static final long PATIENCE_SECONDS = 120;

  @TempDir private Path keys;
  private final List<Running> processes = new ArrayList<>();
  private Namespaces network;

  @BeforeEach
  void build() throws Exception {
    Optional<String> unavailability = Namespaces.unavailability();
    unavailability.ifPresent(
        why -> System.out.println("The test of hosts behind routers is skipped: " + why));
    assumeTrue(unavailability.isEmpty(), () -> unavailability.orElseThrow());
    network = Namespaces.homes();
  }

  @AfterEach
  void tearDown() throws Exception {
    for (Running process : processes) {
      process.kill();
    }
    if (network != null) {
      network.close();
    }
  }

  /// One peer's process.
  private static final class Running {
    final String role;
    final Process process;
    final Writer commands;
    final BlockingQueue<String> said = new LinkedBlockingQueue<>();
    final List<String> everything = new ArrayList<>();
    String id = "";

    Running(String role, Process process) {
      this.role = role;
      this.process = process;
      this.commands = process.outputWriter(UTF_8);
      Thread.ofVirtual().start(this::listen);
    }

    private void listen() {
      try (BufferedReader lines =
          new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8))) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          synchronized (everything) {
            everything.add(line);
          }
          if (line.startsWith("> ")) {
            said.add(line.substring(2));
          }
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    void tell(String command) throws IOException {
      commands.write(command + "\n");
      commands.flush();
    }

    /// Waits for a line; those before it are passed over, unless they tell of a failure.
    String await(String start) throws InterruptedException {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
      while (true) {
        String line = said.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
        if (line == null || line.startsWith("failed")) {
          synchronized (everything) {
            throw new AssertionError(
                role + " did not say '" + start + "':\n" + String.join("\n", everything));
          }
        }
        if (line.startsWith(start)) {
          return line;
        }
      }
    }

    /// Whether such a line comes in time, whatever else is said.
    boolean says(String start, long seconds) throws InterruptedException {
      long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
      String line = said.poll(seconds, TimeUnit.SECONDS);
      while (line != null && !line.startsWith(start)) {
        line = said.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS);
      }
      return line != null;
    }

    /// Closes its connections and ends.
    void leave() throws IOException, InterruptedException {
      commands.close();
      if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        throw new AssertionError(role + " does not end");
      }
    }

    void kill() throws InterruptedException {
      process.destroyForcibly();
      process.waitFor(10, TimeUnit.SECONDS);
    }
  }

  private Running start(String namespace, String role, String listen) throws Exception {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    ProcessBuilder builder =
        new ProcessBuilder(
            network.inside(
                namespace,
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx96m",
                    "-XX:TieredStopAtLevel=1",
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    classPath,
                    NatPeer.class.getName(),
                    role,
                    keys.resolve(namespace).toString(),
                    listen)));
    Running running = new Running(namespace, builder.redirectErrorStream(true).start());
    processes.add(running);
    running.id = running.await("id ").substring(3);
    return running;
  }

  @ParameterizedTest
  @ValueSource(strings = {"tcp/4001", "udp/4001/quic-v1"})
  void peersBehindRoutersEndWithADirectConnectionThatOutlivesCutLinks(String transport)
      throws Exception {
    String relayListens = "/ip4/203.0.113.10/" + transport;
    Running relay = start("relay", "relay", relayListens);
    Running a = start("a", "peer", "/ip4/0.0.0.0/" + transport);
    Running b = start("b", "peer", "/ip4/0.0.0.0/" + transport);
    String relayAddress = relayListens + "/p2p/" + relay.id;

    // Both find that they cannot be dialled, and reserve with the relay.
    a.tell("connect " + relayAddress);
    b.tell("connect " + relayAddress);
    b.await("reachability PRIVATE");
    String circuit = b.await("reserved ").substring("reserved ".length());
    assertThat(circuit).isEqualTo(relayAddress + "/p2p-circuit");

    // A connection through the relay, and soon a direct one through both routers.
    a.tell("connect " + circuit + "/p2p/" + b.id);
    a.await("relayed " + b.id);
    String direct = a.await("direct " + b.id);
    assertThat(direct).contains("/ip4/203.0.113.22/" + transport).endsWith("OUTBOUND");
    assertThat(b.await("direct " + a.id))
        .contains("/ip4/203.0.113.21/" + transport)
        .endsWith("INBOUND");
    a.await("unrelayed " + b.id);
    b.await("unrelayed " + a.id);

    // Far more than a relay lets through passes, without the relay.
    network.cut("hub", "relay");
    a.tell("transfer " + b.id + " 8000000");
    assertThat(a.await("transferred")).isEqualTo("transferred 8000000");

    // A link is cut while a stream is open, and heals before the connection is given up.
    a.tell("keep " + b.id);
    a.await("kept");
    network.cut("natb", "lan");
    a.tell("talk whileTheLinkWasDown");
    assertThat(a.says("heard", 2)).as("something comes over a cut link").isFalse();
    network.heal("natb", "lan");
    assertThat(a.await("heard")).isEqualTo("heard whileTheLinkWasDown");

    // The relay goes and comes back: the reservation does too. Over TCP it is killed, which the
    // kernel tells; over QUIC, where only time would tell, it leaves.
    network.heal("hub", "relay");
    if (transport.startsWith("tcp")) {
      relay.kill();
    } else {
      relay.leave();
    }
    start("relay", "relay", relayListens);
    b.await("unreserved");
    b.await("reserved " + relayAddress);
  }
}
