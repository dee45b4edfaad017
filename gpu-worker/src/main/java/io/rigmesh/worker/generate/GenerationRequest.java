package io.rigmesh.worker.generate;

import java.util.List;
import java.util.Optional;
import java.util.Set;

/// What is to be generated.
///
/// @param prompt the tokens before the first generated one, at least one
/// @param sampling how tokens are chosen
/// @param tokensMax the most tokens to generate, those of an interrupted run included
/// @param stopTokens a token of these is generated and ends the text
public record GenerationRequest(
    List<Integer> prompt, SamplingParameters sampling, int tokensMax, Set<Integer> stopTokens) {
  /// Refuses an empty prompt and a limit of no tokens.
  public GenerationRequest {
    prompt = List.copyOf(prompt);
    stopTokens = Set.copyOf(stopTokens);
    if (prompt.isEmpty()) {
      throw new IllegalArgumentException(
          "A prompt has at least one token; begin with the model's begin token if there is no text.");
    }
    if (tokensMax < 1) {
      throw new IllegalArgumentException("tokensMax=" + tokensMax + " must be at least 1.");
    }
  }

  /// The prompt's tokens in a new array.
  public int[] promptTokens() {
    return prompt.stream().mapToInt(Integer::intValue).toArray();
  }

  /// Why a generation ends after so many tokens, the last being `lastToken`, if it does.
  ///
  /// @param positionsMax how many positions the model has
  public Optional<FinishReason> reasonToStop(int count, int lastToken, int positionsMax) {
    if (stopTokens.contains(lastToken)) {
      return Optional.of(FinishReason.STOP_TOKEN);
    }
    if (count >= tokensMax) {
      return Optional.of(FinishReason.TOKENS_MAX);
    }
    if (prompt.size() + count >= positionsMax) {
      return Optional.of(FinishReason.CONTEXT_FULL);
    }
    return Optional.empty();
  }

  /// Where a generation of these tokens has to end, or empty if it has to go on after all of them.
  ///
  /// @param positionsMax how many positions the model has
  public Optional<Ending> ending(int[] generated, int positionsMax) {
    for (int count = 1; count <= generated.length; count++) {
      Optional<FinishReason> reason = reasonToStop(count, generated[count - 1], positionsMax);
      if (reason.isPresent()) {
        return Optional.of(new Ending(count, reason.get()));
      }
    }
    return Optional.empty();
  }
}
