package io.rigmesh.worker.verify;

import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;

/// Chooses what to recompute.
///
/// @param samples how much
record Selection(Samples samples) {
  boolean all() {
    return samples instanceof Samples.All;
  }

  /// Indexes from 0 to `total`, excluded, ascending: all, or as many different ones as asked.
  ///
  /// The choice is that of [Random], whose algorithm Java's specification fixes, so that a seed
  /// means the same on every machine: numbers below `total` are drawn until enough differ.
  SortedSet<Integer> of(int total) {
    SortedSet<Integer> chosen = new TreeSet<>();
    switch (samples) {
      case Samples.Some(var count, var seed) when count < total -> {
        Random random = new Random(seed);
        while (chosen.size() < count) {
          chosen.add(random.nextInt(total));
        }
      }
      case Samples.Some _, Samples.All _ -> {
        for (int i = 0; i < total; i++) {
          chosen.add(i);
        }
      }
    }
    return chosen;
  }
}
