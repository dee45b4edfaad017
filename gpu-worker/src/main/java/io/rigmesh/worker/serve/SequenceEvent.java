package io.rigmesh.worker.serve;

import io.rigmesh.worker.generate.Ending;
import io.rigmesh.worker.generate.GeneratedToken;
import io.rigmesh.worker.generate.Logprobs;
import java.util.Optional;

/// What happens to a sequence: tokens, then one end.
public sealed interface SequenceEvent {
  /// A token was chosen.
  ///
  /// @param token the token and its evidence
  /// @param logprobs what the model thought of it and of others, where that was asked for
  record Token(GeneratedToken token, Optional<Logprobs> logprobs) implements SequenceEvent {}

  /// There are no more.
  record Ended(Ending ending) implements SequenceEvent {}

  /// The sequence is lost.
  ///
  /// @param cause what was thrown: by its own numbers, or by the device
  record Failed(RuntimeException cause) implements SequenceEvent {}
}
