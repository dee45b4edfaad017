package io.rigmesh.worker.tokenizer;

import java.util.Arrays;

/// How often each pair of neighbouring tokens stands in the text, and in which words: an open hash
/// table. A pair is one long, its left id above its right id, so that pairs compare as their ids
/// do.
final class PairTable {

  /// No pair: ids are not negative.
  private static final long FREE = -1;

  private long[] pairs = new long[1 << 12];
  private long[] counts = new long[1 << 12];
  private int[][] words = new int[1 << 12][];
  private int[] wordCounts = new int[1 << 12];
  private int[] rounds = new int[1 << 12];
  private int size;

  private int round;
  private long[] grown = new long[64];
  private int grownCount;

  interface Visitor {
    void visit(long pair, long count);
  }

  PairTable() {
    Arrays.fill(pairs, FREE);
  }

  static long pair(int left, int right) {
    return ((long) left << 32) | right;
  }

  static int left(long pair) {
    return (int) (pair >>> 32);
  }

  static int right(long pair) {
    return (int) pair;
  }

  long count(long pair) {
    return counts[slot(pair)];
  }

  /// Adds occurrences of a pair in a word.
  void add(long pair, int occurrences, int word) {
    int slot = slot(pair);
    if (pairs[slot] == FREE) {
      if (size >= pairs.length / 2) {
        grow();
        slot = slot(pair);
      }
      pairs[slot] = pair;
      words[slot] = new int[2];
      size++;
    }
    counts[slot] += occurrences;
    int held = wordCounts[slot];
    if (held == 0 || words[slot][held - 1] != word) {
      if (held == words[slot].length) {
        words[slot] = Arrays.copyOf(words[slot], 2 * held);
      }
      words[slot][held] = word;
      wordCounts[slot] = held + 1;
    }
    if (rounds[slot] != round) {
      rounds[slot] = round;
      if (grownCount == grown.length) {
        grown = Arrays.copyOf(grown, 2 * grownCount);
      }
      grown[grownCount++] = pair;
    }
  }

  /// Takes away occurrences of a pair; its list of words may then name words that no longer have
  /// it.
  void subtract(long pair, int occurrences) {
    counts[slot(pair)] -= occurrences;
  }

  /// The words that may have the pair, which the table then forgets.
  int[] takeWords(long pair) {
    int slot = slot(pair);
    int[] taken = Arrays.copyOf(words[slot], wordCounts[slot]);
    words[slot] = new int[2];
    wordCounts[slot] = 0;
    return taken;
  }

  /// Starts to note which pairs [#add] is called for.
  void startRound() {
    round++;
    grownCount = 0;
  }

  /// The pairs added to since [#startRound()] that still stand in the text.
  void forEachGrown(Visitor visitor) {
    for (int i = 0; i < grownCount; i++) {
      long count = count(grown[i]);
      if (count > 0) {
        visitor.visit(grown[i], count);
      }
    }
  }

  void forEach(Visitor visitor) {
    for (int slot = 0; slot < pairs.length; slot++) {
      if (pairs[slot] != FREE && counts[slot] > 0) {
        visitor.visit(pairs[slot], counts[slot]);
      }
    }
  }

  /// The slot that holds the pair, or the free one that it would take.
  private int slot(long pair) {
    int mask = pairs.length - 1;
    int slot = (int) ((pair * 0x9E3779B97F4A7C15L) >>> 40) & mask;
    while (pairs[slot] != pair && pairs[slot] != FREE) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private void grow() {
    long[] oldPairs = pairs;
    long[] oldCounts = counts;
    int[][] oldWords = words;
    int[] oldWordCounts = wordCounts;
    int[] oldRounds = rounds;
    int capacity = 2 * oldPairs.length;
    pairs = new long[capacity];
    Arrays.fill(pairs, FREE);
    counts = new long[capacity];
    words = new int[capacity][];
    wordCounts = new int[capacity];
    rounds = new int[capacity];
    for (int old = 0; old < oldPairs.length; old++) {
      if (oldPairs[old] != FREE) {
        int slot = slot(oldPairs[old]);
        pairs[slot] = oldPairs[old];
        counts[slot] = oldCounts[old];
        words[slot] = oldWords[old];
        wordCounts[slot] = oldWordCounts[old];
        rounds[slot] = oldRounds[old];
      }
    }
  }
}
