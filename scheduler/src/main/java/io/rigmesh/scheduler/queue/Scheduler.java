package io.rigmesh.scheduler.queue;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.scheduler.estimate.Speeds;
import io.rigmesh.scheduler.queue.DeviceQueue.Entry;
import io.rigmesh.scheduler.queue.Lease.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Decides which jobs are taken, on which device each waits, and which starts next. A job is
/// admitted to a place, then confirmed once it is paid for. It promises that a confirmed job is
/// done in time as long as no job takes longer than reckoned from measured speeds; what would break
/// that promise, to itself or to another, is refused. Times are handed in. Not thread-safe.
public final class Scheduler {
  private final Limits limits;
  private final Speeds speeds;
  private final Map<String, DeviceQueue> devices = new TreeMap<>();
  private long arrivals;

  /// Starts without devices.
  public Scheduler(Limits limits, Speeds speeds) {
    this.limits = limits;
    this.speeds = speeds;
  }

  /// A hold that ended by itself.
  ///
  /// @param work the job
  /// @param stage what it held the device for
  /// @param deadlinePassed true if its deadline passed; false if its lease was not renewed
  public record Lapse(Work work, Stage stage, boolean deadlinePassed) {}

  /// A job that starts.
  ///
  /// @param work the job
  /// @param device the device's id
  public record Start(Work work, String device) {}

  /// A device and what is on it.
  ///
  /// @param device the device
  /// @param serving whether its worker serves
  /// @param running what runs
  /// @param waiting what waits, in order
  public record DeviceLoad(
      Device device, boolean serving, List<Work> running, List<Work> waiting) {}

  /// A device's worker serves, and reports this.
  public void serves(Device device) {
    DeviceQueue queue = devices.computeIfAbsent(device.id(), _ -> new DeviceQueue(device));
    queue.device(device);
    queue.serving(true);
  }

  /// A device's worker does not serve now. What ran on it waits again, in its old place; new jobs
  /// are still admitted, since workers are started again.
  public void stopsServing(String device, long nowMillis) {
    DeviceQueue queue = devices.get(device);
    if (queue != null) {
      queue.serving(false);
      queue.running().forEach(e -> queue.requeue(e, waitingLease(e.work, device), nowMillis));
    }
  }

  /// Decides on a new job. One that is admitted holds a place until it is confirmed or the place
  /// lapses.
  public Admission admit(Work work, long nowMillis) {
    if (find(work.job()).isPresent()) {
      throw new IllegalArgumentException("the job " + work.job() + " is here already");
    }
    if (devices.isEmpty()) {
      // A node that has just started does not know yet what its devices compute.
      return refuse(RefusalCode.UNAVAILABLE, "no device here is ready yet; ask again later");
    }
    List<DeviceQueue> fitting =
        devices.values().stream()
            .filter(q -> q.device().profiles().contains(work.profile()))
            .toList();
    if (fitting.isEmpty()) {
      return refuse(
          RefusalCode.UNSUPPORTED,
          "no device here computes " + work.profile() + "; ask another provider");
    }
    long largest = fitting.stream().mapToLong(q -> q.device().memoryBytes()).max().orElse(0);
    if (work.estimate().memoryBytes() > largest) {
      return refuse(
          RefusalCode.OUT_OF_MEMORY,
          "it needs about "
              + mebibytes(work.estimate().memoryBytes())
              + " MiB and the largest device here has "
              + mebibytes(largest)
              + "; a smaller batch, context or model would fit");
    }
    if (waiting() >= limits.queueLengthMax()) {
      return refuse(
          RefusalCode.BUSY,
          "the queue is full with " + limits.queueLengthMax() + " jobs; try again later");
    }
    DeviceQueue best = null;
    long bestDoneAt = Long.MAX_VALUE;
    boolean onlyDelays = false;
    long soonest = Long.MAX_VALUE;
    for (DeviceQueue queue : fitting) {
      if (queue.device().memoryBytes() < work.estimate().memoryBytes()) {
        continue;
      }
      DeviceQueue.Forecast forecast =
          queue.with(work, false, nowMillis, w -> millis(w, queue), limits.marginMillis());
      soonest = Math.min(soonest, forecast.doneAtMillis());
      onlyDelays |= !forecast.late();
      boolean fits = !forecast.late() && !forecast.delaysOther();
      if (fits && (best == null || forecast.doneAtMillis() < bestDoneAt)) {
        best = queue;
        bestDoneAt = forecast.doneAtMillis();
      }
    }
    if (best == null) {
      return onlyDelays
          ? refuse(
              RefusalCode.BUSY,
              "it would make a job late that was promised before; try again later, or with a later"
                  + " deadline")
          : refuse(
              RefusalCode.DEADLINE_TOO_SOON,
              "it would be done in about "
                  + seconds(soonest - nowMillis)
                  + " seconds and must be done "
                  + seconds(limits.marginMillis())
                  + " seconds before its deadline, which is in "
                  + seconds(work.deadlineMillis() - nowMillis)
                  + "; sign again with a later one");
    }
    Lease lease =
        new Lease(
            work.job(),
            best.device().id(),
            Stage.PLACED,
            Math.min(nowMillis + limits.placeMillis(), work.deadlineMillis()));
    best.add(new Entry(work, arrivals++, lease));
    return new Admission.Admitted(lease);
  }

