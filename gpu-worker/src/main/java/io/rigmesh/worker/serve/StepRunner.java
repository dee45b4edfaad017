package io.rigmesh.worker.serve;

import io.rigmesh.protocol.Profile;
import io.rigmesh.worker.llama.LlamaConfig;

/// A model on one device, with a pool of key-value pages: runs steps, and knows nothing of
/// requests.
///
/// Every implementation gives the same bits for a row, whatever other rows the step has, how a
/// sequence was cut into steps and which pages it lies in (invariants I1 and I2 of
/// docs/numerics.md). Serves one thread at a time.
public interface StepRunner extends AutoCloseable {
  /// The model's sizes.
  LlamaConfig config();

  /// The arithmetic.
  Profile profile();

  /// How many pages the pool has; page tables name them by 0 to this, excluded.
  int pages();

  /// The most rows of one step.
  int rowsMax();

  /// The most rows of one step that want a result.
  default int outputsMax() {
    return rowsMax();
  }

  /// Runs one step: writes the keys and values of its rows into their pages and computes what the
  /// output asks for.
  ///
  /// @throws IllegalArgumentException when a token is outside the vocabulary, a position outside
  ///   the model, a page outside the pool, or the step has more rows than [#rowsMax]
  /// @throws io.rigmesh.worker.kernels.NonFiniteException when a result overflows
  StepOutput run(Step step);

  /// Gives the pages and buffers back.
  @Override
  void close();
}
