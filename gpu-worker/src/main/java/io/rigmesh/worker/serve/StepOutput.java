package io.rigmesh.worker.serve;

import io.rigmesh.worker.tensor.Tensor;

/// What a step gave for the rows that want a result, in the order of its segments and, within one,
/// of positions. Each part is computed or copied to the host only when it is asked for; all of it
/// is valid until the runner's next step, and not to be written.
public interface StepOutput {
  /// The last hidden states, after the final norm: `(outputs, D)`.
  Tensor hidden();

  /// The logits of the output head: `(outputs, V)`.
  Tensor logits();

  /// The lowest token id that holds each row's largest logit: as many as outputs.
  int[] argmax();
}