  /// Takes a job back that was admitted in an earlier life of the process: promised is promised, so
  /// no bound applies. It waits on the device that would be done with it soonest, or on one that
  /// has yet to say that it serves.
  ///
  /// @param device where to wait if no device that could run it is known yet
  public void restore(Work work, String device, long nowMillis) {
    if (find(work.job()).isPresent()) {
      return;
    }
    DeviceQueue best =
        devices.values().stream()
            .filter(q -> q.device().profiles().contains(work.profile()))
            .filter(q -> q.device().memoryBytes() >= work.estimate().memoryBytes())
            .min((a, b) ->
                Long.compare(
                    a.with(work, true, nowMillis, w -> millis(w, a), 0).doneAtMillis(),
                    b.with(work, true, nowMillis, w -> millis(w, b), 0).doneAtMillis()))
            .orElseGet(() ->
                devices.computeIfAbsent(
                    device,
                    id -> {
                      DeviceQueue q = new DeviceQueue(new Device(id, 0, Set.of(work.profile())));
                      q.serving(false);
                      return q;
                    }));
    best.add(new Entry(work, arrivals++, waitingLease(work, best.device().id())));
  }

  /// Lets an admitted job keep its place for as long again, while it is made ready to be confirmed.
  /// False if it holds no such place.
  public boolean keepPlace(Hash job, long nowMillis) {
    Optional<Entry> placed =
        find(job).map(h -> h.entry).filter(e -> e.lease.stage() == Stage.PLACED);
    placed.ifPresent(e ->
        e.lease =
            new Lease(
                job,
                e.lease.device(),
                Stage.PLACED,
                Math.min(nowMillis + limits.placeMillis(), e.work.deadlineMillis())));
    return placed.isPresent();
  }

  /// An admitted job is paid for and may run, if it still can be done in time: a place does not
  /// stop the device from going on with what is paid for. One that cannot gives up its place.
  public Admission confirm(Hash job, long nowMillis) {
    Optional<Held> held = find(job);
    if (held.isEmpty()) {
      return refuse(
          RefusalCode.BUSY, "its place lapsed before it was paid for; try again with a new job");
    }
    DeviceQueue queue = held.get().queue;
    Entry entry = held.get().entry;
    if (entry.lease.stage() == Stage.PLACED) {
      DeviceQueue.Forecast forecast =
          queue.with(entry.work, true, nowMillis, w -> millis(w, queue), limits.marginMillis());
      if (forecast.late() || forecast.delaysOther()) {
        queue.remove(job, nowMillis);
        return refuse(
            RefusalCode.DEADLINE_TOO_SOON,
            "other jobs were paid for first, and it cannot be done in time behind them; sign again"
                + " with a later deadline");
      }
      entry.lease = waitingLease(entry.work, queue.device().id());
    }
    return new Admission.Admitted(entry.lease);
  }

  /// The jobs that start now; each holds its device until it is finished, cancelled, or silent for
  /// too long.
  public List<Start> start(long nowMillis) {
    List<Start> starts = new ArrayList<>();
    for (DeviceQueue queue : devices.values()) {
      Optional<Entry> next = next(queue, nowMillis);
      while (next.isPresent()) {
        Entry entry = next.get();
        queue.start(entry, nowMillis);
        entry.lease = runningLease(entry.work, queue.device().id(), nowMillis);
        starts.add(new Start(entry.work, queue.device().id()));
        next = next(queue, nowMillis);
      }
    }
    return starts;
  }

