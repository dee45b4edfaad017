package io.rigmesh.node.quickstart;

/// The quickstart cannot go on. The message is one sentence with the remedy.
public final class QuickstartException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  QuickstartException(String message) {
    super(message);
  }

  QuickstartException(String message, Throwable cause) {
    super(message, cause);
  }
}
