package io.rigmesh.scheduler.queue;

import io.rigmesh.protocol.Hash;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// The jobs of one device: at most one that runs, and those that wait, the highest priority first,
/// among equals the earliest deadline, then the earliest arrival.
final class DeviceQueue {
  private static final Comparator<Entry> ORDER =
      Comparator.comparingInt((Entry e) -> -e.work.priority())
          .thenComparingLong(e -> e.work.deadlineMillis())
          .thenComparingLong(e -> e.arrival);

  private final List<Entry> waiting = new ArrayList<>();
  private Device device;
  private boolean serving = true;
  private @Nullable Entry running;

  DeviceQueue(Device device) {
    this.device = device;
  }

  /// A job and its hold.
  static final class Entry {
    final Work work;
    final long arrival;
    Lease lease;
    long startedAtMillis;

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

  Optional<Entry> running() {
    return Optional.ofNullable(running);
  }

  List<Entry> waiting() {
    return List.copyOf(waiting);
  }

  void add(Entry entry) {
    waiting.add(entry);
    waiting.sort(ORDER);
  }

  void start(Entry entry, long nowMillis) {
    waiting.remove(entry);
    entry.startedAtMillis = nowMillis;
    running = entry;
  }

  /// Puts the running job back among those that wait.
  void requeue(Entry entry, Lease lease) {
    running = null;
    entry.lease = lease;
    add(entry);
  }

  boolean remove(Hash job) {
    Entry now = running;
    if (now != null && now.work.job().equals(job)) {
      running = null;
      return true;
    }
    return waiting.removeIf(e -> e.work.job().equals(job));
  }

  Optional<Entry> find(Hash job) {
    Entry now = running;
    if (now != null && now.work.job().equals(job)) {
      return Optional.of(now);
    }
    return waiting.stream().filter(e -> e.work.job().equals(job)).findFirst();
  }

  /// When the device is free of what runs on it now, if that takes as long as reckoned.
  long freeAtMillis(long nowMillis, ToLongFunction<Work> millis) {
    Entry now = running;
    return now == null
        ? nowMillis
        : Math.max(nowMillis, add(now.startedAtMillis, millis.applyAsLong(now.work)));
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
