package io.rigmesh.worker.generate;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.NonFiniteException;
import io.rigmesh.worker.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Natural logarithms of probabilities, of the model's own distribution: before bias, penalties and
/// temperature.
///
/// @param chosen that of the chosen token
/// @param likeliest the most likely tokens, by descending logit and then ascending id
public record Logprobs(float chosen, List<Entry> likeliest) {
  private static final int NO_TARGET = -1;

  /// Copies the list.
  public Logprobs {
    likeliest = List.copyOf(likeliest);
  }

  /// A token and the logarithm of its probability.
  public record Entry(int tokenId, float logprob) {}

  /// Reads them off logits `(1, V)`: with m the largest logit, logprob(t) = (l(t) - m) - log(lane
  /// sum of exp(l - m)), which is the cross entropy of docs/numerics.md with the other sign.
  ///
  /// @param count how many of the likeliest are wanted
  /// @throws NonFiniteException naming `logprob` and the token whose logit is so far below the
  ///   largest that the difference overflows
  public static Logprobs of(Kernels kernels, Tensor logits, int chosen, int count) {
    int best = kernels.argmax(logits)[0];
    float largest = logits.get(best);
    // The cross entropy of the likeliest token is the logarithm of the sum alone.
    float logSum = kernels.crossEntropy(logits, new int[] {best}, NO_TARGET);
    float ofChosen = logprob(logits, chosen, largest, logSum);
    List<Entry> likeliest = new ArrayList<>();
    for (int id : Ranking.best(logits, Math.min(count, logits.size()))) {
      likeliest.add(new Entry(id, logprob(logits, id, largest, logSum)));
    }
    return new Logprobs(ofChosen, likeliest);
  }

  private static float logprob(Tensor logits, int id, float largest, float logSum) {
    return NonFiniteException.check("logprob", id, (logits.get(id) - largest) - logSum);
  }
}
