package io.rigmesh.worker.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class PhiloxTest {
  /// The three known answers that Random123 publishes for philox4x32 with 10 rounds (its file
  /// kat_vectors).
  @Test
  void givesThePublishedKnownAnswers() {
    assertThat(scrambled(new int[] {0, 0, 0, 0}, 0, 0))
        .containsExactly(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8);
    assertThat(scrambled(new int[] {-1, -1, -1, -1}, -1, -1))
        .containsExactly(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd);
    assertThat(
            scrambled(
                new int[] {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0))
        .containsExactly(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1);
  }

  @Test
  void uniformNumbersFillTheirIntervalEvenly() {
    int[] counts = new int[10];
    for (int i = 0; i < 100_000; i++) {
      float u = Philox.uniform(42, 7, i);
      assertThat(u).isGreaterThanOrEqualTo(0f).isLessThan(1f);
      counts[(int) (u * 10)]++;
    }
    for (int count : counts) {
      assertThat(count).isBetween(9_600, 10_400);
    }
  }

  @Test
  void gaussianNumbersHaveMeanZeroAndVarianceOne() {
    double sum = 0;
    double squares = 0;
    int n = 100_000;
    for (int i = 0; i < n; i++) {
      float g = Philox.gaussian(42, 7, i);
      sum += g;
      squares += (double) g * g;
    }
    assertThat(Math.abs(sum / n)).isLessThan(0.015);
    assertThat(Math.abs(squares / n - 1)).isLessThan(0.02);
  }

  @Test
  void streamsAndSeedsDiffer() {
    assertThat(Philox.words(1, 2, 3)).isNotEqualTo(Philox.words(1, 3, 2));
    assertThat(Philox.words(1, 2, 3)).isNotEqualTo(Philox.words(2, 2, 3));
    assertThat(Philox.words(1L << 32, 2, 3)).isNotEqualTo(Philox.words(1, 2, 3));
  }

  private static int[] scrambled(int[] counter, int keyLow, int keyHigh) {
    Philox.scramble(counter, keyLow, keyHigh);
    return counter;
  }
}
