package io.rigmesh.libp2p.transport;

import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/// Takes the wrapping off what a future failed with.
public final class Failures {
  private Failures() {}

  public static Throwable unwrapped(Throwable failure) {
    Throwable cause = failure;
    while ((cause instanceof CompletionException || cause instanceof ExecutionException)
        && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  /// One line for people.
  public static String message(Throwable failure) {
    Throwable cause = unwrapped(failure);
    return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
  }
}
