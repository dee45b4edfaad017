package io.rigmesh.node.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.libp2p.identity.Ed25519PublicKey;
import io.rigmesh.libp2p.identity.PeerId;
import io.rigmesh.libp2p.kad.KademliaMode;
import io.rigmesh.libp2p.multiformats.Multiaddr;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.TokenAmount;
import java.io.IOException;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfigLoaderTest {
  @TempDir Path home;

  @Test
  void defaultsAreWhatTheDocumentationSays() {
    NodeConfig config = load(Map.of(), Map.of()).config();

    assertThat(config.home()).isEqualTo(home);
    assertThat(config.rest())
        .isEqualTo(new RestConfig("127.0.0.1", 7070, home.resolve("rest-token"), 1 << 20, 256));
    assertThat(config.chain())
        .isEqualTo(
            new ChainConfig(
                List.of("http://127.0.0.1:8545"),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                1,
                15,
                10,
                1000));
    assertThat(config.keys())
        .isEqualTo(
            new KeysConfig(
                home.resolve("keys/account.json"),
                home.resolve("keys/password"),
                Optional.empty()));
    assertThat(config.provider())
        .isEqualTo(
            new ProviderConfig(
                true,
                TokenAmount.of(1_000),
                TokenAmount.of(40_000),
                TokenAmount.of(20_000),
                TokenAmount.of(60_000),
                TokenAmount.of(10_000),
                true,
                "",
                600,
                64,
                120,
                120,
                0));
    assertThat(config.requester())
        .isEqualTo(new RequesterConfig(Optional.empty(), 30, 8, TokenAmount.ZERO));
    assertThat(config.network())
        .isEqualTo(
            new NetworkConfig(
                List.of(
                    Multiaddr.of("/ip4/0.0.0.0/tcp/4070"),
                    Multiaddr.of("/ip4/0.0.0.0/udp/4070/quic-v1")),
                List.of(),
                List.of(),
                home.resolve("keys/peer.key"),
                false,
                true,
                true,
                false,
                KademliaMode.AUTOMATIC,
                128,
                0,
                4_096));
    assertThat(config.audit()).isEqualTo(new AuditConfig(2, 900));
    assertThat(config.channels())
        .isEqualTo(
            new ChannelsConfig(
                Optional.empty(),
                false,
                TokenAmount.of(1_000_000),
                TokenAmount.of(20_000),
                30,
                20,
                TokenAmount.of(3_000_000_000L),
                15));
    assertThat(config.watchtower()).isEqualTo(new WatchtowerConfig(256));
    assertThat(config.workers())
        .isEqualTo(new WorkersConfig(List.of("cpu"), 0, 1_024, 60, 30_000, 3, 600, true));
    assertThat(config.jobs()).isEqualTo(new JobsConfig(200_000, 500, 256L << 20, 15_000));
    assertThat(config.blobs()).isEqualTo(new BlobsConfig(64L << 30, 256L << 20));
    assertThat(config.log()).isEqualTo(new LogConfig(LogConfig.Level.INFO, LogConfig.Format.TEXT));
  }

  @Test
  void everyKeyReachesItsOwnField() throws IOException {
    Map<String, String> all = new LinkedHashMap<>();
    for (EffectiveConfig.Entry entry : load(Map.of(), Map.of()).entries()) {
      all.put(entry.key(), sample(entry.key()));
    }
    assertThat(all).hasSizeGreaterThan(40);
    Files.writeString(home.resolve("rigmesh.yaml"), yaml(all));

    EffectiveConfig effective = load(Map.of(), Map.of());
    assertThat(effective.entries())
        .allSatisfy(e -> {
          assertThat(e.source()).isInstanceOf(EffectiveConfig.Source.File.class);
          assertThat(e.value()).isIn(all.get(e.key()), "(hidden)");
        });
    List<String> values = new ArrayList<>();
    fields("", effective.config(), values);
    assertThat(values)
        .as("each field has the value that the file gives to its key")
        .containsExactlyInAnyOrderElementsOf(
            all.entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList());
  }

  @Test
  void flagBeatsEnvironmentBeatsFileBeatsDefault() throws IOException {
    Files.writeString(
        home.resolve("rigmesh.yaml"),
        "rest:\n"
            + "  port: 1\n"
            + "  host: 0.0.0.0\n"
            + "audit:\n"
            + "  samples: 7\n"
            + "workers:\n"
            + "  devices: [cpu, cuda:0]\n");
    EffectiveConfig effective =
        load(
            Map.of("RIGMESH_REST_PORT", "2", "RIGMESH_REST_HOST", "::1", "PATH", "/bin"),
            Map.of("rest.port", "3"));

    assertThat(effective.config().rest().port()).isEqualTo(3);
    assertThat(effective.config().rest().host()).isEqualTo("::1");
    assertThat(effective.config().audit().samples()).isEqualTo(7);
    assertThat(effective.config().workers().devices()).containsExactly("cpu", "cuda:0");
    assertThat(source(effective, "rest.port")).isEqualTo("--set rest.port");
    assertThat(source(effective, "rest.host")).isEqualTo("RIGMESH_REST_HOST");
    assertThat(source(effective, "audit.samples")).endsWith("rigmesh.yaml");
    assertThat(source(effective, "log.level")).isEqualTo("default");
  }

  @Test
  void unknownKeysFailLoudlyWithTheFileAndTheKeyThatWasMeant() throws IOException {
    Path file = home.resolve("other.yaml");
    Files.writeString(file, "rest:\n  prot: 1\n");
    assertThatThrownBy(() -> ConfigLoader.load(home, Optional.of(file), Map.of(), Map.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("rest.prot")
        .hasMessageContaining("did you mean rest.port");
    assertThatThrownBy(() -> load(Map.of("RIGMESH_REST_PROT", "1"), Map.of()))
        .hasMessageContaining("RIGMESH_REST_PROT");
    assertThatThrownBy(() -> load(Map.of(), Map.of("nonsense", "1")))
        .hasMessageContaining("nonsense")
        .hasMessageContaining("config show");
  }

  @Test
  void removedKeysSayWhatTookTheirPlace() {
    assertThatThrownBy(() ->
            ConfigLoader.load(
                home,
                Optional.empty(),
                Map.of(),
                Map.of("rest.secret", "x"),
                Map.of("rest.secret", "write it into rest.token-file.")))
        .hasMessageContaining("rest.secret is no more; write it into rest.token-file");
  }

  @Test
  void wrongValuesSaySourceKeyAndWhatWouldBeRight() {
    assertThatThrownBy(() -> load(Map.of("RIGMESH_REST_PORT", "seventy"), Map.of()))
        .hasMessageContaining("RIGMESH_REST_PORT")
        .hasMessageContaining("rest.port")
        .hasMessageContaining("'seventy'")
        .hasMessageContaining("whole number");
    assertThatThrownBy(() -> load(Map.of(), Map.of("provider.enabled", "yes")))
        .hasMessageContaining("true or false");
    assertThatThrownBy(() -> load(Map.of(), Map.of("log.level", "loud")))
        .hasMessageContaining("error, warn, info, debug, trace");
    assertThatThrownBy(() -> load(Map.of(), Map.of("rest.port", "-1")))
        .hasMessageContaining("between 0 and");
    assertThatThrownBy(() -> load(Map.of(), Map.of("chain.escrow", "0x12")))
        .hasMessageContaining("40 hexadecimal digits");
    assertThatThrownBy(() -> load(Map.of(), Map.of("provider.offer-seconds", "3601")))
        .hasMessageContaining("provider.offer-seconds cannot be '3601'")
        .hasMessageContaining("between 10 and 3600");
  }

  @Test
  void malformedFileIsRefusedWithItsLine() throws IOException {
    Path file = home.resolve("rigmesh.yaml");
    Files.writeString(file, "rest:\n  port: [1\nlog: {\n");
    assertThatThrownBy(() -> load(Map.of(), Map.of()))
        .isInstanceOf(ConfigException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("line");
    Files.writeString(file, "rest:\n  port: 1\nrest:\n  port: 2\n");
    assertThatThrownBy(() -> load(Map.of(), Map.of())).hasMessageContaining("rest");
  }

  @Test
  void secretsAreNeverShown() {
    EffectiveConfig effective = load(Map.of("RIGMESH_KEYS_PASSWORD", "open sesame"), Map.of());
    assertThat(effective.config().keys().password()).contains("open sesame");
    assertThat(effective.entries().toString()).doesNotContain("sesame");
    String endpoint = "https://rpc.example/sesame";
    assertThat(load(Map.of(), Map.of("chain.rpc-urls", endpoint)).entries().toString())
        .doesNotContain("sesame");
    assertThatThrownBy(
            () -> load(Map.of(), Map.of("chain.rpc-urls", "x", "keys.pasword", "sesame")))
        .message()
        .doesNotContain("sesame");
  }

  private EffectiveConfig load(Map<String, String> environment, Map<String, String> flags) {
    return ConfigLoader.load(home, Optional.empty(), environment, flags);
  }

  private static String source(EffectiveConfig effective, String key) {
    return effective.entries().stream()
        .filter(e -> e.key().equals(key))
        .findFirst()
        .orElseThrow()
        .source()
        .toString();
  }

  /// A value that fits a key's type and that no other key has, as far as the type allows.
  private String sample(String key) {
    int number = Math.floorMod(key.hashCode(), 1_000_000) + 1;
    return switch (key) {
      case "provider.enabled",
          "provider.models-offered",
          "network.mdns",
          "network.port-mapping",
          "workers.native-code" ->
          "false";
      case "network.relay", "network.private-network", "channels.contract-signers" -> "true";
      case "network.kademlia" -> "server";
      case "provider.offer-seconds" -> "3599";
      case "network.listen", "network.bootstrap", "network.announce" ->
          "/ip4/192.0.2.1/tcp/" + (1 + number % 60_000);
      case "requester.provider" ->
          PeerId.of(new Ed25519PublicKey(Digests.sha256(new byte[] {1}).bytes())).toString();
      case "log.level" -> "trace";
      case "log.format" -> "json";
      case "chain.escrow",
          "chain.channels",
          "chain.registry",
          "chain.token",
          "chain.receipts",
          "channels.payer" ->
          Address.of(java.nio.ByteBuffer.allocate(20).putInt(number).array()).hex();
      case "rest.token-file",
          "chain.deployment-file",
          "keys.account-file",
          "keys.password-file",
          "network.key-file" ->
          home.resolve("file" + number).toString();
      case "rest.host",
          "keys.password",
          "provider.region",
          "workers.devices",
          "chain.rpc-urls",
          "chain.ws-urls" ->
          "text" + number;
      default -> Integer.toString(number);
    };
  }

  private static String yaml(Map<String, String> all) {
    StringBuilder out = new StringBuilder();
    for (String section :
        new TreeSet<>(all.keySet().stream().map(k -> k.split("\\.")[0]).toList())) {
      out.append(section).append(":\n");
      all.forEach((key, value) -> {
        if (key.startsWith(section + ".")) {
          out.append("  ")
              .append(key.substring(section.length() + 1))
              .append(": \"")
              .append(value)
              .append("\"\n");
        }
      });
    }
    return out.toString();
  }

  private static void fields(String prefix, Record record, List<String> out) {
    for (RecordComponent c : record.getClass().getRecordComponents()) {
      Object value;
      try {
        value = c.getAccessor().invoke(record);
      } catch (ReflectiveOperationException e) {
        throw new AssertionError(e);
      }
      String key = prefix + c.getName().replaceAll("([A-Z])", "-$1").toLowerCase();
      if (value instanceof Record nested && !(value instanceof TokenAmount)) {
        fields(key + ".", nested, out);
      } else if (!key.equals("home")) {
        Object plain = value instanceof Optional<?> o ? o.orElseThrow() : value;
        plain =
            plain instanceof List<?> l
                ? String.join(",", l.stream().map(String::valueOf).toList())
                : plain;
        plain = plain instanceof Enum<?> e ? e.name().toLowerCase() : plain;
        out.add(key + "=" + plain);
      }
    }
  }
}
