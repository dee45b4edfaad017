package io.rigmesh.worker.generate;

import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.Philox;
import io.rigmesh.worker.llama.RandomStream;
import io.rigmesh.worker.tensor.Tensor;
import java.util.Arrays;

/// Chooses a token from logits, exactly: the same parameters, logits and position give the same
/// token on every machine.
///
/// Temperature 0 takes the largest logit, of equal ones the lowest token id. Otherwise, in
/// binary32:
/// 1. z = logit * (1 / temperature), p = softmax(z) over the vocabulary as [Kernels#softmax]
///    defines it.
/// 2. Candidates are all tokens in order of their ids; or, where topK or topP restrict them, in
///    descending order of z, equal ones by ascending id (+0 equals -0), cut after topK.
/// 3. total = ascending chain of additions of the candidates' p from +0. With topP below 1 the
///    candidates are cut after the first at which the chain reaches topP * total, and total becomes
///    the chain's value there.
/// 4. u = [Philox#uniform] at the token's position; the token is the first candidate at which the
///    chain exceeds u * total, or the last with p above 0 if none does.
public final class Sampler {
  private final Kernels kernels;
  private final SamplingParameters parameters;
  private final Tensor scaled; // (1, V)
  private final Tensor probabilities; // (1, V)
  private final long[] order; // (V)

  /// A sampler for logits of a vocabulary; it keeps scratch memory and serves one thread at a time.
  public Sampler(Kernels kernels, SamplingParameters parameters, int vocabularySize) {
    this.kernels = kernels;
    this.parameters = parameters;
    this.scaled = Tensor.zeros(1, vocabularySize);
    this.probabilities = Tensor.zeros(1, vocabularySize);
    this.order = new long[vocabularySize];
  }

  /// The token at absolute position `position` of the sequence, from the logits `(1, V)` that the
  /// position before it gave.
  public int token(Tensor logits, int position) {
    if (parameters.temperature() == 0f) {
      return kernels.argmax(logits)[0];
    }
    kernels.scale(logits, 1f / parameters.temperature(), scaled);
    kernels.softmax(scaled, probabilities);
    float u = Philox.uniform(parameters.seed(), RandomStream.SAMPLING.lane(0), position);
    boolean restricted = parameters.topK() > 0 || parameters.topP() < 1f;
    return restricted ? fromMostLikely(u) : fromAll(u);
  }

  private int fromAll(float u) {
    int count = probabilities.size();
    float total = 0f;
    for (int id = 0; id < count; id++) {
      total += probabilities.get(id);
    }
    float threshold = u * total;
    float sum = 0f;
    int last = 0;
    for (int id = 0; id < count; id++) {
      float p = probabilities.get(id);
      sum += p;
      if (sum > threshold) {
        return id;
      }
      last = p > 0f ? id : last;
    }
    return last;
  }

  private int fromMostLikely(float u) {
    int vocabularySize = scaled.size();
    for (int id = 0; id < vocabularySize; id++) {
      order[id] = (long) descending(scaled.get(id)) << 32 | id;
    }
    Arrays.sort(order);
    int count =
        parameters.topK() > 0 ? Math.min(parameters.topK(), vocabularySize) : vocabularySize;
    float total = 0f;
    for (int rank = 0; rank < count; rank++) {
      total += probability(rank);
    }
    if (parameters.topP() < 1f) {
      float wanted = parameters.topP() * total;
      float sum = 0f;
      int kept = 0;
      while (kept < count && (kept == 0 || sum < wanted)) {
        sum += probability(kept++);
      }
      count = kept;
      total = sum;
    }
    float threshold = u * total;
    float sum = 0f;
    int last = 0;
    for (int rank = 0; rank < count; rank++) {
      float p = probability(rank);
      sum += p;
      if (sum > threshold) {
        return (int) order[rank];
      }
      last = p > 0f ? rank : last;
    }
    return (int) order[last];
  }

  private float probability(int rank) {
    return probabilities.get((int) order[rank]);
  }

  /// An integer that is smaller the larger `value` is, and the same for +0 and -0.
  private static int descending(float value) {
    int bits = Float.floatToRawIntBits(value + 0f);
    int ascending = bits >= 0 ? bits : bits ^ Integer.MAX_VALUE;
    return ~ascending;
  }
}
