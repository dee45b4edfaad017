package io.rigmesh.worker.generate;

/// Why a generation ended.
public enum FinishReason {
  /// A stop token was generated.
  STOP_TOKEN,
  /// A stop string stands in the text.
  STOP_STRING,
  /// The most tokens that were asked for are there.
  TOKENS_MAX,
  /// The model has no position left.
  CONTEXT_FULL,
  /// All claimed tokens were recomputed.
  CLAIM_ENDED,
  /// Its time was over before it was done.
  DEADLINE,
  /// The one who asked wants no more.
  CANCELLED
}
