package io.rigmesh.worker.generate;

/// Why a generation ended.
public enum FinishReason {
  /// A stop token was generated.
  STOP_TOKEN,
  /// The most tokens that were asked for are there.
  TOKENS_MAX,
  /// The model has no position left.
  CONTEXT_FULL,
  /// The one who asked wants no more.
  CANCELLED
}
