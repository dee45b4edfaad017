package io.rigmesh.libp2p.dcutr;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.rigmesh.libp2p.BlockingStream;
import io.rigmesh.libp2p.Connection;
import io.rigmesh.libp2p.ConnectionListener;
import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.ProtocolId;
import io.rigmesh.libp2p.StreamHandler;
import io.rigmesh.libp2p.autonat.AutoNat;
import io.rigmesh.libp2p.autonat.AutoNatSettings;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.libp2p.relay.AutoRelay;
import io.rigmesh.libp2p.relay.Relay;
import io.rigmesh.libp2p.relay.RelayLimits;
import io.rigmesh.libp2p.relay.RelayTransport;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/// A peer or a relay in a network namespace of its own: says what happens on stdout, one line each,
/// and is told what to do on stdin.
///
/// Arguments: `relay` or `peer`, the file with its key (made when there is none), and the address
/// to listen on.
final class NatPeer {
  private static final ProtocolId ECHO = new ProtocolId("/test/echo/1.0.0");
  private static final AutoNatSettings AUTO_NAT =
      new AutoNatSettings(true, false, 2, Duration.ofSeconds(2), Duration.ofMinutes(15), 60, 30);

  private final Host host;

  private NatPeer(Host host) {
    this.host = host;
  }

  static void main(String[] arguments) throws IOException {
    Ed25519PrivateKey key = key(Path.of(arguments[1]));
    HostBuilder builder = new HostBuilder(key).listen(arguments[2]);
    Host host = (arguments[2].contains("/quic") ? builder : builder.withoutQuic()).start();
    NatPeer peer = new NatPeer(host);
    AutoNat autoNat = AutoNat.start(host, AUTO_NAT);
    if (arguments[0].equals("relay")) {
      Relay.start(host, RelayLimits.defaults());
    } else {
      autoNat.addListener(reachability -> say("reachability " + reachability));
      RelayTransport relays = RelayTransport.start(host);
      AutoRelay.start(host, relays, autoNat, List::of, 1);
      Dcutr.start(host, DcutrSettings.defaults());
      host.addListener(new Watch());
      host.handle(ECHO, StreamHandler.blocking((stream, io) -> echo(io)));
      Thread.ofVirtual().start(() -> peer.sayRelayed(relays));
    }
    say("id " + host.id());
    peer.obey();
    host.close();
  }

  private static Ed25519PrivateKey key(Path file) throws IOException {
    if (Files.exists(file)) {
      return Ed25519PrivateKey.of(Files.readAllBytes(file));
    }
    Ed25519PrivateKey key = Ed25519PrivateKey.generate(new SecureRandom());
    Files.write(file, key.bytes());
    return key;
  }

  private static synchronized void say(String line) {
    System.out.println("> " + line);
    System.out.flush();
  }

  private static void echo(BlockingStream io) {
    io.timeout(Duration.ofMinutes(5));
    byte[] bytes = new byte[64 * 1024];
    for (int count = io.read(bytes, 0, bytes.length);
        count >= 0;
        count = io.read(bytes, 0, bytes.length)) {
      io.write(Arrays.copyOf(bytes, count));
    }
  }

  private void sayRelayed(RelayTransport relays) {
    List<Multiaddr> before = List.of();
    try {
      while (true) {
        List<Multiaddr> now = relays.relayedAddresses();
        if (!now.equals(before)) {
          say(now.isEmpty() ? "unreserved" : "reserved " + now.getFirst());
          before = now;
        }
        Thread.sleep(100);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static final class Watch implements ConnectionListener {
    @Override
    public void connected(Connection connection) {
      say(
          (DirectConnections.relayed(connection) ? "relayed " : "direct ")
              + connection.peer()
              + " "
              + connection.remoteAddress()
              + " "
              + connection.direction());
    }

    @Override
    public void disconnected(Connection connection, String reason) {
      say(
          (DirectConnections.relayed(connection) ? "unrelayed " : "undirect ")
              + connection.peer()
              + " "
              + reason);
    }
  }

  private void obey() throws IOException {
    BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, UTF_8));
    BlockingStream kept = null;
    for (String line = commands.readLine(); line != null; line = commands.readLine()) {
      String[] words = line.split(" ");
      try {
        switch (words[0]) {
          case "connect" -> {
            Connection connection = host.connect(PeerAddress.of(words[1])).join();
            say("connected " + connection.peer() + (connection.limited() ? " limited" : ""));
          }
          case "transfer" -> say("transferred " + transfer(words[1], Integer.parseInt(words[2])));
          case "keep" -> {
            kept = host.open(PeerId.of(words[1]), ECHO).join().blocking();
            kept.timeout(Duration.ofMinutes(1));
            say("kept");
          }
          case "talk" -> {
            if (kept == null) {
              throw new IllegalStateException("Nothing is kept");
            }
            kept.write(words[1].getBytes(UTF_8));
            say("heard " + new String(kept.readFully(words[1].length()), UTF_8));
          }
          default -> say("failed: unknown command " + line);
        }
      } catch (RuntimeException e) {
        say("failed: " + e);
      }
    }
  }

  /// Sends bytes to a peer's echo and checks what comes back; over whatever connection there is.
  private int transfer(String peer, int bytes) {
    BlockingStream io = host.openLimited(PeerId.of(peer), ECHO).join().blocking();
    byte[] sent = new byte[bytes];
    new Random(bytes).nextBytes(sent);
    Thread.ofVirtual().start(() -> io.write(sent));
    byte[] back = io.readFully(bytes);
    io.closeWrite();
    if (!Arrays.equals(sent, back)) {
      throw new IllegalStateException("The echo is not what was sent");
    }
    return back.length;
  }
}
