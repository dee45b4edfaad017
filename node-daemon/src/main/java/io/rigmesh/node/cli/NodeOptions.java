package io.rigmesh.node.cli;

import io.rigmesh.node.client.DaemonClient;
import io.rigmesh.node.config.ConfigLoader;
import io.rigmesh.node.config.EffectiveConfig;
import io.rigmesh.node.config.NodeConfig;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Which node a command is about: the options that every such command has.
final class NodeOptions {
  @Option(
      names = "--home",
      paramLabel = "DIR",
      description = "The node's folder (default: RIGMESH_HOME, else ~/.rigmesh).")
  private @Nullable Path home;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "The configuration file (default: rigmesh.yaml in the home).")
  private @Nullable Path config;

  @Option(
      names = "--set",
      paramLabel = "KEY=VALUE",
      description = "Set one setting, above file and environment; may be repeated.")
  private final Map<String, String> settings = new LinkedHashMap<>();

  @Option(names = "--port", paramLabel = "PORT", description = "Short for --set rest.port=PORT.")
  private @Nullable Integer port;

  /// The node's folder.
  Path home() {
    Path named = home;
    if (named != null) {
      return named.toAbsolutePath().normalize();
    }
    String variable = System.getenv("RIGMESH_HOME");
    return variable != null && !variable.isBlank()
        ? Path.of(variable).toAbsolutePath().normalize()
        : Path.of(System.getProperty("user.home"), ".rigmesh");
  }

  /// The settings, with where each comes from.
  EffectiveConfig effective() {
    Map<String, String> flags = new LinkedHashMap<>(settings);
    Integer named = port;
    if (named != null) {
      flags.put("rest.port", named.toString());
    }
    return ConfigLoader.load(home(), Optional.ofNullable(config), System.getenv(), flags);
  }

  /// The settings.
  NodeConfig settings() {
    return effective().config();
  }

  /// A client of the node's daemon.
  DaemonClient client() {
    return DaemonClient.of(settings());
  }
}
