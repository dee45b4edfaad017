package io.rigmesh.worker.generate;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.Philox;
import io.rigmesh.worker.llama.RandomStream;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Map;

/// Chooses a token from logits, exactly: the same parameters, logits, tokens before and position
/// give the same token on every machine. The steps, in binary32, each operation one rounding (the
/// section on sampling in docs/numerics.md is the same text with its reasons):
/// 1. l = the logits. l(t) = l(t) + bias(t) for tokens with a bias. With a repetition penalty r,
///    for every token of the prompt or the text so far: l = l / r where l is above 0, else l * r.
///    For every token generated n times so far, n above 0: l = (l - n * frequency) - presence.
/// 2. Temperature 0 takes the largest l, of equal ones the lowest id. Otherwise z = l * (1 /
///    temperature) and p = softmax(z) over the vocabulary as [Kernels#softmax] defines it.
/// 3. Weights: w = p; +0 where p is below minP * (the largest p).
/// 4. Candidates are all tokens by ascending id; where topK or topP restrict them, by descending z,
///    equal ones by ascending id (+0 equals -0), cut after topK.
/// 5. S(i), for candidate i, is the sum of the chains of the whole blocks of 512 candidates before
///    its own, added in ascending order, plus the chain inside its own block up to and with i.
///    total = the block sum of w: over the candidates where topK is above 0, else over all tokens
///    by ascending id.
/// 6. With topP below 1 candidates are cut after the first with S(i) >= topP * total, if there is
///    one, and total becomes S of the last that is left.
/// 7. u = [Philox#uniform] at the token's position. The token is the first candidate with S(i)
///    above u * total. There always is one: u is at most 1 - 2^-24, so that u * total rounds to
///    less than total. S never falls, so whoever has the sums of blocks can look for the block
///    first.
///
/// It keeps scratch memory and serves one thread at a time.
public final class Sampler {
  /// How many of the most likely tokens are ranked before it is asked whether more are needed.
  private static final int RANKED_AT_FIRST = 256;

  private final Kernels kernels;
  private final Tensor logits; // (1, V)
  private final Tensor weights; // (1, V)
  private int[] order = new int[0];

  /// @param kernels what computes the softmax; it stays the caller's to close
  public Sampler(Kernels kernels, int vocabularySize) {
    this.kernels = kernels;
    this.logits = Tensor.zeros(1, vocabularySize);
    this.weights = Tensor.zeros(1, vocabularySize);
  }

  /// The token at absolute position `position` of the sequence.
  ///
  /// @param modelLogits what the position before it gave, `(1, V)`; left as they are
  /// @param history the tokens before it
  public int token(
      Tensor modelLogits, SamplingParameters parameters, TokenHistory history, int position) {
    if (parameters.isArgmax()) {
      return kernels.argmax(modelLogits)[0];
    }
    logits.copyFrom(modelLogits);
    adjust(parameters, history);
    kernels.checkFinite("logits with bias and penalties", logits);
    if (parameters.temperature() == 0f) {
      return kernels.argmax(logits)[0];
    }
    kernels.scale(logits, 1f / parameters.temperature(), logits);
    kernels.softmax(logits, weights);
    if (parameters.minP() > 0f) {
      dropUnlikely(parameters.minP());
    }
    float u = Philox.uniform(parameters.seed(), RandomStream.SAMPLING.lane(0), position);
    boolean restricted = parameters.topK() > 0 || parameters.topP() < 1f;
    return restricted ? fromMostLikely(parameters, u) : fromAll(u);
  }

  private void adjust(SamplingParameters parameters, TokenHistory history) {
    for (Map.Entry<Integer, Float> bias : parameters.bias().entrySet()) {
      int id = bias.getKey();
      if (id >= logits.size()) {
        throw new IllegalArgumentException(
            "The bias is for token %d, but the vocabulary of this model runs from 0 to %d."
                .formatted(id, logits.size() - 1));
      }
      logits.set(id, logits.get(id) + bias.getValue());
    }
    SamplingParameters.Penalties penalties = parameters.penalties();
    if (penalties.isNone()) {
      return;
    }
    history.forEach((id, generated) -> {
      float l = logits.get(id);
      if (penalties.repetition() != 1f) {
        l = l > 0f ? l / penalties.repetition() : l * penalties.repetition();
      }
      if (generated > 0) {
        l = (l - generated * penalties.frequency()) - penalties.presence();
      }
      logits.set(id, l);
    });
  }

  private void dropUnlikely(float minP) {
    float largest = 0f;
    for (int id = 0; id < weights.size(); id++) {
      largest = Math.max(largest, weights.get(id));
    }
    float least = minP * largest;
    for (int id = 0; id < weights.size(); id++) {
      if (weights.get(id) < least) {
        weights.set(id, 0f);
      }
    }
  }

  /// S of candidates that come one after the other.
  private static final class BlockSum {
    private int count;
    private float before;
    private float chain;

    /// S with one candidate more.
    float add(float weight) {
      if (count > 0 && count % Kernels.BLOCK == 0) {
        before += chain;
        chain = 0f;
      }
      count++;
      chain += weight;
      return before + chain;
    }
  }

  private int fromAll(float u) {
    float threshold = u * totalOfAll();
    BlockSum sum = new BlockSum();
    for (int id = 0; id < weights.size(); id++) {
      if (sum.add(weights.get(id)) > threshold) {
        return id;
      }
    }
    throw noneChosen(u);
  }

  private float totalOfAll() {
    BlockSum sum = new BlockSum();
    float total = 0f;
    for (int id = 0; id < weights.size(); id++) {
      total = sum.add(weights.get(id));
    }
    return total;
  }

  private int fromMostLikely(SamplingParameters parameters, float u) {
    int limit = parameters.topK() > 0 ? Math.min(parameters.topK(), logits.size()) : logits.size();
    // What a cut by topP leaves is most often among the first few.
    int ranked = parameters.topK() > 0 ? limit : Math.min(limit, RANKED_AT_FIRST);
    order = Ranking.best(logits, ranked);
    float total = parameters.topK() > 0 ? sumTo(limit) : totalOfAll();
    int kept = limit;
    if (parameters.topP() < 1f) {
      float wanted = parameters.topP() * total;
      kept = countReaching(wanted, ranked);
      if (kept > ranked && ranked < limit) {
        order = Ranking.best(logits, limit);
        kept = countReaching(wanted, limit);
      }
      kept = Math.min(kept, limit);
      total = sumTo(kept);
    }
    float threshold = u * total;
    BlockSum sum = new BlockSum();
    for (int i = 0; i < kept; i++) {
      if (sum.add(weight(i)) > threshold) {
        return order[i];
      }
    }
    throw noneChosen(u);
  }

  /// The number of candidates up to and with the first whose S reaches `wanted`; one more than
  /// `count` if none of so many does.
  private int countReaching(float wanted, int count) {
    BlockSum sum = new BlockSum();
    for (int i = 0; i < count; i++) {
      if (sum.add(weight(i)) >= wanted) {
        return i + 1;
      }
    }
    return count + 1;
  }

  /// S of the last of so many candidates.
  private float sumTo(int count) {
    BlockSum sum = new BlockSum();
    float total = 0f;
    for (int i = 0; i < count; i++) {
      total = sum.add(weight(i));
    }
    return total;
  }

  private float weight(int rank) {
    return weights.get(order[rank]);
  }

  private static IllegalStateException noneChosen(float u) {
    return new IllegalStateException(
        "no candidate reached " + u + " of the total, which cannot be: weights are finite");
  }
}
