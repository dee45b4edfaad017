package io.rigmesh.worker.embed;

import java.util.List;

/// A model that turns the tokens of texts into vectors, one a token, and pools them. Serves one
/// thread at a time.
interface TokenEncoder extends AutoCloseable {
  /// The length of the vectors.
  int hiddenSize();

  /// Token ids run from 0 to this, excluded.
  int vocabularySize();

  /// One vector for each sequence, in their order; how they are computed together changes no bit.
  ///
  /// @param normalized whether vectors are scaled to length one
  /// @throws IllegalArgumentException when a sequence is empty or too long for the model, or has a
  ///   token that is not in the vocabulary
  List<float[]> pooled(List<int[]> sequences, Pooling pooling, boolean normalized);

  @Override
  void close();
}
