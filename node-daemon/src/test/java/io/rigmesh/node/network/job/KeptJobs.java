package io.rigmesh.node.network.job;

import io.rigmesh.node.jobs.Artifacts;
import io.rigmesh.node.jobs.CancelResult;
import io.rigmesh.node.jobs.Intake;
import io.rigmesh.node.jobs.JobDraft;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobEvents;
import io.rigmesh.node.jobs.JobJson;
import io.rigmesh.node.jobs.JobQuery;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.jobs.JobView;
import io.rigmesh.node.jobs.Jobs;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.TokenAmount;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A provider's jobs in memory, which do what a test says.
final class KeptJobs implements Jobs {
  private final Map<Hash, SignedJob> jobs = new HashMap<>();
  private final Map<Hash, JobState> states = new HashMap<>();
  private final Map<Hash, List<JobEvent>> events = new HashMap<>();
  private final Map<Hash, byte[]> receipts = new HashMap<>();
  private final Set<Hash> cancelled = new HashSet<>();

  synchronized Intake take(SignedJob signed) {
    Hash id = signed.job().id();
    boolean known = jobs.containsKey(id);
    if (!known) {
      jobs.put(id, signed);
      enter(id, new JobState.Matched());
    }
    return new Intake.Accepted(find(id).orElseThrow(), known);
  }

  synchronized long enter(Hash id, JobState state) {
    states.put(id, state);
    return say(id, JobEvent.Type.STATE, JobJson.write(state).toString());
  }

  synchronized long say(Hash id, JobEvent.Type type, String data) {
    List<JobEvent> list = events.computeIfAbsent(id, _ -> new ArrayList<>());
    list.add(new JobEvent(list.size() + 1, 1, type, data));
    notifyAll();
    return list.size();
  }

  synchronized void receive(Hash id, byte[] receipt) {
    receipts.put(id, receipt);
  }

  synchronized Set<Hash> cancelled() {
    return Set.copyOf(cancelled);
  }

  @Override
  public synchronized Optional<JobView> find(Hash id) {
    return Optional.ofNullable(jobs.get(id))
        .map(signed ->
            new JobView(
                id,
                JobRole.PROVIDER,
                signed,
                states.get(id),
                Optional.empty(),
                Instant.EPOCH,
                Instant.EPOCH,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                TokenAmount.ZERO,
                List.of(),
                List.of()));
  }

  @Override
  public synchronized CancelResult cancel(Hash id) {
    cancelled.add(id);
    return new CancelResult.Cancelled(find(id).orElseThrow());
  }

  @Override
  public synchronized Optional<byte[]> receipt(Hash id) {
    return Optional.ofNullable(receipts.get(id));
  }

  @Override
  public Optional<JobEvents> events(Hash id, long afterSequence) {
    return find(id).map(_ -> new Following(id, afterSequence));
  }

  private final class Following implements JobEvents {
    private final Hash id;
    private long after;
    private boolean closed;

    Following(Hash id, long after) {
      this.id = id;
      this.after = after;
    }

    @Override
    public Next next(Duration timeout) throws InterruptedException {
      long end = System.nanoTime() + timeout.toNanos();
      synchronized (KeptJobs.this) {
        while (true) {
          if (closed) {
            return new Next.Ended();
          }
          if (after < events.get(id).size()) {
            return new Next.Event(events.get(id).get((int) after++));
          }
          if (states.get(id).isFinal()) {
            return new Next.Ended();
          }
          long millis = (end - System.nanoTime()) / 1_000_000;
          if (millis <= 0) {
            return new Next.Waiting();
          }
          KeptJobs.this.wait(millis);
        }
      }
    }

    @Override
    public void close() {
      synchronized (KeptJobs.this) {
        closed = true;
        KeptJobs.this.notifyAll();
      }
    }
  }

  @Override
  public JobView submit(JobDraft draft) {
    throw new UnsupportedOperationException("a provider's jobs come from elsewhere");
  }

  @Override
  public Intake accept(byte[] signedJobJson) {
    throw new UnsupportedOperationException("these come by the network");
  }

  @Override
  public List<JobView> list(JobQuery query) {
    throw new UnsupportedOperationException("nobody asks");
  }

  @Override
  public Optional<Artifacts> artifacts(Hash id) {
    throw new UnsupportedOperationException("nobody asks");
  }
}
