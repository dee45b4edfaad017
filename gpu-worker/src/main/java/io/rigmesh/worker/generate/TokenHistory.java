package io.rigmesh.worker.generate;

import java.util.HashMap;
import java.util.Map;

/// Which tokens stand in a sequence before the one that is chosen, and how often each was
/// generated. Serves one thread at a time.
public final class TokenHistory {
  private final Map<Integer, Integer> generated = new HashMap<>();

  /// What is done with each token of the sequence.
  @FunctionalInterface
  public interface Visitor {
    /// @param generated how often it was generated; 0 for one that only the prompt has
    void visit(int tokenId, int generated);
  }

  /// The history of a prompt.
  public static TokenHistory of(int[] prompt) {
    TokenHistory history = new TokenHistory();
    for (int token : prompt) {
      history.generated.put(token, 0);
    }
    return history;
  }

  /// A token was generated.
  public void add(int tokenId) {
    generated.merge(tokenId, 1, Integer::sum);
  }

  /// Shows every token of the sequence once, in no order that means anything.
  public void forEach(Visitor visitor) {
    generated.forEach(visitor::visit);
  }
}
