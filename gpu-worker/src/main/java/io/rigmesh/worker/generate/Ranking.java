package io.rigmesh.worker.generate;

import io.rigmesh.worker.tensor.Tensor;
import java.util.Arrays;

/// The order of tokens by likelihood: descending logit, equal ones by ascending id; +0 equals -0.
public final class Ranking {
  private Ranking() {}

  /// The ids of the `count` most likely tokens, in order, of logits `(1, V)`.
  public static int[] best(Tensor logits, int count) {
    int vocabularySize = logits.size();
    long[] keys = count > vocabularySize / 4 ? all(logits) : heap(logits, count);
    Arrays.sort(keys);
    int[] ids = new int[count];
    for (int i = 0; i < count; i++) {
      ids[i] = (int) keys[i];
    }
    return ids;
  }

  private static long[] all(Tensor logits) {
    long[] keys = new long[logits.size()];
    for (int id = 0; id < keys.length; id++) {
      keys[id] = key(logits, id);
    }
    return keys;
  }

  /// The best so far with the worst of them in front; most tokens are not better than that.
  private static long[] heap(Tensor logits, int count) {
    long[] keys = new long[count];
    for (int id = 0; id < count; id++) {
      keys[id] = key(logits, id);
    }
    for (int i = count / 2 - 1; i >= 0; i--) {
      sink(keys, i);
    }
    for (int id = count; id < logits.size(); id++) {
      long key = key(logits, id);
      if (count > 0 && key < keys[0]) {
        keys[0] = key;
        sink(keys, 0);
      }
    }
    return keys;
  }

  private static void sink(long[] keys, int from) {
    int parent = from;
    while (2 * parent + 1 < keys.length) {
      int child = 2 * parent + 1;
      if (child + 1 < keys.length && keys[child + 1] > keys[child]) {
        child++;
      }
      if (keys[child] <= keys[parent]) {
        return;
      }
      long swapped = keys[child];
      keys[child] = keys[parent];
      keys[parent] = swapped;
      parent = child;
    }
  }

  /// The smaller, the more likely.
  private static long key(Tensor logits, int id) {
    int bits = Float.floatToRawIntBits(logits.get(id) + 0f);
    int ascending = bits >= 0 ? bits : bits ^ Integer.MAX_VALUE;
    return (long) ~ascending << 32 | id;
  }
}
