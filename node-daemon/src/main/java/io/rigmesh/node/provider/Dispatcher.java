package io.rigmesh.node.provider;

import io.rigmesh.node.Service;
import io.rigmesh.node.store.SpeedStore;
import io.rigmesh.node.workers.WorkerWatch;
import io.rigmesh.protocol.Hash;
import io.rigmesh.scheduler.estimate.Speeds;
import io.rigmesh.scheduler.queue.Admission;
import io.rigmesh.scheduler.queue.Device;
import io.rigmesh.scheduler.queue.Lease;
import io.rigmesh.scheduler.queue.Limits;
import io.rigmesh.scheduler.queue.Scheduler;
import io.rigmesh.scheduler.queue.Work;
import io.rigmesh.worker.process.WorkerDescription;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs the scheduler in real time: one lock around its decisions, a clock that lets leases lapse,
/// and threads that wait for their job's turn.
public final class Dispatcher implements Service, WorkerWatch {
  private static final Logger LOG = LoggerFactory.getLogger(Dispatcher.class);
  private static final Duration TICK = Duration.ofMillis(500);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final SpeedStore speedStore;
  private final Speeds speeds;
  private final Scheduler scheduler;
  private final Clock clock;
  private volatile Consumer<Scheduler.Lapse> onLapse = _ -> {};
  private @Nullable Thread ticker;

  /// A scheduler with these bounds and the speeds that are on disk.
  public Dispatcher(Limits limits, SpeedStore speedStore, Clock clock) {
    this.speedStore = speedStore;
    this.speeds = speedStore.load();
    this.scheduler = new Scheduler(limits, speeds);
    this.clock = clock;
  }

  @Override
  public String name() {
    return "dispatcher";
  }

  /// Says who hears of holds that ended by themselves.
  public void onLapse(Consumer<Scheduler.Lapse> listener) {
    onLapse = listener;
  }

  @Override
  public void start() {
    ticker = Thread.ofVirtual().name("dispatcher").start(this::tick);
  }

  @Override
  public void stop() {
    Thread running = ticker;
    if (running != null) {
      running.interrupt();
    }
  }

  private void tick() {
    try {
      while (true) {
        Thread.sleep(TICK);
        List<Scheduler.Lapse> lapses = changing(() -> scheduler.lapse(clock.millis()));
        lapses.forEach(lapse -> {
          LOG.info(
              "the hold of job {} ended: {}",
              lapse.work().job(),
              lapse.deadlinePassed() ? "its deadline passed" : "it was not renewed");
          onLapse.accept(lapse);
        });
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void serves(String device, WorkerDescription description) {
    changing(() -> {
      scheduler.serves(
          new Device(
              device,
              description.memoryTotalBytes(),
              Set.copyOf(description.profiles()),
              Math.max(1, description.generationsMax())));
      return true;
    });
  }

  @Override
  public void stopsServing(String device) {
    changing(() -> {
      scheduler.stopsServing(device, clock.millis());
      return true;
    });
  }

  /// Decides on a new job.
  Admission admit(Work work) {
    return changing(() -> scheduler.admit(work, clock.millis()));
  }

  /// An admitted job is paid for.
  Admission confirm(Hash job) {
    return changing(() -> scheduler.confirm(job, clock.millis()));
  }

  /// Keeps the place of an admitted job that is not paid for yet, while its files are fetched.
  ///
  /// @return false if it holds no such place
  boolean keepPlace(Hash job) {
    lock.lock();
    try {
      return scheduler.keepPlace(job, clock.millis());
    } finally {
      lock.unlock();
    }
  }

  /// Takes a job back that was admitted before.
  void restore(Work work, String device) {
    changing(() -> {
      scheduler.restore(work, device, clock.millis());
      return true;
    });
  }

  /// A running job gave a sign of life.
  boolean renew(Hash job) {
    lock.lock();
    try {
      return scheduler.renew(job, clock.millis());
    } finally {
      lock.unlock();
    }
  }

  /// A job is done.
  ///
  /// @param operations what it really was
  void finish(Hash job, double operations) {
    changing(() -> {
      scheduler.finish(job, operations, clock.millis());
      return true;
    });
    speedStore.save(speedsNow());
  }

  private Speeds speedsNow() {
    lock.lock();
    try {
      Speeds copy = new Speeds();
      speeds.all().forEach(copy::restore);
      return copy;
    } finally {
      lock.unlock();
    }
  }

  /// Gives up whatever a job holds.
  void release(Hash job) {
    changing(() -> scheduler.cancel(job, clock.millis()));
  }

  /// Waits until it is the job's turn.
  ///
  /// @return the device it has, or empty if it holds nothing any more
  Optional<String> await(Hash job) throws InterruptedException {
    lock.lockInterruptibly();
    try {
      while (true) {
        Optional<Lease> lease = scheduler.lease(job);
        if (lease.isEmpty()) {
          return Optional.empty();
        }
        if (lease.get().stage() == Lease.Stage.RUNNING) {
          return Optional.of(lease.get().device());
        }
        changed.await();
      }
    } finally {
      lock.unlock();
    }
  }

  /// What is on each device.
  public List<Scheduler.DeviceLoad> loads() {
    lock.lock();
    try {
      return scheduler.loads();
    } finally {
      lock.unlock();
    }
  }

  /// The measured speed of a device at the kind of work that it is fastest at, 0 while nothing was
  /// measured.
  public long megaflopsPerSecond(String device) {
    lock.lock();
    try {
      return (long)
          (speeds.all().entrySet().stream()
                  .filter(e -> e.getKey().device().equals(device))
                  .mapToDouble(Map.Entry::getValue)
                  .max()
                  .orElse(0)
              / 1e6);
    } finally {
      lock.unlock();
    }
  }

  /// How many jobs wait.
  public int waiting() {
    lock.lock();
    try {
      return scheduler.waiting();
    } finally {
      lock.unlock();
    }
  }

  private <T> T changing(java.util.function.Supplier<T> change) {
    lock.lock();
    try {
      T result = change.get();
      scheduler
          .start(clock.millis())
          .forEach(s -> LOG.info("job {} starts on {}", s.work().job(), s.device()));
      changed.signalAll();
      return result;
    } finally {
      lock.unlock();
    }
  }
}
