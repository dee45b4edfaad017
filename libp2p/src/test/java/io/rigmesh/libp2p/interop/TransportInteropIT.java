package io.rigmesh.libp2p.interop;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.libp2p.Eventually;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/// The public transport interop test in small: two processes that meet over a real Redis.
final class TransportInteropIT {
  private final Cast cast = new Cast();
  private String redis = "";

  @TempDir private Path folder;

  @BeforeEach
  void startRedis() throws Exception {
    int port;
    try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = free.getLocalPort();
    }
    redis = "127.0.0.1:" + port;
    start(
        Map.of(),
        "redis-server",
        "--port",
        Integer.toString(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        folder.toString());
    Eventually.await(
        "Redis answers",
        () -> {
          try (RedisConnection connection = new RedisConnection(redis)) {
            connection.push("probe", "1");
            return true;
          } catch (IOException e) {
            return false;
          }
        });
  }

  @AfterEach
  void sendHome() {
    cast.close();
  }

  private static final List<Map<String, String>> KINDS =
      List.of(
          Map.of("TRANSPORT", "tcp", "SECURE_CHANNEL", "noise", "MUXER", "yamux"),
          Map.of("TRANSPORT", "tcp", "SECURE_CHANNEL", "tls", "MUXER", "yamux"),
          Map.of("TRANSPORT", "quic-v1"));

  /// The same kinds between processes of js-libp2p and ours.
  private static Wire wire(Map<String, String> kind) {
    return Wire.values()[KINDS.indexOf(kind)];
  }

  @ParameterizedTest
  @FieldSource("KINDS")
  void theDialerPrintsItsLatenciesAsYaml(Map<String, String> kind) throws Exception {
    side(kind, "ours", false);
    assertResult(side(kind, "ours", true));
  }

  @ParameterizedTest
  @FieldSource("KINDS")
  void theDialerReachesJs(Map<String, String> kind) throws Exception {
    JsPeer js = cast.js(wire(kind).js());
    try (RedisConnection connection = new RedisConnection(redis)) {
      connection.push("js_listener_multiaddr", js.fullAddress());
    }
    assertResult(side(kind, "js", true));
  }

  @ParameterizedTest
  @FieldSource("KINDS")
  void jsReachesTheListener(Map<String, String> kind) throws Exception {
    side(kind, "ours", false);
    JsPeer js = cast.js(wire(kind).js());
    String address;
    try (RedisConnection connection = new RedisConnection(redis)) {
      address = connection.pop("ours_listener_multiaddr", 120).orElseThrow();
    }
    assertThat(js.call("dial", "address", address).get("security").asText())
        .isEqualTo(wire(kind).jsSecurity);
    assertThat(js.call("ping", "address", address).get("millis").asInt()).isNotNegative();
  }

  private static void assertResult(Process dialer) throws Exception {
    assertThat(dialer.waitFor(180, TimeUnit.SECONDS)).isTrue();
    assertThat(dialer.exitValue()).isZero();
    assertThat(new String(dialer.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .matches("latency:\n  handshake_plus_one_rtt: [0-9.]+\n  ping_rtt: [0-9.]+\n  unit: ms\n");
  }

  private Process side(Map<String, String> kind, String key, boolean dialer) throws IOException {
    Map<String, String> environment = new java.util.HashMap<>(kind);
    environment.put("IS_DIALER", Boolean.toString(dialer));
    environment.put("REDIS_ADDR", redis);
    environment.put("TEST_KEY", key);
    environment.put("LISTENER_IP", "127.0.0.1");
    return start(
        environment,
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx128m",
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        "-cp",
        System.getProperty("java.class.path"),
        TransportInterop.class.getName());
  }

  private Process start(Map<String, String> environment, String... command) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD);
    builder.environment().putAll(environment);
    if (command[0].equals("redis-server")) {
      builder.redirectOutput(ProcessBuilder.Redirect.DISCARD);
    }
    Process process = builder.start();
    cast.keep(() -> process.destroyForcibly().waitFor());
    return process;
  }
}
