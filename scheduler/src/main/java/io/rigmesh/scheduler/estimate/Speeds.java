package io.rigmesh.scheduler.estimate;

import io.rigmesh.protocol.JobKind;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;

/// How fast each device has been, by kind of work: operations of [Estimate] per second, the newest
/// counting most. Not thread-safe.
public final class Speeds {
  /// How much the newest measurement counts.
  private static final double NEWEST = 0.3;

  private final Map<Key, Double> measured = new HashMap<>();

  /// What a speed is of.
  ///
  /// @param device the device's id
  /// @param kind the kind of work
  public record Key(String device, JobKind kind) {}

  /// Takes in that a job took so long. Jobs below a tenth of a second say nothing about speed.
  public void observe(Key key, double operations, double seconds) {
    if (seconds >= 0.1 && operations > 0) {
      measured.merge(key, operations / seconds, (old, now) -> old * (1 - NEWEST) + now * NEWEST);
    }
  }

  /// Sets a speed that was measured in an earlier life of the process.
  public void restore(Key key, double operationsPerSecond) {
    if (operationsPerSecond > 0 && Double.isFinite(operationsPerSecond)) {
      measured.put(key, operationsPerSecond);
    }
  }

  /// Operations per second, once they were measured.
  public OptionalDouble operationsPerSecond(Key key) {
    Double speed = measured.get(key);
    return speed == null ? OptionalDouble.empty() : OptionalDouble.of(speed);
  }

  /// How long so many operations will take; 0 while the device has not been measured, so that the
  /// first job of a kind is taken.
  public double seconds(Key key, double operations) {
    OptionalDouble speed = operationsPerSecond(key);
    return speed.isEmpty() ? 0 : operations / speed.getAsDouble();
  }

  /// Every measured speed.
  public Map<Key, Double> all() {
    return Map.copyOf(measured);
  }
}
