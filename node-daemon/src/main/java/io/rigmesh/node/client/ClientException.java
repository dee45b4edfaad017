package io.rigmesh.node.client;

/// The daemon did not do what it was asked. The message is one sentence for a person, with the
/// remedy.
public final class ClientException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final boolean laterMayHelp;

  private ClientException(boolean laterMayHelp, String message) {
    super(message);
    this.laterMayHelp = laterMayHelp;
  }

  private ClientException(boolean laterMayHelp, String message, Throwable cause) {
    super(message, cause);
    this.laterMayHelp = laterMayHelp;
  }

  /// A later try may help.
  static ClientException retry(String message) {
    return new ClientException(true, message);
  }

  /// A later try may help.
  static ClientException retry(String message, Throwable cause) {
    return new ClientException(true, message, cause);
  }

  /// The same request will fail again.
  static ClientException hopeless(String message) {
    return new ClientException(false, message);
  }

  /// The same request will fail again.
  static ClientException hopeless(String message, Throwable cause) {
    return new ClientException(false, message, cause);
  }

  /// True if the same request may succeed later.
  public boolean laterMayHelp() {
    return laterMayHelp;
  }
}
