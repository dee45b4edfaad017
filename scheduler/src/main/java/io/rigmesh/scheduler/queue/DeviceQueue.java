package io.rigmesh.scheduler.queue;

import io.rigmesh.protocol.Hash;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;

/// The jobs of one device: those that run, which is one or several that share a model, and those
/// that wait, the highest priority first, among equals the earliest deadline, then the earliest
/// arrival.
///
/// Jobs that run at once are reckoned as if each had its part of the device: what they take
/// together is at most what they would take one after the other.
final class DeviceQueue {
  private static final Comparator<Entry> ORDER =
      Comparator.comparingInt((Entry e) -> -e.work.priority())
          .thenComparingLong(e -> e.work.deadlineMillis())
          .thenComparingLong(e -> e.arrival);

  private final List<Entry> waiting = new ArrayList<>();
  private Device device;
  private boolean serving = true;
  private final List<Entry> running = new ArrayList<>();
  private long sharedAtMillis;

  DeviceQueue(Device device) {
    this.device = device;
  }

  /// A job and its hold.
  static final class Entry {
    final Work work;
    final long arrival;
    Lease lease;

    /// How long it had the device: its part of the time, where others ran beside it.
    double deviceMillis;

    Entry(Work work, long arrival, Lease lease) {
      this.work = work;
      this.arrival = arrival;
      this.lease = lease;
    }
  }

  Device device() {
    return device;
  }

  void device(Device now) {
    device = now;
  }

  boolean serving() {
    return serving;
  }

  void serving(boolean now) {
    serving = now;
  }

  List<Entry> running() {
    return List.copyOf(running);
  }

  /// Whether a job could start beside what runs.
  boolean hasRoomFor(Work work) {
    return running.isEmpty()
        || (running.size() < device.generationsMax()
            && running.stream().allMatch(entry -> entry.work.shares(work)));
  }

  /// Whether those that run are done in time even if a job beside them takes as much of the device
  /// from them as it would need alone.
  boolean keepsPromisesBeside(
      Work work, long nowMillis, ToLongFunction<Work> millis, long marginMillis) {
    long without = freeAtMillis(nowMillis, millis);
    long with = add(without, millis.applyAsLong(work));
    return running.stream()
        .noneMatch(e -> isLate(with, e, marginMillis) && !isLate(without, e, marginMillis));
  }

  List<Entry> waiting() {
    return List.copyOf(waiting);
  }

  void add(Entry entry) {
    waiting.add(entry);
    waiting.sort(ORDER);
  }

  void start(Entry entry, long nowMillis) {
    account(nowMillis);
    waiting.remove(entry);
    entry.deviceMillis = 0;
    running.add(entry);
  }

  /// Puts a running job back among those that wait.
  void requeue(Entry entry, Lease lease, long nowMillis) {
    account(nowMillis);
    running.remove(entry);
    entry.lease = lease;
    add(entry);
  }

  boolean remove(Hash job, long nowMillis) {
    account(nowMillis);
    return running.removeIf(e -> e.work.job().equals(job))
        || waiting.removeIf(e -> e.work.job().equals(job));
  }

  Optional<Entry> find(Hash job) {
    return Stream.concat(running.stream(), waiting.stream())
        .filter(e -> e.work.job().equals(job))
        .findFirst();
  }

  /// Gives those that run their parts of the time since the last change.
  private void account(long nowMillis) {
    for (Entry entry : running) {
      entry.deviceMillis += (double) Math.max(0, nowMillis - sharedAtMillis) / running.size();
    }
    sharedAtMillis = nowMillis;
  }

  /// When the device is free of what runs on it now, if that takes as long as reckoned.
  long freeAtMillis(long nowMillis, ToLongFunction<Work> millis) {
    account(nowMillis);
    long free = nowMillis;
    for (Entry entry : running) {
      free = add(free, Math.max(0, millis.applyAsLong(entry.work) - (long) entry.deviceMillis));
    }
    return free;
  }

  /// What would come of a job that joined those that wait, all of them or only the confirmed ones.
  Forecast with(
      Work work,
      boolean confirmedOnly,
      long nowMillis,
      ToLongFunction<Work> millis,
      long marginMillis) {
    Entry candidate =
        new Entry(work, Long.MAX_VALUE, new Lease(work.job(), "", Lease.Stage.PLACED, 0));
    List<Entry> order = new ArrayList<>();
    order.add(candidate);
    for (Entry e : waiting) {
      boolean counts = !confirmedOnly || e.lease.stage() == Lease.Stage.WAITING;
      if (counts && !e.work.job().equals(work.job())) {
        order.add(e);
      }
    }
    order.sort(ORDER);
    long without = freeAtMillis(nowMillis, millis);
    long with = without;
    long doneAt = with;
    boolean delaysOther = false;
    for (Entry e : order) {
      long took = millis.applyAsLong(e.work);
      with = add(with, took);
      if (e == candidate) {
        doneAt = with;
      } else {
        without = add(without, took);
        // A job that would be late anyway is not this one's fault.
        delaysOther |= isLate(with, e, marginMillis) && !isLate(without, e, marginMillis);
      }
    }
    return new Forecast(doneAt, delaysOther, isLate(doneAt, candidate, marginMillis));
  }

  private static boolean isLate(long doneAtMillis, Entry entry, long marginMillis) {
    return doneAtMillis > entry.work.deadlineMillis() - marginMillis;
  }

  private static long add(long a, long b) {
    long sum = a + b;
    return sum < a ? Long.MAX_VALUE : sum;
  }

  /// What would come of a job.
  ///
  /// @param doneAtMillis when it would be done
  /// @param delaysOther true if another would be late because of it
  /// @param late true if it would itself be late
  record Forecast(long doneAtMillis, boolean delaysOther, boolean late) {}
}
