package io.rigmesh.worker.embed;

import io.rigmesh.worker.bert.BertConfig;
import io.rigmesh.worker.tensor.Tensor;

/// A BERT encoder, loaded where it computes. Sequences of a pass are rows of one matrix, one after
/// another and never padded; in which company a sequence is changes no bit of it. Serves one thread
/// at a time.
public interface BertRunner extends AutoCloseable {
  /// The sizes.
  BertConfig config();

  /// The most tokens of one pass.
  int rowsMax();

  /// The last hidden state of every token.
  ///
  /// @param ids the tokens of all sequences, one after another
  /// @param lengths how many of them belong to each sequence
  /// @return `(T, hidden)`, its rows as the ids; valid until the next call
  /// @throws IllegalArgumentException when an id is not in the vocabulary, a sequence is empty or
  ///   longer than the model's positions, or there are more than [#rowsMax()] tokens
  Tensor encode(int[] ids, int[] lengths);

  /// One vector for each sequence, in their order, `(sequences, hidden)`; valid until the next
  /// call. Sequences as in [#encode].
  ///
  /// @param normalized whether vectors are scaled to length one
  Tensor pooled(int[] ids, int[] lengths, Pooling pooling, boolean normalized);

  @Override
  void close();
}
