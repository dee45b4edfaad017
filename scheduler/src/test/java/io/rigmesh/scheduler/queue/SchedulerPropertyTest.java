package io.rigmesh.scheduler.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Profile;
import io.rigmesh.scheduler.estimate.Estimate;
import io.rigmesh.scheduler.estimate.Speeds;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/// A market day in a test: jobs arrive, are paid for or not, are called off; devices differ. The
/// clock is the test's own.
class SchedulerPropertyTest {
  private static final int QUEUE_MAX = 20;
  private static final long PLACE_MILLIS = 3_000;
  private static final long MARGIN_MILLIS = 500;

  /// Something that will happen.
  private record Moment(long at, long order, Runnable what) {}

  private final PriorityQueue<Moment> agenda =
      new PriorityQueue<>(
          (a, b) -> a.at != b.at ? Long.compare(a.at, b.at) : Long.compare(a.order, b.order));
  private long now;
  private long orders;

  @Property(tries = 150)
  void everyConfirmedJobIsDoneInTimeAndEveryHoldEnds(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 3) int deviceCount) {
    Random random = new Random(seed);
    now = 0;
    agenda.clear();
    Speeds speeds = new Speeds();
    Scheduler scheduler =
        new Scheduler(
            new Limits(QUEUE_MAX, PLACE_MILLIS, Long.MAX_VALUE / 4, MARGIN_MILLIS), speeds);
    for (int d = 0; d < deviceCount; d++) {
      scheduler.serves(new Device("cuda:" + d, (1L + d) << 30, Set.of(Profile.F32_V1)));
      speeds.restore(new Speeds.Key("cuda:" + d, JobKind.EMBED), 1_000.0 * (1 + d));
    }
    Set<Hash> confirmed = new HashSet<>();
    Set<Hash> calledOff = new HashSet<>();
    Map<Hash, Work> runs = new HashMap<>();
    Set<Hash> done = new HashSet<>();
    Runnable start =
        () -> {
          for (Scheduler.Start s : scheduler.start(now)) {
            Work work = s.work();
            assertThat(confirmed).as("only what is paid for runs").contains(work.job());
            runs.put(work.job(), work);
            double speed = speeds.operationsPerSecond(key(s.device())).orElseThrow();
            double reckoned = work.estimate().operations() / speed * 1000;
            // Never longer than reckoned; that is the promise's condition.
            long took = (long) (reckoned * (0.3 + 0.7 * random.nextDouble()));
            at(
                now + took,
                () -> {
                  if (runs.remove(work.job()) == null) {
                    return;
                  }
                  assertThat(now + MARGIN_MILLIS)
                      .as("done in time")
                      .isLessThanOrEqualTo(work.deadlineMillis());
                  done.add(work.job());
                  // Not measured, so that the speeds stay those of the promise.
                  scheduler.cancel(work.job(), now);
                });
          }
        };
    for (int j = 0; j < 120; j++) {
      int number = j;
      at(
          random.nextInt(60_000),
          () -> {
            Work work = work(number, random);
            if (scheduler.admit(work, now) instanceof Admission.Admitted) {
              assertThat(scheduler.waiting()).isLessThanOrEqualTo(QUEUE_MAX);
              if (random.nextInt(5) > 0) {
                at(
                    now + random.nextInt(4_000),
                    () -> {
                      if (!calledOff.contains(work.job())
                          && scheduler.confirm(work.job(), now) instanceof Admission.Admitted) {
                        confirmed.add(work.job());
                      }
                    });
              }
              if (random.nextInt(6) == 0) {
                at(
                    now + random.nextInt(9_000),
                    () -> {
                      if (!done.contains(work.job()) && scheduler.cancel(work.job(), now)) {
                        calledOff.add(work.job());
                        runs.remove(work.job());
                      }
                    });
              }
            }
          });
    }
    while (!agenda.isEmpty()) {
      Moment next = agenda.remove();
      now = next.at;
      scheduler
          .lapse(now)
          .forEach(
              l -> assertThat(l.stage()).as("no promise lapses").isEqualTo(Lease.Stage.PLACED));
      next.what.run();
      start.run();
    }
    scheduler.lapse(now + PLACE_MILLIS);
    assertThat(scheduler.waiting()).as("nothing is held for ever").isZero();
    assertThat(scheduler.loads()).allSatisfy(l -> assertThat(l.running()).isEmpty());
    confirmed.removeAll(calledOff);
    assertThat(done).containsAll(confirmed);
  }

  private void at(long when, Runnable what) {
    agenda.add(new Moment(when, orders++, what));
  }

  private static Speeds.Key key(String device) {
    return new Speeds.Key(device, JobKind.EMBED);
  }

  private Work work(int number, Random random) {
    return new Work(
        Digests.sha256(new byte[] {(byte) number, (byte) (number >> 8)}),
        JobKind.EMBED,
        Hash.ZERO,
        Profile.F32_V1,
        random.nextInt(3),
        now + 1_000 + random.nextInt(60_000),
        new Estimate((long) random.nextInt(3) << 30, 100 + random.nextInt(9_000)));
  }
}
