package io.rigmesh.node.provider;

import io.rigmesh.node.jobs.Step;
import io.rigmesh.node.store.JobRow;
import io.rigmesh.node.store.JobStore;
import io.rigmesh.node.store.Transition;
import java.time.Clock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// How a provider's jobs move from state to state, and what time it is for them.
final class Moves {
  private static final Logger LOG = LoggerFactory.getLogger(Moves.class);

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

  boolean isPastDeadline(JobRow row) {
    return clock.instant().getEpochSecond() >= row.job().deadlineSeconds();
  }
}
