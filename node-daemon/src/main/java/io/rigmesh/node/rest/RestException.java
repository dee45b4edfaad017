package io.rigmesh.node.rest;

import org.jspecify.annotations.Nullable;

/// The REST interface cannot be served. The message says what a person can do.
public final class RestException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  RestException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
