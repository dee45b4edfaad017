package io.rigmesh.ledger.channel;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.Random;

/// A clock that is wrong, and now and then wrong by something else: it jumps, forwards and
/// backwards, every so many times that it is looked at.
final class FaultClock extends Clock {
  private static final int LOOKS = 50;
  private static final int HOUR_SECONDS = 3_600;

  private final Random random;
  private int looks;
  private long wrongBySeconds;

  FaultClock(long seed) {
    this.random = new Random(seed);
  }

  @Override
  public ZoneId getZone() {
    return ZoneOffset.UTC;
  }

  @Override
  public Clock withZone(ZoneId zone) {
    return this;
  }

  @Override
  public synchronized Instant instant() {
    if (looks++ % LOOKS == 0) {
      // One in eight is days ahead, also of the chain's clock.
      wrongBySeconds =
          random.nextInt(8) == 0
              ? 400L * 24 * HOUR_SECONDS
              : random.nextInt(2 * HOUR_SECONDS) - HOUR_SECONDS;
    }
    return Instant.now().plusSeconds(wrongBySeconds);
  }
}
