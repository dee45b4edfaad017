package io.rigmesh.node.store;

import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobEvents;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.node.jobs.JobProgress;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.ProtocolJson;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jdbi.v3.core.Handle;
import org.jdbi.v3.core.HandleCallback;
import org.jdbi.v3.core.Jdbi;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The events of all jobs: appended, numbered, bounded, followed. Progress and tokens are gathered
/// for a moment and committed together, since a commit waits for the disk; a state is committed at
/// once, and everything that was said before it with it.
final class EventLog implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(EventLog.class);
  private static final long GATHER_MILLIS = 50;
  private static final int WAITING_MAX = 10_000;
  private static final int PAGE = 500;
  private static final int REMEMBERED_MAX = 4_096;

  private final Jdbi jdbi;
  private final int eventsMax;
  // One writer at a time, as SQLite has it anyway; readers wait for `committed`.
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition committed = lock.newCondition();
  private final Condition said = lock.newCondition();
  private final List<Pending> waiting = new ArrayList<>();

  /// The numbers of the last committed events of the jobs that were touched last; the others' are
  /// on disk.
  private final Map<Hash, Long> last =
      new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<Hash, Long> eldest) {
          return size() > REMEMBERED_MAX;
        }
      };

  private final Thread writer;
  private boolean closed;

  EventLog(Jdbi jdbi, int eventsMax) {
    this.jdbi = jdbi;
    this.eventsMax = eventsMax;
    this.writer = Thread.ofVirtual().name("events").start(this::write);
  }

  private record Pending(
      Hash job, long atMillis, JobEvent.Type type, String data, long remoteSequence) {}

  /// Does something in a transaction, after what waits has been written in the same one.
  <T> T inTransaction(HandleCallback<T, RuntimeException> what) {
    lock.lock();
    try {
      try {
        T result =
            jdbi.inTransaction(handle -> {
              for (Pending event : waiting) {
                write(handle, event);
              }
              return what.withHandle(handle);
            });
        waiting.clear();
        committed.signalAll();
        return result;
      } catch (RuntimeException e) {
        // What was appended is not there.
        last.clear();
        throw e;
      }
    } finally {
      lock.unlock();
    }
  }

  /// Appends an event within a transaction of [#inTransaction].
  void append(Handle handle, Hash job, long atMillis, JobEvent.Type type, String data) {
    long sequence = last(handle, job) + 1;
    handle
        .createUpdate(
            "INSERT INTO job_event (job_id, sequence, at_ms, type, data)"
                + " VALUES (:job, :sequence, :at, :type, :data)")
        .bind("job", job.hex())
        .bind("sequence", sequence)
        .bind("at", atMillis)
        .bind("type", type.id())
        .bind("data", data)
        .execute();
    last.put(job, sequence);
  }

  void later(Hash job, long atMillis, JobEvent.Type type, String data, long remoteSequence) {
    lock.lock();
    try {
      waiting.add(new Pending(job, atMillis, type, data, remoteSequence));
      if (waiting.size() >= WAITING_MAX) {
        flush();
      }
      said.signal();
    } finally {
      lock.unlock();
    }
  }

  void flush() {
    lock.lock();
    try {
      if (!waiting.isEmpty()) {
        inTransaction(_ -> true);
      }
    } finally {
      lock.unlock();
    }
  }

  private void write(Handle handle, Pending event) {
    String job = event.job.hex();
    if (last(handle, event.job) < eventsMax) {
      append(handle, event.job, event.atMillis, event.type, event.data);
    } else {
      handle.execute("UPDATE job SET events_dropped = events_dropped + 1 WHERE id = ?", job);
    }
    if (event.remoteSequence > 0) {
      handle.execute("UPDATE job SET remote_sequence = ? WHERE id = ?", event.remoteSequence, job);
    }
    if (event.type == JobEvent.Type.PROGRESS) {
      JobProgress p =
          JobJson.readProgress(
              ProtocolJson.parse(event.data.getBytes(StandardCharsets.UTF_8), "progress"));
      handle
          .createUpdate(
              "UPDATE job SET progress_step = :step, progress_total = :total,"
                  + " progress_loss = :loss, tokens_per_second = :speed, updated_at_ms = :at"
                  + " WHERE id = :id")
          .bind("step", p.step())
          .bind("total", p.total())
          .bind("loss", p.loss().isPresent() ? p.loss().getAsDouble() : null)
          .bind("speed", p.tokensPerSecond())
          .bind("at", event.atMillis)
          .bind("id", job)
          .execute();
    }
  }

  private long last(Handle handle, Hash job) {
    Long known = last.get(job);
    if (known != null) {
      return known;
    }
    long stored =
        handle
            .createQuery("SELECT coalesce(max(sequence), 0) FROM job_event WHERE job_id = :job")
            .bind("job", job.hex())
            .mapTo(Long.class)
            .one();
    last.put(job, stored);
    return stored;
  }

  JobEvents follow(Hash job, long after) {
    return new Follower(job, after);
  }

  private void write() {
    lock.lock();
    try {
      while (!closed) {
        if (waiting.isEmpty()) {
          said.await();
        } else {
          // Let go of the lock for a moment, so that more can be said before the commit.
          said.await(GATHER_MILLIS, TimeUnit.MILLISECONDS);
          flushQuietly();
        }
      }
      flushQuietly();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      lock.unlock();
    }
  }

  private void flushQuietly() {
    try {
      flush();
    } catch (RuntimeException e) {
      LOG.error("{} events cannot be written down and are dropped", waiting.size(), e);
      waiting.clear();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      said.signalAll();
      committed.signalAll();
    } finally {
      lock.unlock();
    }
    try {
      writer.join(Duration.ofSeconds(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /// Reads pages from disk, and waits for commits in between.
  private final class Follower implements JobEvents {
    private final Hash job;
    private final Deque<JobEvent> page = new ArrayDeque<>();
    private long after;
    private volatile boolean done;

    Follower(Hash job, long after) {
      this.job = job;
      this.after = after;
    }

    @Override
    public Next next(Duration timeout) throws InterruptedException {
      long nanos = timeout.toNanos();
      while (true) {
        Optional<JobEvent> event = take();
        if (event.isPresent()) {
          after = event.get().sequence();
          return new Next.Event(event.get());
        }
        lock.lockInterruptibly();
        try {
          // A job's state changes with an event alone, so that this need be asked only once.
          boolean ended = !isNewer() && isEnded();
          while (!isNewer()) {
            if (done || closed || ended) {
              return new Next.Ended();
            }
            if (nanos <= 0) {
              return new Next.Waiting();
            }
            nanos = committed.awaitNanos(nanos);
          }
        } finally {
          lock.unlock();
        }
      }
    }

    private boolean isNewer() {
      Long known = last.get(job);
      return (known != null ? known : jdbi.withHandle(handle -> last(handle, job))) > after;
    }

    private Optional<JobEvent> take() {
      if (page.isEmpty() && !done) {
        page.addAll(
            jdbi.withHandle(handle ->
                handle
                    .createQuery(
                        "SELECT * FROM job_event WHERE job_id = :job AND sequence > :after"
                            + " ORDER BY sequence LIMIT "
                            + PAGE)
                    .bind("job", job.hex())
                    .bind("after", after)
                    .map((row, _) ->
                        new JobEvent(
                            row.getLong("sequence"),
                            row.getLong("at_ms"),
                            JobEvent.Type.of(row.getString("type")),
                            row.getString("data")))
                    .list()));
      }
      @Nullable JobEvent first = page.poll();
      return Optional.ofNullable(first);
    }

    /// Asked under the lock, after nothing new was found: a state is committed with its event, so a
    /// job that is at its end here has no event that was not seen.
    private boolean isEnded() {
      return jdbi.withHandle(handle ->
          handle
              .createQuery(
                  "SELECT state IN ('settled', 'refused', 'cancelled', 'expired', 'failed')"
                      + " AND (SELECT coalesce(max(sequence), 0) FROM job_event"
                      + " WHERE job_id = :id) <= :after FROM job WHERE id = :id")
              .bind("id", job.hex())
              .bind("after", after)
              .mapTo(Boolean.class)
              .findOne()
              .orElse(true));
    }

    @Override
    public void close() {
      done = true;
      lock.lock();
      try {
        committed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }
}
