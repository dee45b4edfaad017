package io.rigmesh.libp2p;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/// Waits for what another thread or machine brings about.
public final class Eventually {
  private Eventually() {}

  /// Polls until the condition holds.
  ///
  /// @throws AssertionError with the description when it does not hold in time
  public static void await(String description, Duration within, BooleanSupplier condition) {
    long deadline = System.nanoTime() + within.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("Not within " + within.toMillis() + " ms: " + description);
      }
      try {
        Thread.sleep(5);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new AssertionError("Interrupted while waiting for: " + description, e);
      }
    }
  }

  public static void await(String description, BooleanSupplier condition) {
    await(description, Duration.ofSeconds(60), condition);
  }
}
