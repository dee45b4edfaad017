package io.rigmesh.node.provider;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.node.jobs.JobProgress;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.workers.Worker;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Meter;
import io.rigmesh.worker.process.WorkerException;
import io.rigmesh.worker.task.RunEvent;
import io.rigmesh.worker.task.RunRequest;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One run of a job on a worker: turns what the worker says into events, and can be stopped from
/// another thread.
final class JobRun {
  private static final Logger LOG = LoggerFactory.getLogger(JobRun.class);

  /// How long a worker may take to let go of a job; longer than any step of a sane job.
  private static final Duration CANCEL_PATIENCE = Duration.ofSeconds(30);

  /// How long work that waits for money keeps its place and its memory: longer than a voucher is on
  /// its way, and not so long that others wait for nothing.
  private static final Duration HOLD = Duration.ofSeconds(2);

  private final Hash job;
  private final Worker worker;
  private final JobStore store;
  private final Dispatcher dispatcher;
  private final long progressEveryMillis;
  private final Metering metering;
  private final Consumer<RunEvent.Milestone> milestones;
  private final boolean concluded;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final long tokensKnown;
  private long tokensSeen;
  private long tokensResumed;
  private long promptTokens;
  private long progressAtNanos;
  private final AtomicBoolean watched = new AtomicBoolean();
  private volatile boolean parked;

  /// A run.
  ///
  /// @param metering told how far the work has come, and says how far it may go
  /// @param milestones gets each milestone before the last
  /// @param concluded whether the job shall end with what an earlier run made
  JobRun(
      JobRow row,
      Worker worker,
      JobStore store,
      Dispatcher dispatcher,
      long progressEveryMillis,
      Metering metering,
      Consumer<RunEvent.Milestone> milestones,
      boolean concluded) {
    this.job = row.id();
    this.worker = worker;
    this.store = store;
    this.dispatcher = dispatcher;
    this.progressEveryMillis = progressEveryMillis;
    this.metering = metering;
    this.milestones = milestones;
    this.concluded = concluded;
    // A run that goes on after a crash says every token again.
    this.tokensKnown = store.eventCount(job, JobEvent.Type.TOKEN);
  }

  /// Runs to the end.
  ///
  /// @throws WorkerException if the worker is busy or lost
  RunEvent.End run(RunRequest request) {
    try {
      // Nothing is done on credit before it is known what the first step costs.
      RunRequest limited = metering.isLimited() ? request.allowed(0) : request;
      RunEvent.End end = worker.client().run(limited, this::hear);
      if (end instanceof RunEvent.Done) {
        metering.finished();
      }
      return end;
    } finally {
      ended.countDown();
      metering.over();
    }
  }

  /// Asks the worker to let go of the job, and ends the worker if it does not.
  void stop() {
    end(worker.client()::cancel);
  }

  /// As [#stop], but a generation ends with the tokens that it has.
  void conclude() {
    end(worker.client()::conclude);
  }

  /// Whether the worker let go of the job because it has to wait for money.
  boolean isParked() {
    return parked;
  }

  private void end(Predicate<Hash> ask) {
    Thread.ofVirtual()
        .name("stop-" + job.hex().substring(2, 10))
        .start(() -> {
          try {
            LOG.debug("the worker runs job {}: {}", job, ask.test(job));
          } catch (WorkerException e) {
            LOG.warn("job {} cannot be cancelled politely: {}", job, e.getMessage());
          }
          try {
            if (!ended.await(CANCEL_PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
              LOG.warn("the worker of {} holds on to job {}; it is killed", worker.device(), job);
              worker.kill().run();
            }
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
        });
  }

  private void hear(RunEvent event) {
    dispatcher.renew(job);
    switch (event) {
      case RunEvent.Started started -> {
        tokensResumed = started.resumedSteps();
        promptTokens = started.promptTokens();
        progress(
            new JobProgress(
                started.resumedSteps(), started.totalSteps(), OptionalDouble.empty(), 0),
            true);
        if (concluded) {
          // It ends with what an earlier run made, and makes nothing more.
          metering.begin(started.promptTokens(), _ -> {});
          worker.client().allow(job, started.resumedSteps());
          conclude();
        } else {
          metering.begin(started.promptTokens(), tokens -> worker.client().allow(job, tokens));
          holdWhileItWaits();
        }
      }
      case RunEvent.Progress p -> {
        boolean last = p.step() == p.totalSteps();
        if (p.tokensIn() > 0) {
          charge(new Meter(p.tokensIn(), 0, p.step()), last);
        }
        progress(
            new JobProgress(
                p.step(),
                p.totalSteps(),
                p.loss().isPresent() && Float.isFinite(p.loss().get())
                    ? OptionalDouble.of(p.loss().get())
                    : OptionalDouble.empty(),
                p.tokensPerSecond()),
            last || metering.waits().isPresent());
      }
      case RunEvent.Token token -> {
        tokensSeen++;
        // Before it is told, since who is told looks at once what is due.
        charge(
            new Meter(promptTokens, tokensSeen, tokensSeen),
            token.finish().isPresent() || (concluded && tokensSeen == tokensResumed));
        if (tokensSeen > tokensKnown) {
          store.note(job, JobEvent.Type.TOKEN, json(token), 0);
        }
      }
      case RunEvent.Milestone milestone -> {
        milestones.accept(milestone);
        dispatcher.renew(job);
      }
      case RunEvent.End _ ->
          throw new IllegalStateException("the last event is the run's answer, not heard");
    }
  }

  private void charge(Meter meter, boolean last) {
    if (last) {
      metering.finished();
    }
    metering.charge(meter);
    if (!concluded) {
      holdWhileItWaits();
    }
  }

  /// Where the work waits for money, sees to it that it does not hold its device for long.
  private void holdWhileItWaits() {
    if (metering.waits().isPresent() && watched.compareAndSet(false, true)) {
      Thread.ofVirtual().name("hold-" + job.hex().substring(2, 10)).start(this::hold);
    }
  }

  private void hold() {
    try {
      Optional<Duration> waits = metering.waits();
      while (waits.isPresent()) {
        Duration left = HOLD.minus(waits.get());
        if (!left.isPositive()) {
          LOG.info("job {} gives its device away while it waits for money", job);
          parked = true;
          stop();
          return;
        }
        if (ended.await(left.toMillis() + 1, TimeUnit.MILLISECONDS)) {
          return;
        }
        waits = metering.waits();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      watched.set(false);
      if (!parked) {
        // It may have begun to wait again while this looked away.
        holdWhileItWaits();
      }
    }
  }

  private static String json(RunEvent.Token token) {
    ObjectNode node =
        JsonNodeFactory.instance
            .objectNode()
            .put("position", token.position())
            .put("id", token.id())
            .put("text", token.text())
            .put("link", token.link().hex());
    token
        .logprobs()
        .ifPresent(l -> {
          ObjectNode told =
              node.putObject("logprobs").put("text", l.text()).put("logprob", l.logprob());
          ArrayNode list = told.putArray("likeliest");
          l.likeliest()
              .forEach(c ->
                  list.addObject()
                      .put("id", c.id())
                      .put("text", c.text())
                      .put("logprob", c.logprob()));
        });
    token.finish().ifPresent(reason -> node.put("finish", reason));
    return node.toString();
  }

  private void progress(JobProgress progress, boolean always) {
    long now = System.nanoTime();
    if (always || now - progressAtNanos >= progressEveryMillis * 1_000_000) {
      progressAtNanos = now;
      store.note(job, JobEvent.Type.PROGRESS, JobJson.write(progress).toString(), 0);
    }
  }
}
