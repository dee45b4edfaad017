package io.rigmesh.scheduler.queue;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.JobKind;
import io.rigmesh.protocol.Profile;
import io.rigmesh.protocol.RefusalCode;
import io.rigmesh.scheduler.estimate.Estimate;
import io.rigmesh.scheduler.estimate.Speeds;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SchedulerTest {
  private static final long MIB = 1 << 20;

  private static final Limits LIMITS = new Limits(9, 10_000, 5_000, 1_000);

  private final Speeds speeds = new Speeds();
  private final Scheduler scheduler = new Scheduler(new Limits(3, 10_000, 5_000, 1_000), speeds);

  @BeforeEach
  void oneDeviceOfThousandOperationsPerSecond() {
    scheduler.serves(new Device("cpu", 100 * MIB, Set.of(Profile.F32_V1)));
    speeds.restore(new Speeds.Key("cpu", JobKind.EMBED), 1_000);
  }

  @Test
  void firstStartsTheHighestPriorityThenTheEarliestDeadline() {
    confirm(work("late", 0, 90_000, 1));
    confirm(work("early", 0, 50_000, 1));
    confirm(work("urgent", 1, 95_000, 1));

    assertThat(next(0)).isEqualTo(id("urgent"));
    assertThat(scheduler.start(0)).as("one job at a time").isEmpty();
    scheduler.finish(id("urgent"), 1_000, 1_000);
    assertThat(next(1_000)).isEqualTo(id("early"));
    scheduler.finish(id("early"), 1_000, 2_000);
    assertThat(next(2_000)).isEqualTo(id("late"));
  }

  @Test
  void whatComesBeforeAnyDeviceIsReadyIsToldToAskAgain() {
    Scheduler starting = new Scheduler(LIMITS, new Speeds());
    Admission early = starting.admit(work("early", 0, 40_000, 1), 0);
    assertThat(((Admission.Refused) early).refusal().code()).isEqualTo(RefusalCode.UNAVAILABLE);
  }

  @Test
  void refusesWhatCannotBeDoneInTimeAtTheMeasuredSpeed() {
    assertRefused(work("slow", 0, 20_000, 20), RefusalCode.DEADLINE_TOO_SOON);
    assertAdmitted(work("margin kept", 0, 20_000, 19));
  }

  @Test
  void takesTheFirstJobOfAKindWhoseSpeedWasNeverMeasured() {
    Work unknown =
        new Work(
            id("train"),
            JobKind.TRAIN,
            Hash.ZERO,
            Profile.F32_V1,
            0,
            5_000,
            new Estimate(MIB, 1e12));
    assertAdmitted(unknown);
  }

  @Test
  void refusesWhatWouldMakeAPromisedJobLate() {
    confirm(work("promised", 0, 11_000, 10));

    assertRefused(work("urgent", 1, 90_000, 5), RefusalCode.BUSY);
    assertAdmitted(work("patient", 0, 90_000, 5));
  }

  @Test
  void refusesWhatNeedsMoreMemoryThanTheDeviceReportsNow() {
    Work big = new Work(id("big"), JobKind.EMBED, Hash.ZERO, Profile.F32_V1, 0, 90_000, of(101, 1));
    assertRefused(big, RefusalCode.OUT_OF_MEMORY);
    scheduler.serves(new Device("cpu", 200 * MIB, Set.of(Profile.F32_V1)));
    assertAdmitted(big);
  }

  @Test
  void refusesBeyondTheQueuesBound() {
    for (int i = 0; i < 3; i++) {
      assertAdmitted(work("job " + i, 0, 90_000, 1));
    }
    assertRefused(work("one more", 0, 90_000, 1), RefusalCode.BUSY);
    scheduler.cancel(id("job 1"), 0);
    assertAdmitted(work("one more", 0, 90_000, 1));
  }

  @Test
  void placeThatIsNotConfirmedLapsesAndGivesItsTimeBack() {
    assertAdmitted(work("never paid", 0, 21_000, 20));
    assertRefused(work("other", 0, 30_000, 20), RefusalCode.DEADLINE_TOO_SOON);
    assertThat(scheduler.lapse(9_999)).isEmpty();
    assertThat(scheduler.lapse(10_000))
        .singleElement()
        .satisfies(l -> assertThat(l.stage()).isEqualTo(Lease.Stage.PLACED));
    assertThat(scheduler.lease(id("never paid"))).isEmpty();
    assertThat(scheduler.confirm(id("never paid"), 10_000)).isInstanceOf(Admission.Refused.class);
  }

  @Test
  void paidJobDoesNotWaitForAnEarlierOneThatIsNot() {
    assertAdmitted(work("unpaid", 0, 30_000, 10));
    confirm(work("paid", 0, 31_000, 20));

    assertThat(next(0)).isEqualTo(id("paid"));
    assertThat(scheduler.confirm(id("unpaid"), 0))
        .as("it would end at 30 s and must at 29")
        .isInstanceOf(Admission.Refused.class);
  }

  @Test
  void silentJobLosesItsDeviceAndALivelyOneKeepsIt() {
    confirm(work("job", 0, 90_000, 30));
    assertThat(next(0)).isEqualTo(id("job"));
    assertThat(scheduler.renew(id("job"), 4_000)).isTrue();
    assertThat(scheduler.lapse(8_999)).isEmpty();
    assertThat(scheduler.lapse(9_000))
        .singleElement()
        .satisfies(l -> {
          assertThat(l.stage()).isEqualTo(Lease.Stage.RUNNING);
          assertThat(l.deadlinePassed()).isFalse();
        });
    assertThat(scheduler.renew(id("job"), 9_001)).isFalse();
  }

  @Test
  void jobWhoseDeadlinePassesLapsesWhereverItIs() {
    confirm(work("runs", 0, 50_000, 1));
    confirm(work("waits", 0, 60_000, 1));
    next(0);
    scheduler.renew(id("runs"), 49_000);
    assertThat(scheduler.lapse(50_000)).extracting(l -> l.work().job()).containsExactly(id("runs"));
    assertThat(scheduler.lapse(60_000))
        .singleElement()
        .satisfies(l -> assertThat(l.deadlinePassed()).isTrue());
  }

  @Test
  void jobWhoseWorkerDiesWaitsAgainAndStartsFirstOnceAWorkerServes() {
    confirm(work("first", 0, 50_000, 1));
    confirm(work("second", 0, 60_000, 1));
    next(0);
    scheduler.stopsServing("cpu", 100);
    assertThat(scheduler.start(100)).isEmpty();
    scheduler.serves(new Device("cpu", 100 * MIB, Set.of(Profile.F32_V1)));
    assertThat(next(200)).isEqualTo(id("first"));
  }

  @Test
  void restoredJobIsTakenBackWhateverTheBounds() {
    for (int i = 0; i < 3; i++) {
      assertAdmitted(work("job " + i, 0, 90_000, 1));
    }
    scheduler.restore(work("promised before", 0, 40_000, 100), "cpu", 0);
    assertThat(next(0)).isEqualTo(id("promised before"));
  }

  @Test
  void restoredJobWaitsForADeviceThatIsNotKnownYet() {
    Scheduler empty = new Scheduler(new Limits(3, 10_000, 5_000, 1_000), speeds);
    empty.restore(work("job", 0, 40_000, 1), "cpu", 0);
    assertThat(empty.start(0)).isEmpty();
    empty.serves(new Device("cpu", 100 * MIB, Set.of(Profile.F32_V1)));
    assertThat(empty.start(1)).hasSize(1);
  }

  private void confirm(Work work) {
    assertAdmitted(work);
    assertThat(scheduler.confirm(work.job(), 0)).isInstanceOf(Admission.Admitted.class);
  }

  private void assertAdmitted(Work work) {
    assertThat(scheduler.admit(work, 0)).isInstanceOf(Admission.Admitted.class);
  }

  @Test
  void generationsWithOneModelRunAtOnceUpToTheDevicesMostAndNothingElseBesideThem() {
    Scheduler shared = new Scheduler(LIMITS, new Speeds());
    shared.serves(new Device("cpu", 100 * MIB, Set.of(Profile.F32_V1), 2));
    for (Work work :
        List.of(
            generation("one", "model", 10_000),
            generation("two", "model", 20_000),
            generation("three", "model", 30_000),
            generation("other", "another model", 40_000),
            generation("last", "model", 50_000))) {
      shared.admit(work, 0);
      shared.confirm(work.job(), 0);
    }
    assertThat(started(shared, 0)).containsExactly(id("one"), id("two"));
    shared.finish(id("one"), 1, 1_000);
    assertThat(started(shared, 1_000)).containsExactly(id("three"));
    shared.finish(id("two"), 1, 2_000);
    // The last one would fit beside the third, but another waited before it.
    assertThat(started(shared, 2_000)).isEmpty();
    shared.finish(id("three"), 1, 3_000);
    assertThat(started(shared, 3_000)).containsExactly(id("other"));
    shared.finish(id("other"), 1, 4_000);
    assertThat(started(shared, 4_000)).containsExactly(id("last"));
  }

  @Test
  void aGenerationThatSharedItsDeviceIsMeasuredByItsPartOfTheTime() {
    Speeds speeds = new Speeds();
    Scheduler shared = new Scheduler(LIMITS, speeds);
    shared.serves(new Device("cpu", 100 * MIB, Set.of(Profile.F32_V1), 2));
    for (Work work :
        List.of(generation("one", "model", 90_000), generation("two", "model", 90_000))) {
      shared.admit(work, 0);
      shared.confirm(work.job(), 0);
    }
    assertThat(started(shared, 0)).hasSize(2);
    shared.finish(id("one"), 1_000, 4_000);
    assertThat(speeds.operationsPerSecond(new Speeds.Key("cpu", JobKind.GENERATE))).hasValue(500.0);
    shared.finish(id("two"), 4_000, 6_000);
    assertThat(speeds.operationsPerSecond(new Speeds.Key("cpu", JobKind.GENERATE)))
        .hasValue(500 * 0.7 + 1_000 * 0.3);
  }

  @Test
  void aGenerationWaitsWhereSharingTheDeviceCouldMakeAnotherLate() {
    Speeds known = new Speeds();
    known.restore(new Speeds.Key("cpu", JobKind.GENERATE), 1_000);
    Scheduler shared = new Scheduler(LIMITS, known);
    shared.serves(new Device("cpu", 100 * MIB, Set.of(Profile.F32_V1), 2));
    for (Work work :
        List.of(generation("tight", "model", 10_000, 8), generation("wide", "model", 60_000, 8))) {
      shared.admit(work, 0);
      shared.confirm(work.job(), 0);
    }
    assertThat(started(shared, 0)).containsExactly(id("tight"));
    assertThat(started(shared, 6_000)).as("two seconds and eight are ten").isEmpty();
    assertThat(started(shared, 7_900)).isEmpty();
    shared.finish(id("tight"), 8_000, 8_000);
    assertThat(started(shared, 8_000)).containsExactly(id("wide"));
  }

  private static Work generation(String name, String model, long deadlineMillis) {
    return generation(name, model, deadlineMillis, 0);
  }

  private static Work generation(String name, String model, long deadlineMillis, int seconds) {
    return new Work(
        id(name), JobKind.GENERATE, id(model), Profile.F32_V1, 0, deadlineMillis, of(1, seconds));
  }

  private static List<Hash> started(Scheduler scheduler, long now) {
    return scheduler.start(now).stream().map(start -> start.work().job()).toList();
  }

  private void assertRefused(Work work, RefusalCode code) {
    assertThat(scheduler.admit(work, 0))
        .isInstanceOfSatisfying(
            Admission.Refused.class, r -> assertThat(r.refusal().code()).isEqualTo(code));
    assertThat(scheduler.lease(work.job())).isEmpty();
  }

  private Hash next(long now) {
    return scheduler.start(now).getFirst().work().job();
  }

  private static Work work(String name, int priority, long deadlineMillis, int seconds) {
    return new Work(
        id(name),
        JobKind.EMBED,
        Hash.ZERO,
        Profile.F32_V1,
        priority,
        deadlineMillis,
        of(1, seconds));
  }

  private static Estimate of(long mebibytes, int seconds) {
    return new Estimate(mebibytes * MIB, seconds * 1_000.0);
  }

  private static Hash id(String name) {
    return Digests.sha256(name.getBytes(StandardCharsets.UTF_8));
  }
}
