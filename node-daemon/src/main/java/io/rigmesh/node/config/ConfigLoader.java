package io.rigmesh.node.config;

import io.rigmesh.node.config.EffectiveConfig.Entry;
import io.rigmesh.node.config.EffectiveConfig.Source;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Reads the settings: defaults, over which goes the YAML file, over which goes the environment,
/// over which go flags. A key that no setting has is an error that names file and key.
public final class ConfigLoader {
  /// Settings that were, and what to write instead.
  private static final Map<String, String> REMOVED =
      Map.of(
          "requester.provider-url",
          "providers are found by their offers: name a peer with network.bootstrap",
          "requester.provider-token-file",
          "providers are found by their offers: name a peer with network.bootstrap",
          "requester.provider-timeout-seconds",
          "it is requester.timeout-seconds now");

  /// Variables that the launcher and the command line read for themselves.
  private static final Set<String> OTHER_VARIABLES = Set.of("RIGMESH_HOME", "RIGMESH_JAVA_OPTS");

  private static final String PREFIX = "RIGMESH_";

  private final Map<String, String> removed;

  private ConfigLoader(Map<String, String> removed) {
    this.removed = removed;
  }

  /// Reads the settings.
  ///
  /// @param home the node's folder
  /// @param file the YAML file; where empty, `rigmesh.yaml` in the home if it is there
  /// @param environment all environment variables; those that start with `RIGMESH_` count
  /// @param flags values by key, from the command line, such as `rest.port`
  /// @throws ConfigException if a setting is unknown or wrong
  public static EffectiveConfig load(
      Path home, Optional<Path> file, Map<String, String> environment, Map<String, String> flags) {
    return new ConfigLoader(REMOVED).read(home, file, environment, flags);
  }

  static EffectiveConfig load(
      Path home,
      Optional<Path> file,
      Map<String, String> environment,
      Map<String, String> flags,
      Map<String, String> removed) {
    return new ConfigLoader(removed).read(home, file, environment, flags);
  }

  private EffectiveConfig read(
      Path home, Optional<Path> file, Map<String, String> environment, Map<String, String> flags) {
    Path root = home.toAbsolutePath().normalize();
    Map<String, SettingKey> keys = SettingKey.of(NodeConfig.class);
    Map<String, Given> given = new LinkedHashMap<>();
    YamlFile.read(root, file)
        .forEach((key, yaml) -> put(keys, given, key, yaml.value(), new Source.File(yaml.at())));
    Map<String, String> byVariable = new TreeMap<>();
    keys.keySet().forEach(key -> byVariable.put(variable(key), key));
    new TreeMap<>(environment)
        .forEach((name, value) -> {
          if (!name.startsWith(PREFIX) || OTHER_VARIABLES.contains(name)) {
            return;
          }
          String key = byVariable.get(name);
          if (key == null) {
            throw new ConfigException(
                "The environment variable "
                    + name
                    + " names no setting; `rigmesh config show` lists them all.");
          }
          put(keys, given, key, value, new Source.Environment(name));
        });
    flags.forEach((key, value) -> put(keys, given, key, value, new Source.Flag("--set " + key)));

    List<Entry> entries = new ArrayList<>();
    Map<String, Object> values = new LinkedHashMap<>();
    for (SettingKey key : keys.values()) {
      Given g = given.getOrDefault(key.key(), new Given(key.defaultText(), new Source.Default()));
      values.put(key.key(), key.parse(g.text, g.source, root));
      // A default is known to everyone.
      boolean hide = key.secret() && !g.text.isEmpty() && !(g.source instanceof Source.Default);
      entries.add(new Entry(key.key(), hide ? "(hidden)" : g.text, g.source, key.help()));
    }
    return new EffectiveConfig(SettingKey.build(NodeConfig.class, root, values), entries);
  }

  private void put(
      Map<String, SettingKey> keys,
      Map<String, Given> given,
      String key,
      String text,
      Source source) {
    if (removed.containsKey(key)) {
      throw new ConfigException(
          source + ": the setting " + key + " is no more; " + removed.get(key));
    }
    if (!keys.containsKey(key)) {
      throw new ConfigException(
          source + ": there is no setting " + key + SettingKey.nearest(key, keys.keySet()) + ".");
    }
    given.put(key, new Given(text, source));
  }

  /// The environment variable of a key: `rest.token-file` is `RIGMESH_REST_TOKEN_FILE`.
  public static String variable(String key) {
    return PREFIX + key.toUpperCase(java.util.Locale.ROOT).replace('.', '_').replace('-', '_');
  }

  private record Given(String text, Source source) {}
}
