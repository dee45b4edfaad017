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
import java.util.OptionalDouble;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One run of a job on a worker: turns what the worker says into events, and can be stopped from
/// another thread.
final class JobRun {
  private static final Logger LOG = LoggerFactory.getLogger(JobRun.class);

  /// How long a worker may take to let go of a job; longer than any step of a sane job.
  private static final Duration CANCEL_PATIENCE = Duration.ofSeconds(30);

  private final Hash job;
  private final Worker worker;
  private final JobStore store;
  private final Dispatcher dispatcher;
  private final long progressEveryMillis;
  private final Predicate<Meter> charge;
  private final boolean concluded;
  private final CountDownLatch ended = new CountDownLatch(1);
  private final long tokensKnown;
  private long tokensSeen;
  private long promptTokens;
  private long progressAtNanos;
  private volatile boolean parked;

  /// A run.
  ///
  /// @param charge told how far the work has come; false if it has to pause
  /// @param concluded whether the job shall end with what an earlier run made
  JobRun(
      JobRow row,
      Worker worker,
      JobStore store,
      Dispatcher dispatcher,
      long progressEveryMillis,
      Predicate<Meter> charge,
      boolean concluded) {
    this.job = row.id();
    this.worker = worker;
    this.store = store;
    this.dispatcher = dispatcher;
    this.progressEveryMillis = progressEveryMillis;
    this.charge = charge;
    this.concluded = concluded;
    // A run that goes on after a crash says every token again.
    this.tokensKnown = store.eventCount(job, JobEvent.Type.TOKEN);
  }

  /// Runs to the end.
  ///
  /// @throws WorkerException if the worker is busy or lost
  RunEvent.End run(RunRequest request) {
    try {
      return worker.client().run(request, this::hear);
    } finally {
      ended.countDown();
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
    if (parked) {
      // What the worker had made before it heard; the run that goes on says it again.
      return;
    }
    switch (event) {
      case RunEvent.Started started -> {
        progress(
            new JobProgress(
                started.resumedSteps(), started.totalSteps(), OptionalDouble.empty(), 0),
            true);
        if (concluded) {
          conclude();
        }
      }
      case RunEvent.Progress p -> {
        if (p.tokensIn() > 0) {
          charge(new Meter(p.tokensIn(), 0, p.step()));
        }
        progress(
            new JobProgress(
                p.step(),
                p.totalSteps(),
                p.loss().isPresent() && Float.isFinite(p.loss().get())
                    ? OptionalDouble.of(p.loss().get())
                    : OptionalDouble.empty(),
                p.tokensPerSecond()),
            p.step() == p.totalSteps());
      }
      case RunEvent.Token token -> {
        promptTokens = tokensSeen == 0 ? token.position() : promptTokens;
        tokensSeen++;
        if (tokensSeen > tokensKnown) {
          store.note(job, JobEvent.Type.TOKEN, json(token), 0);
        }
        charge(new Meter(promptTokens, tokensSeen, tokensSeen));
      }
      case RunEvent.End _ ->
          throw new IllegalStateException("the last event is the run's answer, not heard");
    }
  }

  private void charge(Meter meter) {
    if (!charge.test(meter) && !parked && !concluded) {
      parked = true;
      stop();
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
