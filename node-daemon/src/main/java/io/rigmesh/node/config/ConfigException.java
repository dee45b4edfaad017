package io.rigmesh.node.config;

/// A setting is unknown, missing or wrong. The message names its source and key and says what would
/// be right; a restart does not help.
public final class ConfigException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /// What is wrong, in one or two sentences.
  public ConfigException(String message) {
    super(message);
  }

  /// What is wrong, in one or two sentences, and what showed it.
  public ConfigException(String message, Throwable cause) {
    super(message, cause);
  }
}
