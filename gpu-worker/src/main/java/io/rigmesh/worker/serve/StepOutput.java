package io.rigmesh.worker.serve;

import io.rigmesh.worker.tensor.Tensor;
import java.util.Arrays;
import java.util.List;

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

  /// The token of every draw as [io.rigmesh.worker.generate.Sampler] chooses it, where the runner
  /// can do that without bringing logits to the host; [#ON_HOST] where the caller has to choose
  /// from [#logits], which is also where errors of single draws are told.
  default int[] sample(List<Draw> draws) {
    int[] tokens = new int[draws.size()];
    Arrays.fill(tokens, ON_HOST);
    return tokens;
  }

  /// What [#sample] gives for a draw that it leaves to the caller.
  int ON_HOST = -1;
}
