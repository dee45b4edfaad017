package io.rigmesh.libp2p.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReceiveWindowTest {
  private static final int INITIAL = Frames.INITIAL_WINDOW_BYTES;
  private static final long ROUND_TRIP = 3_000_000;

  private final ReceiveWindow window = new ReceiveWindow(16 * 1024 * 1024, 0);

  @Test
  void theRemoteMaySendTheWindowAndNotAByteMore() {
    assertThat(window.take(INITIAL)).isTrue();
    assertThat(window.take(1)).isFalse();
  }

  @Test
  void nothingIsCreditedBeforeHalfIsConsumed() {
    window.take(INITIAL);
    window.consume(INITIAL / 2 - 1);
    assertThat(window.credit(1, ROUND_TRIP, bytes -> true)).isZero();
    window.consume(1);
    assertThat(window.credit(100 * ROUND_TRIP, ROUND_TRIP, bytes -> true)).isEqualTo(INITIAL / 2);
    assertThat(window.available()).isEqualTo(INITIAL / 2);
  }

  @Test
  void aWindowUsedUpWithinAFewRoundTripsDoublesUpToItsLimit() {
    long now = 0;
    long size = INITIAL;
    for (int i = 0; i < 10; i++) {
      assertThat(window.take(size / 2)).isTrue();
      window.consume((int) (size / 2));
      now += ROUND_TRIP;
      long delta = window.credit(now, ROUND_TRIP, bytes -> true);
      long grown = Math.min(2 * size, 16 * 1024 * 1024);
      assertThat(delta).isEqualTo(size / 2 + grown - size);
      size = grown;
    }
    assertThat(window.reserved()).isEqualTo(16 * 1024 * 1024 - INITIAL);
  }

  @Test
  void aSlowReaderKeepsASmallWindow() {
    window.take(INITIAL);
    window.consume(INITIAL);
    assertThat(window.credit(5 * ROUND_TRIP, ROUND_TRIP, bytes -> true)).isEqualTo(INITIAL);
    assertThat(window.reserved()).isZero();
  }

  @Test
  void onAShortPathItGrowsUntilTheEndsNeedNotWakeEachOtherOften() {
    long shortRoundTrip = 50_000;
    long millisecond = 1_000_000;
    window.take(INITIAL);
    window.consume(INITIAL);
    assertThat(window.credit(7 * millisecond, shortRoundTrip, bytes -> true))
        .isEqualTo(2 * INITIAL);
    window.take(INITIAL);
    window.consume(INITIAL);
    assertThat(window.credit(16 * millisecond, shortRoundTrip, bytes -> true)).isEqualTo(INITIAL);
    assertThat(window.reserved()).isEqualTo(INITIAL);
  }

  @Test
  void withoutAMeasuredRoundTripItKeepsItsSize() {
    window.take(INITIAL);
    window.consume(INITIAL);
    assertThat(window.credit(1, 0, bytes -> true)).isEqualTo(INITIAL);
  }

  @Test
  void withoutMemoryItKeepsItsSize() {
    window.take(INITIAL);
    window.consume(INITIAL);
    assertThat(window.credit(1, ROUND_TRIP, bytes -> false)).isEqualTo(INITIAL);
    assertThat(window.reserved()).isZero();
  }
}
