package io.rigmesh.worker.kernels.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.junit.jupiter.api.Test;

class ParallelForTest {
  @Test
  void everyItemIsComputedOnce() {
    try (ParallelFor parallel = new ParallelFor(3)) {
      for (int round = 0; round < 2_000; round++) {
        int count = 1 + round % 50;
        AtomicIntegerArray seen = new AtomicIntegerArray(count);
        boolean bad =
            parallel.run(
                count,
                1 + round % 4,
                (worker, from, to) -> {
                  for (int i = from; i < to; i++) {
                    seen.incrementAndGet(i);
                  }
                  return from <= 13 && 13 < to;
                });
        for (int i = 0; i < count; i++) {
          assertThat(seen.get(i)).isEqualTo(1);
        }
        assertThat(bad).isEqualTo(count > 13);
      }
    }
  }

  @Test
  void whatABodyThrowsReachesTheCallerAndTheNextLoopRuns() {
    try (ParallelFor parallel = new ParallelFor(2)) {
      for (int round = 0; round < 500; round++) {
        int failing = round % 40;
        assertThatThrownBy(() ->
                parallel.run(
                    40,
                    1,
                    (worker, from, to) -> {
                      if (from == failing) {
                        throw new IllegalStateException("item " + failing);
                      }
                      return false;
                    }))
            .isInstanceOf(IllegalStateException.class)
            .hasMessage("item " + failing);
        assertThat(parallel.run(40, 1, (worker, from, to) -> false)).isFalse();
      }
    }
  }

  @Test
  void aHelperThatFellAsleepIsWokenForTheNextLoop() {
    try (ParallelFor parallel = new ParallelFor(2)) {
      AtomicReferenceArray<Thread> threads = new AtomicReferenceArray<>(2);
      for (int round = 0; round < 5; round++) {
        CyclicBarrier both = new CyclicBarrier(2);
        parallel.run(
            2,
            1,
            (worker, from, to) -> {
              threads.set(worker, Thread.currentThread());
              try {
                both.await(60, TimeUnit.SECONDS);
              } catch (Exception e) {
                throw new IllegalStateException("the other thread takes no item", e);
              }
              return false;
            });
        Thread helper = threads.get(1);
        while (helper.getState() != Thread.State.WAITING) {
          Thread.onSpinWait();
        }
      }
    }
  }
}
