package io.rigmesh.libp2p.yamux;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TokenBucketTest {
  private static final long SECOND = 1_000_000_000L;

  @Test
  void givesItsBurstAtOnceThenItsRate() {
    TokenBucket bucket = new TokenBucket(5, 10, 0);
    assertThat(taken(bucket, 100, 0)).isEqualTo(5);
    assertThat(taken(bucket, 100, SECOND / 10)).isEqualTo(1);
    assertThat(taken(bucket, 100, SECOND / 10 + SECOND / 5)).isEqualTo(2);
  }

  @Test
  void neverHoldsMoreThanItsBurst() {
    TokenBucket bucket = new TokenBucket(5, 10, 0);
    taken(bucket, 100, 0);
    assertThat(taken(bucket, 100, 1000 * SECOND)).isEqualTo(5);
  }

  @Test
  void overALongTimeItGivesItsRate() {
    TokenBucket bucket = new TokenBucket(5, 10, 0);
    int total = 0;
    for (int i = 0; i <= 1000; i++) {
      total += taken(bucket, 100, i * SECOND / 20);
    }
    assertThat(total).isBetween(500, 510);
  }

  private static int taken(TokenBucket bucket, int attempts, long now) {
    int taken = 0;
    for (int i = 0; i < attempts; i++) {
      if (bucket.take(now)) {
        taken++;
      }
    }
    return taken;
  }
}