  /// The first of those that wait, if there is room for it: one behind it that would fit beside
  /// what runs must not go before it.
  private Optional<Entry> next(DeviceQueue queue, long nowMillis) {
    return queue.waiting().stream()
        .filter(e -> e.lease.stage() == Stage.WAITING)
        .filter(e -> e.work.deadlineMillis() > nowMillis)
        .findFirst()
        .filter(e -> queue.serving() && queue.hasRoomFor(e.work))
        .filter(e ->
            queue.keepsPromisesBeside(
                e.work, nowMillis, w -> millis(w, queue), limits.marginMillis()));
  }

  /// A running job gave a sign of life. False if it does not hold its device any more.
  public boolean renew(Hash job, long nowMillis) {
    Optional<Held> held = find(job).filter(h -> h.entry.lease.stage() == Stage.RUNNING);
    held.ifPresent(
        h -> h.entry.lease = runningLease(h.entry.work, h.queue.device().id(), nowMillis));
    return held.isPresent();
  }

  /// A job is done and gives its device back; what it took is remembered as the device's speed.
  ///
  /// @param operations what it really was, in the operations of its estimate
  public void finish(Hash job, double operations, long nowMillis) {
    find(job)
        .ifPresent(h -> {
          h.queue.remove(job, nowMillis);
          if (h.entry.lease.stage() == Stage.RUNNING) {
            speeds.observe(
                new Speeds.Key(h.queue.device().id(), h.entry.work.kind()),
                operations,
                h.entry.deviceMillis / 1000.0);
          }
        });
  }

  /// Gives up a job's hold, whatever it is. False if it has none.
  public boolean cancel(Hash job, long nowMillis) {
    return devices.values().stream().anyMatch(q -> q.remove(job, nowMillis));
  }

  /// Takes away every hold that has ended by itself: places that were not confirmed in time, jobs
  /// whose deadline passed, running jobs that were silent for too long.
  public List<Lapse> lapse(long nowMillis) {
    List<Lapse> lapses = new ArrayList<>();
    for (DeviceQueue queue : devices.values()) {
      List<Entry> entries = new ArrayList<>(queue.waiting());
      entries.addAll(queue.running());
      for (Entry e : entries) {
        boolean deadline = e.work.deadlineMillis() <= nowMillis;
        if (deadline || e.lease.expiresAtMillis() <= nowMillis) {
          queue.remove(e.work.job(), nowMillis);
          lapses.add(new Lapse(e.work, e.lease.stage(), deadline));
        }
      }
    }
    return lapses;
  }

  /// The hold of a job, if it has one.
  public Optional<Lease> lease(Hash job) {
    return find(job).map(h -> h.entry.lease);
  }

  /// How many jobs wait, over all devices.
  public int waiting() {
    return devices.values().stream().mapToInt(q -> q.waiting().size()).sum();
  }

  /// What is on each device.
  public List<DeviceLoad> loads() {
    return devices.values().stream()
        .map(q ->
            new DeviceLoad(
                q.device(),
                q.serving(),
                q.running().stream().map(e -> e.work).toList(),
                q.waiting().stream().map(e -> e.work).toList()))
        .toList();
  }

  private long millis(Work work, DeviceQueue queue) {
    double seconds =
        speeds.seconds(
            new Speeds.Key(queue.device().id(), work.kind()), work.estimate().operations());
    return (long) Math.ceil(seconds * 1000);
  }

  private Lease waitingLease(Work work, String device) {
    return new Lease(work.job(), device, Stage.WAITING, work.deadlineMillis());
  }

  private Lease runningLease(Work work, String device, long nowMillis) {
    return new Lease(work.job(), device, Stage.RUNNING, nowMillis + limits.runMillis());
  }

  private Optional<Held> find(Hash job) {
    return devices.values().stream()
        .flatMap(q -> q.find(job).map(e -> new Held(q, e)).stream())
        .findFirst();
  }

  private static Admission refuse(RefusalCode code, String sentence) {
    return new Admission.Refused(new Refusal(code, sentence));
  }

  private static long mebibytes(long bytes) {
    return (bytes >> 20) + 1;
  }

  private static long seconds(long millis) {
    return Math.max(0, (millis + 999) / 1000);
  }

  private record Held(DeviceQueue queue, Entry entry) {}
}
