package io.rigmesh.node.requester;

import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.store.Closing;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Refusal;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How a requester's jobs move from state to state, and what time it is for them.
final class Moves {
  private static final Logger LOG = LoggerFactory.getLogger(Moves.class);

  /// How long after its deadline a provider may still be about to say how a job ended.
  private static final Duration LATE_MAX = Duration.ofSeconds(60);

  /// How long after its deadline a receipt may take to come that a provider says it has.
  private static final Duration RECEIPT_LATE_MAX = Duration.ofMinutes(10);

  private final JobStore store;
  private final Clock clock;

  Moves(JobStore store, Clock clock) {
    this.store = store;
    this.clock = clock;
  }

  Step move(JobRow row, Transition transition) {
    store.transition(row.id(), transition);
    LOG.info("job {} is {}", row.id(), transition.next().id());
    return new Step.Moved();
  }

  /// The job runs now; what follows needs its new row.
  JobRow begin(JobRow row) {
    LOG.info("job {} is running", row.id());
    return store.transition(row.id(), Transition.to(new JobState.Running()).since(nowSeconds()));
  }

  Step refuse(JobRow row, Refusal refusal) {
    return move(row, Transition.to(new JobState.Refused(refusal)).owing(owed(row)));
  }

  Step fail(JobRow row, String reason) {
    return move(row, Transition.to(new JobState.Failed(reason)).owing(Closing.REFUND));
  }

  Step expire(JobRow row) {
    return move(row, Transition.to(new JobState.Expired()).owing(owed(row)));
  }

  /// What has yet to happen to the money of a job that ends in its state now.
  static Closing owed(JobRow row) {
    boolean free = row.state() instanceof JobState.Signed;
    return free ? Closing.NONE : Closing.REFUND;
  }

  boolean isPastDeadline(JobRow row) {
    return nowSeconds() >= row.job().deadlineSeconds();
  }

  /// A provider ends its jobs at their deadline by itself; one that has not by now will not.
  boolean isLongPastDeadline(JobRow row) {
    return nowSeconds() >= row.job().deadlineSeconds() + LATE_MAX.toSeconds();
  }

  /// How long a provider is listened to at most.
  ///
  /// @param opened when its stream was
  /// @param done whether it says that it has the result
  Instant listenUntil(JobRow row, Instant opened, boolean done) {
    Instant deadline = Instant.ofEpochSecond(row.job().deadlineSeconds());
    Instant from = deadline.isAfter(opened) ? deadline : opened;
    return from.plus(done ? RECEIPT_LATE_MAX : LATE_MAX);
  }

  Instant now() {
    return clock.instant();
  }

  private long nowSeconds() {
    return clock.instant().getEpochSecond();
  }
}
