package io.rigmesh.worker.cuda;

import io.rigmesh.worker.kernels.NonFiniteException;
import java.util.ArrayList;
import java.util.List;

/// Launches that run one after the other, each seeing what those before it wrote. Plain data: a
/// driver executes it, an interpreter can, and what it will cost is counted without running it.
///
/// @param name for people
/// @param launches in their order
public record LaunchPlan(String name, List<Launch> launches) {
  /// How many fault numbers every launch has.
  static final int FAULTS_PER_LAUNCH = 8;

  /// What the fault word holds while nothing went wrong.
  public static final long NO_FAULT = -1L;

  /// The fault word has 16 bits for the number of an operation.
  static final int LAUNCHES_MAX = 65_535 / FAULTS_PER_LAUNCH;

  /// Refuses plans whose faults could not be told apart.
  public LaunchPlan {
    launches = List.copyOf(launches);
    if (launches.isEmpty() || launches.size() > LAUNCHES_MAX) {
      throw new IllegalArgumentException(
          "A plan has 1 to %d launches, but %s has %d."
              .formatted(LAUNCHES_MAX, name, launches.size()));
    }
  }

  /// Throws what a fault word tells: the earliest operation of this plan that gave NaN or infinity,
  /// and its lowest index there.
  ///
  /// @param word as fault.cuh writes it, or [#NO_FAULT]
  public void check(long word) {
    if (word == NO_FAULT) {
      return;
    }
    int number = (int) (word >>> 48);
    Launch launch = launches.get(number / FAULTS_PER_LAUNCH);
    String op = launch.faults().get(number % FAULTS_PER_LAUNCH);
    throw new NonFiniteException(
        op + " (" + launch.what() + ")",
        (int) (word >>> 16),
        Float.intBitsToFloat((int) (word & 0xffff) << 16));
  }

  /// The bytes that all launches move.
  public long bytes() {
    return launches.stream().mapToLong(launch -> launch.work().bytes()).sum();
  }

  /// The operations of all launches on one unit.
  public long operations(Work.Unit unit) {
    return launches.stream()
        .map(Launch::work)
        .filter(work -> work.unit() == unit)
        .mapToLong(Work::operations)
        .sum();
  }

  /// Writes a plan, launch after launch.
  static final class Builder {
    private final String name;
    private final List<Launch> launches = new ArrayList<>();

    Builder(String name) {
      this.name = name;
    }

    /// The first fault number of the next launch.
    int nextFault() {
      return launches.size() * FAULTS_PER_LAUNCH;
    }

    void add(Launch launch) {
      if (launch.faults().size() > FAULTS_PER_LAUNCH) {
        throw new IllegalArgumentException(launch.what() + " has too many kinds of faults.");
      }
      launches.add(launch);
    }

    LaunchPlan build() {
      return new LaunchPlan(name, launches);
    }
  }
}
