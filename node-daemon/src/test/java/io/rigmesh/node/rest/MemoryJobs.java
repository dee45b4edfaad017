package io.rigmesh.node.rest;

import io.rigmesh.node.jobs.Artifacts;
import io.rigmesh.node.jobs.CancelResult;
import io.rigmesh.node.jobs.Intake;
import io.rigmesh.node.jobs.JobDraft;
import io.rigmesh.node.jobs.JobEvent;
import io.rigmesh.node.jobs.JobEvents;
import io.rigmesh.node.jobs.JobProgress;
import io.rigmesh.node.jobs.JobQuery;
import io.rigmesh.node.jobs.JobRole;
import io.rigmesh.node.jobs.JobView;
import io.rigmesh.node.jobs.Jobs;
import io.rigmesh.node.jobs.RefusedException;
import io.rigmesh.protocol.AccountKey;
import io.rigmesh.protocol.Address;
import io.rigmesh.protocol.Domain;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.JobCheck;
import io.rigmesh.protocol.JobState;
import io.rigmesh.protocol.Refusal;
import io.rigmesh.protocol.SignedJob;
import io.rigmesh.protocol.TokenAmount;
import java.math.BigInteger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.BooleanSupplier;

/// Jobs in memory, for tests of what HTTP does with them. Signatures, ids and checks are real;
/// nothing is computed.
final class MemoryJobs implements Jobs {
  static final Domain DOMAIN = new Domain(31_337, Address.fromHex("0x" + "11".repeat(20)));

  private static final Duration PATIENCE = Duration.ofMinutes(2);

  private final AccountKey key = AccountKey.generate();
  private final Map<Hash, JobView> views = new LinkedHashMap<>();
  private final Map<Hash, List<JobEvent>> events = new LinkedHashMap<>();
  private final Map<Hash, byte[]> receipts = new LinkedHashMap<>();
  private final Map<Hash, Artifacts> artifacts = new LinkedHashMap<>();
  private Optional<Refusal> refusal = Optional.empty();
  private long nonce;

  /// From now on every job is refused for this reason.
  synchronized void refuseWith(Refusal reason) {
    refusal = Optional.of(reason);
  }

  synchronized void complete(Hash id, byte[] receipt, Artifacts output) {
    receipts.put(id, receipt);
    artifacts.put(id, output);
  }

  synchronized void output(Hash id, Artifacts output) {
    artifacts.put(id, output);
  }

  /// Adds an event and wakes who waits for it.
  synchronized void happen(Hash id, JobEvent.Type type, String data) {
    List<JobEvent> list = events.get(id);
    list.add(new JobEvent(list.size() + 1L, 1_700_000_000_000L + list.size(), type, data));
    notifyAll();
  }

  synchronized void become(Hash id, JobState state) {
    JobView v = views.get(id);
    views.put(id, view(v.signed(), state, v.role()));
    notifyAll();
  }

  /// Waits for the job that a request makes.
  synchronized Job awaitJob(int number) throws InterruptedException {
    await("job " + number, () -> views.size() > number);
    return new ArrayList<>(views.values()).get(number).signed().job();
  }

  /// Waits until a job is called off.
  synchronized void awaitCancelled(Hash id) throws InterruptedException {
    await("the cancelling of " + id, () -> views.get(id).state() instanceof JobState.Cancelled);
  }

