package io.rigmesh.worker.task;

/// What whoever asked for a job wants of it, while it runs.
public enum Wanted {
  /// That it goes on to its end.
  WHOLE,
  /// That it ends now, with what it has for a result where that is one: the tokens of a generation.
  /// A job of another kind, or without a token, is cancelled.
  CONCLUDED,
  /// That it ends now, without a result.
  CANCELLED
}
