package io.rigmesh.protocol;

/// What a job used.
///
/// @param tokensIn tokens read: of the prompt, of the sentences, or of all training batches
/// @param tokensOut tokens made; 0 for training and embedding
/// @param steps optimiser steps, generated tokens, or embedded sentences: the length of the
///   commitment chain
public record Meter(long tokensIn, long tokensOut, long steps) {
  /// Checks the range.
  public Meter {
    if (tokensIn < 0 || tokensOut < 0 || steps < 0) {
      throw new MalformedException("a meter counts upwards from 0");
    }
  }
}