  /// Waits for what another thread does, and not for ever: a test that hangs says nothing.
  private void await(String what, BooleanSupplier holds) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!holds.getAsBoolean()) {
      long millis = (end - System.nanoTime()) / 1_000_000;
      if (millis <= 0) {
        throw new AssertionError("waited in vain for " + what);
      }
      wait(millis);
    }
  }

  @Override
  public synchronized JobView submit(JobDraft draft) {
    refusal.ifPresent(r -> {
      throw new RefusedException(r);
    });
    Job job =
        new Job(
            draft.task(),
            draft.model().orElse(Hash.ZERO),
            draft.profile(),
            draft.input(),
            draft.seed().orElse(7),
            draft.priceMax().orElse(TokenAmount.of(1_000)),
            4_000_000_000L,
            key.address(),
            BigInteger.valueOf(nonce++));
    return keep(job.sign(key, DOMAIN), JobRole.REQUESTER);
  }

  @Override
  public synchronized Intake accept(byte[] signedJobJson) {
    if (refusal.isPresent()) {
      return new Intake.Refused(refusal.get());
    }
    JobCheck check =
        new JobCheck(
            DOMAIN,
            (requester, wanted) ->
                views.values().stream()
                    .filter(v -> v.signed().job().requester().equals(requester))
                    .filter(v -> v.signed().job().nonce().equals(wanted))
                    .map(JobView::id)
                    .findFirst());
    return switch (check.check(signedJobJson, 3_999_999_000L)) {
      case JobCheck.Failed(Refusal r) -> new Intake.Refused(r);
      case JobCheck.Passed(SignedJob job, boolean known) ->
          new Intake.Accepted(
              known ? views.get(job.job().id()) : keep(job, JobRole.PROVIDER), known);
    };
  }

  private JobView keep(SignedJob signed, JobRole role) {
    JobView view = view(signed, new JobState.Signed(), role);
    views.put(view.id(), view);
    events.put(view.id(), new ArrayList<>());
    notifyAll();
    return view;
  }

  private static JobView view(SignedJob signed, JobState state, JobRole role) {
    return new JobView(
        signed.job().id(),
        role,
        signed,
        state,
        Optional.of(new JobProgress(1, 4, OptionalDouble.of(2.5), 12.5)),
        Instant.ofEpochSecond(1_700_000_000),
        Instant.ofEpochSecond(1_700_000_001),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        Optional.empty(),
        TokenAmount.ZERO,
        List.of(),
        List.of());
  }

  @Override
  public synchronized List<JobView> list(JobQuery query) {
    List<JobView> newest = new ArrayList<>(views.values()).reversed();
    int from = query.after().map(id -> newest.indexOf(views.get(id)) + 1).orElse(0);
    return newest.stream()
        .skip(from)
        .filter(v -> query.state().map(s -> s.equals(v.state().id())).orElse(true))
        .filter(v -> query.role().map(r -> r == v.role()).orElse(true))
        .limit(query.limit())
        .toList();
  }

  @Override
  public synchronized Optional<JobView> find(Hash id) {
    return Optional.ofNullable(views.get(id));
  }

  @Override
  public synchronized CancelResult cancel(Hash id) {
    JobView view = views.get(id);
    if (view == null) {
      return new CancelResult.Unknown();
    }
    if (view.state().isFinal()) {
      return new CancelResult.TooLate(view);
    }
    become(id, new JobState.Cancelled());
    return new CancelResult.Cancelled(views.get(id));
  }

  @Override
  public synchronized Optional<JobEvents> events(Hash id, long afterSequence) {
    return views.containsKey(id) ? Optional.of(new Following(id, afterSequence)) : Optional.empty();
  }

  private final class Following implements JobEvents {
    private final Hash id;
    private long last;
    private boolean closed;

    Following(Hash id, long last) {
      this.id = id;
      this.last = last;
    }

    @Override
    public Next next(Duration timeout) throws InterruptedException {
      long until = System.nanoTime() + timeout.toNanos();
      synchronized (MemoryJobs.this) {
        while (true) {
          List<JobEvent> list = events.get(id);
          if (last < list.size()) {
            return new Next.Event(list.get((int) last++));
          }
          if (closed || views.get(id).state().isFinal()) {
            return new Next.Ended();
          }
          long millis = (until - System.nanoTime()) / 1_000_000;
          if (millis <= 0) {
            return new Next.Waiting();
          }
          MemoryJobs.this.wait(millis);
        }
      }
    }

    @Override
    public void close() {
      synchronized (MemoryJobs.this) {
        closed = true;
        MemoryJobs.this.notifyAll();
      }
    }
  }

  @Override
  public synchronized Optional<byte[]> receipt(Hash id) {
    return Optional.ofNullable(receipts.get(id));
  }

  @Override
  public synchronized Optional<Artifacts> artifacts(Hash id) {
    return Optional.ofNullable(artifacts.get(id));
  }
}
