package io.rigmesh.node.config;

import java.util.List;

/// The settings in force, and where each comes from.
///
/// @param config the settings
/// @param entries every setting by key, in the order of the records
public record EffectiveConfig(NodeConfig config, List<Entry> entries) {
  /// Copies the list.
  public EffectiveConfig {
    entries = List.copyOf(entries);
  }

  /// One setting.
  ///
  /// @param key its key, such as `rest.port`
  /// @param value its value as a person would write it; `(hidden)` for a secret that is set
  /// @param source where it comes from
  /// @param help what it is for
  public record Entry(String key, String value, Source source, String help) {}

  /// Where a value comes from.
  public sealed interface Source {
    /// Nothing was said.
    record Default() implements Source {
      @Override
      public String toString() {
        return "default";
      }
    }

    /// The configuration file.
    ///
    /// @param file its path
    record File(String file) implements Source {
      @Override
      public String toString() {
        return file;
      }
    }

    /// An environment variable.
    ///
    /// @param variable its name
    record Environment(String variable) implements Source {
      @Override
      public String toString() {
        return variable;
      }
    }

    /// The command line.
    ///
    /// @param flag the flag
    record Flag(String flag) implements Source {
      @Override
      public String toString() {
        return flag;
      }
    }
  }
}
