package io.rigmesh.libp2p.interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.ConnectionListener;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.autonat.AddressVerdict;
import io.rigmesh.libp2p.autonat.AutoNat;
import io.rigmesh.libp2p.autonat.AutoNatSettings;
import io.rigmesh.libp2p.dcutr.Dcutr;
import io.rigmesh.libp2p.dcutr.DcutrSettings;
import io.rigmesh.libp2p.multiformats.AddressProtocol;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.relay.Relay;
import io.rigmesh.libp2p.relay.RelayLimits;
import io.rigmesh.libp2p.relay.RelayTransport;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Our side as a process, where a test needs it in a network namespace: understands those of
/// peer.mjs's commands, and tells those of its events, that are about how peers reach each other.
///
/// Arguments: the services, separated by commas (`relay`, `relayed`, `dcutr`, `autonat`), and the
/// addresses to listen on.
public final class OurPeer {
  private static final long PATIENCE_SECONDS = 60;

  /// Asks again soon, also when the answer is known: a busy machine may have spoilt one dial.
  private static final AutoNatSettings AUTO_NAT =
      new AutoNatSettings(true, false, 1, Duration.ofSeconds(1), Duration.ofSeconds(3), 600, 300);

  private static final DcutrSettings DCUTR =
      new DcutrSettings(false, 3, Duration.ofSeconds(5), Duration.ofSeconds(5));

  private final Host host;
  private @Nullable AutoNat autoNat;

  private OurPeer(Host host) {
    this.host = host;
  }

  /// Starts a peer where the operator puts its command.
  static PeerProcess start(UnaryOperator<List<String>> where, String services, String... listen)
      throws IOException {
    List<String> command =
        Stream.concat(
                Stream.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx96m",
                    "-XX:TieredStopAtLevel=1",
                    "--enable-native-access=ALL-UNNAMED",
                    "--sun-misc-unsafe-memory-access=allow",
                    "-cp",
                    System.getProperty("java.class.path"),
                    OurPeer.class.getName(),
                    services),
                Stream.of(listen))
            .toList();
    return new PeerProcess(new ProcessBuilder(where.apply(command)));
  }

  /// Runs commands until stdin ends.
  public static void main(String[] arguments) throws Exception {
    HostBuilder builder = HostBuilder.anonymous();
    for (int i = 1; i < arguments.length; i++) {
      builder.listen(arguments[i]);
    }
    OurPeer peer = new OurPeer(builder.start());
    peer.host.addListener(peer.new Watch());
    for (String service : arguments[0].split(",")) {
      peer.serve(service);
    }
    say(peer.info().put("event", "ready"));
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode command = PeerProcess.MAPPER.readTree(line);
      ObjectNode answer =
          PeerProcess.MAPPER.createObjectNode().put("id", command.get("id").asInt());
      try {
        answer.set("ok", peer.run(command));
      } catch (Exception e) {
        answer.put("error", e.toString());
      }
      say(answer);
    }
    peer.host.close();
    System.exit(0);
  }

  private static synchronized void say(JsonNode line) {
    System.out.println(line);
  }

  private void serve(String service) {
    switch (service) {
      case "relay" -> Relay.start(host, RelayLimits.defaults());
      case "relayed" -> RelayTransport.start(host);
      case "dcutr" -> Dcutr.start(host, DCUTR);
      case "autonat" -> autoNat = AutoNat.start(host, AUTO_NAT);
      default -> throw new IllegalArgumentException("unknown service " + service);
    }
  }

  private JsonNode run(JsonNode command) throws Exception {
    return switch (command.get("do").asText()) {
      case "info" -> info();
      case "dial" ->
          describe(
              host.connect(PeerAddress.of(command.get("address").asText()))
                  .get(PATIENCE_SECONDS, TimeUnit.SECONDS));
      case "listen" -> {
        host.network()
            .listen(Multiaddr.of(command.get("address").asText()))
            .get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        yield info();
      }
      case "ping" ->
          PeerProcess.MAPPER
              .createObjectNode()
              .put(
                  "millis",
                  host.ping()
                      .ping(PeerAddress.of(command.get("address").asText()).peer())
                      .get(PATIENCE_SECONDS, TimeUnit.SECONDS)
                      .toMillis());
      case "verdicts" -> verdicts();
      default -> throw new IllegalArgumentException("unknown command " + command);
    };
  }

  private ObjectNode info() {
    ObjectNode info = PeerProcess.MAPPER.createObjectNode().put("peer", host.id().toString());
    ArrayNode addresses = info.putArray("addresses");
    host.listenAddresses().forEach(one -> addresses.add(one + "/p2p/" + host.id()));
    ArrayNode connections = info.putArray("connections");
    host.connections().forEach(one -> connections.add(describe(one)));
    return info;
  }

  private ObjectNode verdicts() {
    ObjectNode all = PeerProcess.MAPPER.createObjectNode();
    for (AddressVerdict verdict : Optional.ofNullable(autoNat).orElseThrow().verdicts()) {
      all.put(verdict.address().toString(), verdict.state().toString());
    }
    return all;
  }

  private static ObjectNode describe(Connection connection) {
    Multiaddr remote = connection.remoteAddress();
    return PeerProcess.MAPPER
        .createObjectNode()
        .put("peer", connection.peer().toString())
        .put("remote", remote.toString())
        .put("direction", connection.direction().toString().toLowerCase(java.util.Locale.ROOT))
        .put("limited", connection.limited() || remote.has(AddressProtocol.P2P_CIRCUIT));
  }

  private final class Watch implements ConnectionListener {
    @Override
    public void connected(Connection connection) {
      say(describe(connection).put("event", "connected"));
    }

    @Override
    public void disconnected(Connection connection, String reason) {
      say(describe(connection).put("event", "disconnected").put("reason", reason));
    }
  }
}
