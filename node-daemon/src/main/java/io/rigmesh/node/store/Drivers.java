package io.rigmesh.node.store;

import io.rigmesh.ledger.ChainUnavailableException;
import io.rigmesh.ledger.TransactionPendingException;
import io.rigmesh.node.Service;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.jobs.Step;
import io.rigmesh.protocol.Hash;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

/// Drives every job that is not at its end, each on a thread of its own: reads it from the store,
/// takes one step, and again. A step may be taken twice, since a process may die after its effect
/// and before the store knows; steps are written so that the second time finds the first.
public final class Drivers implements Service {
  private static final Logger LOG = LoggerFactory.getLogger(Drivers.class);
  private static final long FIRST_DELAY_MILLIS = 250;

  private final JobStore store;
  private final Map<JobRole, Stepper> steppers;
  private final long retryDelayMillisMax;
  private final Map<Hash, Driver> drivers = new ConcurrentHashMap<>();
  private volatile boolean stopping;

  /// Drives the jobs of a store.
  public Drivers(JobStore store, Map<JobRole, Stepper> steppers, long retryDelayMillisMax) {
    this.store = store;
    this.steppers = Map.copyOf(steppers);
    this.retryDelayMillisMax = retryDelayMillisMax;
  }

  /// Takes the steps of one side's jobs.
  public interface Stepper {
    /// Hears of a job of an earlier life of the process, before any step is taken.
    void restore(JobRow row);

    /// Takes one step of a job that is not at its end, or whose money is not.
    ///
    /// @throws InterruptedException if the daemon is stopping
    Step step(JobRow row) throws InterruptedException;
  }

  @Override
  public String name() {
    return "jobs";
  }

  @Override
  public void start() {
    steppers.forEach((role, stepper) -> store.unfinished(role).forEach(stepper::restore));
    for (JobRole role : steppers.keySet()) {
      for (JobRow row : store.unfinished(role)) {
        LOG.info("going on with job {}, which is {}", row.id(), row.state().id());
        drive(row.id());
      }
    }
  }

  @Override
  public void stop() {
    stopping = true;
    drivers.values().forEach(d -> d.thread.interrupt());
    for (Driver driver : drivers.values()) {
      try {
        driver.thread.join(Duration.ofSeconds(10));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /// Drives a job that is in the store, unless it is driven already.
  public void drive(Hash job) {
    if (!stopping) {
      drivers.computeIfAbsent(job, Driver::new).startOnce();
    }
  }

  /// Lets a job that waits look again.
  public void wake(Hash job) {
    Driver driver = drivers.get(job);
    if (driver != null) {
      driver.wake.release();
    }
  }

  private final class Driver {
    private final Hash job;
    private final Semaphore wake = new Semaphore(0);
    private final Thread thread;
    private long delayMillis = FIRST_DELAY_MILLIS;
    private String lastReason = "";

    Driver(Hash job) {
      this.job = job;
      this.thread =
          Thread.ofVirtual().name("job-" + job.hex().substring(2, 10)).unstarted(this::run);
    }

    void startOnce() {
      if (thread.getState() == Thread.State.NEW) {
        try {
          thread.start();
        } catch (IllegalThreadStateException e) {
          LOG.debug("job {} is driven already", job, e);
        }
      }
    }

    private void run() {
      MDC.put("job", job.hex());
      try {
        while (!stopping && step()) {}
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      } finally {
        drivers.remove(job);
        MDC.remove("job");
      }
    }

    /// Takes a step; false at the end.
    private boolean step() throws InterruptedException {
      Optional<JobRow> found = store.find(job);
      if (found.isEmpty()) {
        return false;
      }
      JobRow row = found.get();
      Stepper stepper = steppers.get(row.role());
      if (stepper == null || (row.state().isFinal() && row.closing() == Closing.NONE)) {
        return false;
      }
      Step step;
      try {
        step = stepper.step(row);
      } catch (ChainUnavailableException | TransactionPendingException e) {
        step = new Step.Retry(String.valueOf(e.getMessage()));
      } catch (RuntimeException e) {
        if (stopping) {
          return false;
        }
        if (!String.valueOf(e.getMessage()).equals(lastReason)) {
          LOG.error("a step of job {}, which is {}, failed", job, row.state().id(), e);
        }
        step = new Step.Retry(String.valueOf(e.getMessage()));
      }
      switch (step) {
        case Step.Moved _ -> {
          delayMillis = FIRST_DELAY_MILLIS;
          lastReason = "";
        }
        case Step.Wait wait -> pause(wait.delay().toMillis());
        case Step.Retry retry -> {
          // The same reason again is not news.
          if (!retry.reason().equals(lastReason)) {
            LOG.warn("job {} waits: {}", job, retry.reason());
            lastReason = retry.reason();
          }
          pause(delayMillis);
          delayMillis = Math.min(2 * delayMillis, retryDelayMillisMax);
        }
      }
      return true;
    }

    private void pause(long millis) throws InterruptedException {
      if (wake.tryAcquire(millis, TimeUnit.MILLISECONDS)) {
        wake.drainPermits();
      }
    }
  }
}
