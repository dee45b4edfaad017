package io.rigmesh.worker.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.task.Folders;
import io.rigmesh.worker.task.JobFixtures;
import io.rigmesh.worker.task.ModelShelf;
import io.rigmesh.worker.task.RunEvent;
import io.rigmesh.worker.task.RunRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

/// A training of twelve steps in three milestones, which end with the steps 6, 9 and 12.
@TestInstance(Lifecycle.PER_CLASS)
class MilestonesTest {
  private static final Task.Train TASK =
      new Task.Train(12, 2, 16, 0.003f, 2, 0.1f, 1f, 3, 3, JobFixtures.TRAIN.architecture());

  private final Kernels kernels = new VectorKernels(2);
  private final ModelShelf shelf = ModelShelf.onCpu(kernels);
  private final List<RunEvent> events = new ArrayList<>();
  private Path folder;
  private Path text;
  private Job job;
  private RunRequest request;
  private RunEvent.Done done;

  @BeforeAll
  void train(@TempDir Path shared) {
    folder = shared;
    text = JobFixtures.write(folder.resolve("text"), JobFixtures.text());
    job = JobFixtures.job(TASK, Hash.ZERO, text, 7);
    request = JobFixtures.request(job, Optional.empty(), text, folder.resolve("whole"));
    done = (RunEvent.Done) JobFixtures.run(kernels, request, events, () -> false);
  }

  @AfterAll
  void close() {
    shelf.close();
    kernels.close();
  }

  private static List<RunEvent.Milestone> milestones(List<RunEvent> events) {
    return events.stream()
        .filter(RunEvent.Milestone.class::isInstance)
        .map(RunEvent.Milestone.class::cast)
        .toList();
  }

  /// What a provider would sign for a milestone.
  private ReceiptFile receipt(RunEvent.Milestone milestone, Evidence evidence) {
    return JobFixtures.receiptFile(
        job,
        new RunEvent.Done(
            milestone.meter(),
            evidence,
            milestone.model(),
            Folders.manifest(milestone.folder()).root(),
            Optional.empty()),
        evidence);
  }

  private Verdict verify(ReceiptFile file, Path output, Samples samples) {
    return new Verifier(kernels, shelf)
        .verify(file, new Materials(Optional.empty(), text, output), samples, progress -> {});
  }

  @Test
  void milestonesBeforeTheLastAreToldAsTheyAreReachedWithTheBeginningOfTheEvidence() {
    List<RunEvent.Milestone> told = milestones(events);
    assertThat(told).extracting(RunEvent.Milestone::number).containsExactly(1, 2);
    assertThat(told)
        .extracting(RunEvent.Milestone::meter)
        .containsExactly(new Meter(6 * 32, 0, 6), new Meter(9 * 32, 0, 9));
    Evidence.Training whole = (Evidence.Training) done.evidence();
    for (RunEvent.Milestone milestone : told) {
      int steps = (int) milestone.meter().steps();
      int at = events.indexOf(milestone);
      assertThat(events.get(at - 1))
          .isInstanceOfSatisfying(
              RunEvent.Progress.class, p -> assertThat(p.step()).isEqualTo(steps));
      Evidence.Training evidence = (Evidence.Training) milestone.evidence();
      assertThat(evidence.links()).isEqualTo(whole.links().subList(0, steps));
      assertThat(evidence.losses()).isEqualTo(whole.losses().subList(0, steps));
      assertThat(evidence.checkpoints()).isEqualTo(whole.checkpoints().subList(0, steps / 3 + 1));
      assertThat(milestone.model()).isEqualTo(done.model());
    }
  }

  @Test
  void theReceiptOfEachIsExactInWholeAndInPart() {
    for (RunEvent.Milestone milestone : milestones(events)) {
      ReceiptFile file = receipt(milestone, milestone.evidence());
      assertThat(verify(file, milestone.folder(), new Samples.All()))
          .isInstanceOfSatisfying(
              Verdict.Exact.class,
              exact -> {
                assertThat(exact.stepsChecked()).isEqualTo(milestone.meter().steps());
                assertThat(exact.stepsTotal()).isEqualTo(milestone.meter().steps());
              });
      assertThat(verify(file, milestone.folder(), new Samples.Some(1, 5)))
          .isInstanceOfSatisfying(
              Verdict.Exact.class, exact -> assertThat(exact.stepsChecked()).isEqualTo(3));
    }
  }

  @Test
  void aRunThatGoesOnSaysTheMilestonesBeforeItAgainAndEndsTheSame() {
    RunRequest again = JobFixtures.request(job, Optional.empty(), text, folder.resolve("again"));
    AtomicInteger asked = new AtomicInteger();
    List<RunEvent> first = new ArrayList<>();
    JobFixtures.run(kernels, again, first, () -> asked.getAndIncrement() > 7);
    assertThat(milestones(first)).extracting(RunEvent.Milestone::number).containsExactly(1);

    List<RunEvent> second = new ArrayList<>();
    assertThat(JobFixtures.run(kernels, again, second, () -> false)).isEqualTo(done);
    assertThat(second.get(1)).isEqualTo(milestones(first).getFirst());
    assertThat(milestones(second)).extracting(RunEvent.Milestone::number).containsExactly(1, 2);
    for (int i = 0; i < 2; i++) {
      assertThat(Folders.manifest(milestones(second).get(i).folder()))
          .isEqualTo(Folders.manifest(milestones(events).get(i).folder()));
    }
  }

  @Test
  void aLieUpToAMilestoneIsFound() {
    RunEvent.Milestone milestone = milestones(events).getLast();
    Evidence.Training honest = (Evidence.Training) milestone.evidence();
    List<Float> losses = new ArrayList<>(honest.losses());
    losses.set(7, Math.nextUp(losses.get(7)));
    var chain = JobFixtures.trainingChain(job, done, request);
    for (int step = 1; step <= losses.size(); step++) {
      chain.step(
          step,
          losses.get(step - 1),
          step * 32L,
          step % 3 == 0 ? honest.checkpoints().get(step / 3).state() : Hash.ZERO);
    }
    Evidence lie = new Evidence.Training(losses, honest.checkpoints(), chain.links());
    assertThat(verify(receipt(milestone, lie), milestone.folder(), new Samples.All()))
        .isInstanceOfSatisfying(
            Verdict.Differs.class, differs -> assertThat(differs.firstStep()).isEqualTo(8));
  }

  @Test
  void stepsThatNoMilestoneEndsWithAreNoMilestone() {
    RunEvent.Milestone milestone = milestones(events).getFirst();
    Evidence.Training evidence = (Evidence.Training) milestone.evidence();
    RunEvent.Milestone early =
        new RunEvent.Milestone(
            1,
            new Meter(3 * 32, 0, 3),
            new Evidence.Training(
                evidence.losses().subList(0, 3),
                evidence.checkpoints().subList(0, 2),
                evidence.links().subList(0, 3)),
            milestone.model(),
            milestone.folder());
    assertThat(verify(receipt(early, early.evidence()), milestone.folder(), new Samples.All()))
        .isInstanceOfSatisfying(
            Verdict.Invalid.class,
            v -> assertThat(v.sentence()).contains("is for 3 steps").contains("3 milestones"));
  }

  @Test
  void theFoldersOfAMilestoneAreChecked() {
    RunEvent.Milestone milestone = milestones(events).getFirst();
    assertThat(
            verify(
                receipt(milestone, milestone.evidence()),
                request.outputFolder(),
                new Samples.Some(0, 1)))
        .isInstanceOf(Verdict.Differs.class);
  }
}
