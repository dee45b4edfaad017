package io.rigmesh.worker.serve;

import io.rigmesh.protocol.Hash;
import io.rigmesh.worker.generate.GenerationRequest;
import java.util.OptionalLong;

/// What one sequence asks of an [Engine].
///
/// @param generation the prompt, how tokens are chosen and where the text ends
/// @param known tokens that are said to follow the prompt: of an interrupted run of the same
///   request, or of a claim
/// @param mode what is done with them
/// @param logprobs how many of the likeliest tokens are wanted beside each token, with the
///   logarithms of their probabilities; -1 for none, not even the token's own
/// @param scope sequences of one scope share the pages of equal beginnings; a requester's own
/// @param deadlineNanos the value of [System#nanoTime] at which the sequence ends, done or not
/// @param allowed how many tokens it may give before [TokenStream#allow] says more
@SuppressWarnings("ArrayRecordComponent") // Never compared.
public record SequenceRequest(
    GenerationRequest generation,
    int[] known,
    Mode mode,
    int logprobs,
    Hash scope,
    OptionalLong deadlineNanos,
    long allowed) {
  /// What lets a sequence go to its end.
  public static final long UNLIMITED = Long.MAX_VALUE;

  /// The most likely tokens that are told beside each token.
  public static final int LOGPROBS_MAX = 20;

  /// What is done with known tokens.
  public enum Mode {
    /// They are checked with the prompt's prefill and handed over again as far as the model chooses
    /// them; from the first that it does not, the generation goes on as if there were no more.
    GENERATE,
    /// Each is recomputed as if all before it were right, and nothing is generated after them.
    REPLAY
  }

  /// Refuses numbers out of range.
  public SequenceRequest {
    if (logprobs < -1 || logprobs > LOGPROBS_MAX) {
      throw new IllegalArgumentException(
          "logprobs=%d must be from 0 to %d, or -1 for none.".formatted(logprobs, LOGPROBS_MAX));
    }
    if (allowed < 0) {
      throw new IllegalArgumentException(
          "A sequence cannot be allowed %d tokens; 0 or more.".formatted(allowed));
    }
    if (mode == Mode.REPLAY && known.length == 0) {
      throw new IllegalArgumentException("A replay has at least one token to recompute.");
    }
  }

  /// One that may go to its end.
  public SequenceRequest(
      GenerationRequest generation,
      int[] known,
      Mode mode,
      int logprobs,
      Hash scope,
      OptionalLong deadlineNanos) {
    this(generation, known, mode, logprobs, scope, deadlineNanos, UNLIMITED);
  }

  /// A generation from its start, alone in its scope.
  public static SequenceRequest of(GenerationRequest generation) {
    return new SequenceRequest(
        generation, new int[0], Mode.GENERATE, -1, Hash.ZERO, OptionalLong.empty());
  }

  /// The same with known tokens.
  public SequenceRequest withKnown(int[] tokens, Mode wanted) {
    return new SequenceRequest(generation, tokens, wanted, logprobs, scope, deadlineNanos, allowed);
  }
}
