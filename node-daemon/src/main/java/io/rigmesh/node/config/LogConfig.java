package io.rigmesh.node.config;

/// The log.
///
/// @param level error, warn, info, debug or trace
/// @param format text for people, json for programs
public record LogConfig(
    @Setting(value = "info", help = "error, warn, info, debug or trace.") Level level,
    @Setting(value = "text", help = "text for people, json for programs.") Format format) {
  /// How much is logged.
  public enum Level {
    /// What broke.
    ERROR,
    /// And what may break.
    WARN,
    /// And what happens.
    INFO,
    /// And how.
    DEBUG,
    /// And everything.
    TRACE
  }

  /// How it is written.
  public enum Format {
    /// For people.
    TEXT,
    /// For programs.
    JSON
  }
}
