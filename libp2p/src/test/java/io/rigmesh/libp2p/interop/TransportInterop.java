package io.rigmesh.libp2p.interop;

import io.rigmesh.libp2p.Host;
import io.rigmesh.libp2p.HostBuilder;
import io.rigmesh.libp2p.PeerAddress;
import io.rigmesh.libp2p.Security;
import io.rigmesh.libp2p.identity.Ed25519PrivateKey;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/// One side of libp2p's public transport interop test: everything is said by environment variables,
/// the sides meet over Redis, and the dialer prints what it measured as YAML on stdout.
public final class TransportInterop {
  private static final int PATIENCE_SECONDS = 120;

  private final Map<String, String> environment;

  private TransportInterop(Map<String, String> environment) {
    this.environment = environment;
  }

  /// The entry point of scripts/interop-peer.sh.
  public static void main(String[] arguments) throws Exception {
    TransportInterop test = new TransportInterop(System.getenv());
    if (Boolean.parseBoolean(test.required("IS_DIALER"))) {
      test.dial();
      System.exit(0);
    } else {
      test.listen();
    }
  }

  private void dial() throws Exception {
    try (RedisConnection redis = new RedisConnection(required("REDIS_ADDR"));
        Host host = builder().start()) {
      String address =
          redis
              .pop(key(), PATIENCE_SECONDS)
              .orElseThrow(() -> new IllegalStateException("No listener came to " + key()));
      System.err.println("dialling " + address);
      long start = System.nanoTime();
      PeerAddress peer = PeerAddress.of(address);
      host.connect(peer).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      host.ping().ping(peer.peer()).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      Duration handshakePlusOne = Duration.ofNanos(System.nanoTime() - start);
      Duration again = host.ping().ping(peer.peer()).get(PATIENCE_SECONDS, TimeUnit.SECONDS);
      System.out.println("latency:");
      System.out.printf(Locale.ROOT, "  handshake_plus_one_rtt: %.3f%n", millis(handshakePlusOne));
      System.out.printf(Locale.ROOT, "  ping_rtt: %.3f%n", millis(again));
      System.out.println("  unit: ms");
    }
  }

  private void listen() throws Exception {
    String ip = environment.getOrDefault("LISTENER_IP", "0.0.0.0");
    String address =
        required("TRANSPORT").equals("quic-v1")
            ? "/ip4/" + ip + "/udp/0/quic-v1"
            : "/ip4/" + ip + "/tcp/0";
    try (RedisConnection redis = new RedisConnection(required("REDIS_ADDR"));
        Host host = builder().listen(address).start()) {
      // On all interfaces, the one that is not loopback is what the other container reaches.
      Multiaddr announced =
          host.addresses().stream()
              .filter(one -> !ip.equals("0.0.0.0") || !one.toString().startsWith("/ip4/127."))
              .findFirst()
              .orElseThrow();
      redis.push(key(), announced.withPeerId(host.id()).toString());
      System.err.println("listening on " + announced);
      new CountDownLatch(1).await();
    }
  }

  private HostBuilder builder() {
    HostBuilder builder = new HostBuilder(Ed25519PrivateKey.generate(new SecureRandom()));
    switch (required("TRANSPORT")) {
      case "quic-v1" -> {
        return builder;
      }
      case "tcp" -> builder.withoutQuic();
      default -> throw refused("TRANSPORT", "tcp, quic-v1");
    }
    if (!required("MUXER").equals("yamux")) {
      throw refused("MUXER", "yamux");
    }
    return switch (required("SECURE_CHANNEL")) {
      case "noise" -> builder.securities(Security.NOISE);
      case "tls" -> builder.securities(Security.TLS);
      default -> throw refused("SECURE_CHANNEL", "noise, tls");
    };
  }

  private String key() {
    return required("TEST_KEY") + "_listener_multiaddr";
  }

  private String required(String name) {
    String value = environment.get(name);
    if (value == null || value.isEmpty()) {
      throw new IllegalArgumentException("The environment variable " + name + " is missing");
    }
    return value;
  }

  private IllegalArgumentException refused(String name, String known) {
    return new IllegalArgumentException(
        name + " is " + required(name) + "; this peer knows " + known);
  }

  private static double millis(Duration duration) {
    return duration.toNanos() / 1e6;
  }
}
