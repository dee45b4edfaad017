package io.rigmesh.worker.selftest;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class WarmUpTest {
  /// What the integer product of a CPU took while it was compiled: the first run alone is longer
  /// than any warm-up, and the next three times as slow as those in the end.
  @Test
  void aFirstRunOfManySecondsDoesNotEndIt() {
    WarmUp warm = new WarmUp();
    for (double seconds : new double[] {3.9, 0.12, 0.06, 0.055, 0.03, 0.02, 0.02, 0.02, 0.02}) {
      warm.ran(seconds);
      assertThat(warm.done()).isFalse();
    }
    assertThat(runsUntilDone(warm, 0.02)).isBetween(1, 10);
  }

  @Test
  void aDeviceThatIsFastAtOnceRunsForTheLeastTime() {
    WarmUp warm = new WarmUp();
    warm.ran(0.5);
    assertThat(runsUntilDone(warm, 0.001)).isBetween(400, 405);
  }

  @Test
  void slowRunsEndItOnceTheyGainNothing() {
    WarmUp warm = new WarmUp();
    warm.ran(2);
    assertThat(runsUntilDone(warm, 1)).isEqualTo(6);
  }

  @Test
  void whoeverGainsForeverIsTimedAllTheSame() {
    WarmUp warm = new WarmUp();
    double run = 1;
    int runs = 0;
    while (!warm.done()) {
      warm.ran(run);
      run *= 0.9;
      runs++;
    }
    assertThat(runs).isLessThan(100);
  }

  private static int runsUntilDone(WarmUp warm, double seconds) {
    int runs = 0;
    while (!warm.done()) {
      warm.ran(seconds);
      runs++;
    }
    return runs;
  }
}
