package io.rigmesh.worker.embed;

/// How the vectors of a sentence's tokens become one vector.
public enum Pooling {
  /// Their mean, over all tokens, special ones included: an ascending sum, then one division.
  MEAN,
  /// The vector of the first token, `[CLS]`.
  CLS,
  /// The vector of the last token, which alone has seen all others in a model that reads forwards.
  LAST_TOKEN
}
