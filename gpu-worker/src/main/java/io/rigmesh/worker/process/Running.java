package io.rigmesh.worker.process;

import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.task.Allowance;
import io.rigmesh.worker.task.Wanted;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/// What a worker is at: generations with one model and profile, or one thing else. Safe for use by
/// several threads.
final class Running {
  private final int generationsMax;
  private final Map<Hash, Work> works = new HashMap<>();

  /// What generations must have in common to run at once.
  private record Shared(Hash model, Profile profile) {}

  /// One job or verification.
  static final class Work {
    private final Hash job;
    private final Optional<Shared> shared;
    private final Allowance allowance;
    private volatile Wanted wanted = Wanted.WHOLE;

    /// A job that runs.
    Work(Job job, Allowance allowance) {
      this.job = job.id();
      this.allowance = allowance;
      this.shared =
          job.task() instanceof Task.Generate
              ? Optional.of(new Shared(job.model(), job.profile()))
              : Optional.empty();
    }

    /// A verification, which runs alone.
    Work(Hash job) {
      this.job = job;
      this.allowance = Allowance.unlimited();
      this.shared = Optional.empty();
    }

    Hash job() {
      return job;
    }

    Allowance allowance() {
      return allowance;
    }

    synchronized void cancel() {
      wanted = Wanted.CANCELLED;
    }

    /// Ends it with what it has, unless it was cancelled before.
    synchronized void conclude() {
      if (wanted == Wanted.WHOLE) {
        wanted = Wanted.CONCLUDED;
      }
    }

    Wanted wanted() {
      return wanted;
    }

    boolean isCancelled() {
      return wanted != Wanted.WHOLE;
    }
  }

  Running(int generationsMax) {
    this.generationsMax = generationsMax;
  }

  int generationsMax() {
    return generationsMax;
  }

  /// Takes what fits with what runs.
  ///
  /// @return why it does not, or empty
  synchronized Optional<String> begin(Work work) {
    if (works.containsKey(work.job)) {
      return Optional.of("this worker is at job " + work.job + " already");
    }
    if (!works.isEmpty() && work.shared.isEmpty()) {
      return Optional.of("this runs alone, and this worker is at something else");
    }
    if (works.values().stream().anyMatch(other -> !other.shared.equals(work.shared))) {
      return Optional.of(
          "this worker is at something else, beside which only generations with the same model and profile run");
    }
    if (works.size() >= generationsMax) {
      return Optional.of("this worker runs %d generations, and no more".formatted(works.size()));
    }
    works.put(work.job, work);
    return Optional.empty();
  }

  synchronized void end(Work work) {
    works.remove(work.job, work);
  }

  /// False if the job is not here.
  ///
  /// @param conclude whether what it has is wanted
  synchronized boolean cancel(Hash job, boolean conclude) {
    Work work = works.get(job);
    if (work != null) {
      if (conclude) {
        work.conclude();
      } else {
        work.cancel();
      }
    }
    return work != null;
  }

  /// Lets a job use more tokens; false if it is not here.
  boolean allow(Hash job, long tokens) {
    Work work;
    synchronized (this) {
      work = works.get(job);
    }
    if (work != null) {
      work.allowance.raise(tokens);
    }
    return work != null;
  }

  synchronized void cancelAll() {
    works.values().forEach(Work::cancel);
  }
}
