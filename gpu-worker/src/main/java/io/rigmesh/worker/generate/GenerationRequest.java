package io.rigmesh.worker.generate;

import java.util.List;
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

  int[] promptTokens() {
    return prompt.stream().mapToInt(Integer::intValue).toArray();
  }
}
