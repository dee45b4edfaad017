package io.rigmesh.worker.task;

import static io.rigmesh.worker.task.JobFixtures.TRAIN;
import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.ScalarKernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.llama.LlamaParameters;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(Lifecycle.PER_CLASS)
class TrainingRunTest {
  private final Kernels kernels = new VectorKernels(2);

  private Path folder;
  private Path input;
  private Job job;
  private RunRequest undisturbedRequest;
  private RunEvent.Done undisturbed;

  @BeforeAll
  void runOnceUndisturbed(@TempDir Path shared) {
    folder = shared;
    input = JobFixtures.write(folder.resolve("input.txt"), JobFixtures.text());
    job = JobFixtures.job(TRAIN, Hash.ZERO, input, 7);
    undisturbedRequest = request("undisturbed");
    undisturbed = JobFixtures.run(kernels, undisturbedRequest);
  }

  @AfterAll
  void close() {
    kernels.close();
  }

  private RunRequest request(String name) {
    return JobFixtures.request(job, Optional.empty(), input, folder.resolve(name));
  }

  @Test
  void theOutputHoldsTheModelAndEveryCommittedState() throws IOException {
    try (Stream<Path> files = Files.walk(undisturbedRequest.outputFolder())) {
      assertThat(
              files
                  .filter(Files::isRegularFile)
                  .map(file -> undisturbedRequest.outputFolder().relativize(file).toString()))
          .contains(
              "model/config.json",
              "model/generation_config.json",
              "model/model.safetensors",
              "model/tokenizer.json",
              "checkpoints/step-000000005/model.safetensors",
              "checkpoints/step-000000010/optimizer.safetensors",
              "checkpoints/step-000000012/model.safetensors");
    }
    assertThat(undisturbed.output())
        .isEqualTo(Folders.manifest(undisturbedRequest.outputFolder()).root());
    assertThat(undisturbed.trainedModel())
        .contains(Folders.manifest(undisturbedRequest.outputFolder().resolve("model")).root());
    assertThat(undisturbed.meter()).isEqualTo(new Meter(12L * 2 * 16, 0, 12));
  }

  @Test
  void theLossFallsAndEveryStepHasALink() {
    Evidence.Training evidence = (Evidence.Training) undisturbed.evidence();
    assertThat(evidence.links()).hasSize(12);
    assertThat(evidence.losses()).hasSize(12);
    assertThat(evidence.losses().getLast()).isLessThan(evidence.losses().getFirst());
    assertThat(evidence.checkpoints())
        .extracting(Evidence.Checkpoint::step)
        .containsExactly(0L, 5L, 10L, 12L);
  }

  @Test
  void eventsTellTheStartAndEveryStepWithItsLoss() {
    List<RunEvent> events = new ArrayList<>();
    JobFixtures.run(kernels, request("events"), events, () -> false);
    assertThat(events.getFirst()).isEqualTo(new RunEvent.Started(12, undisturbed.model(), 0));
    assertThat(events.stream().skip(1))
        .hasSize(12)
        .allSatisfy(event ->
            assertThat(event)
                .isInstanceOfSatisfying(
                    RunEvent.Progress.class,
                    progress -> {
                      assertThat(progress.totalSteps()).isEqualTo(12);
                      assertThat(progress.loss())
                          .contains(
                              ((Evidence.Training) undisturbed.evidence())
                                  .losses()
                                  .get((int) progress.step() - 1));
                      assertThat(progress.tokensPerSecond()).isPositive();
                    }));
  }

  @Test
  void theScalarReferenceGivesTheSameEvidenceAndOutput() {
    try (Kernels scalar = new ScalarKernels()) {
      assertThat(JobFixtures.run(scalar, request("scalar"))).isEqualTo(undisturbed);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 5, 6, 9, 10, 11})
  void aRunThatEndsAfterAnyStepGoesOnToTheBitsOfAnUndisturbedOne(int stepsBefore) {
    RunRequest request = request("ended-" + stepsBefore);
    AtomicInteger asked = new AtomicInteger();
    List<RunEvent> events = new ArrayList<>();
    // Asked once before the start and once before each step.
    RunEvent.End ended =
        JobFixtures.run(kernels, request, events, () -> asked.getAndIncrement() > stepsBefore);
    assertThat(ended)
        .isInstanceOfSatisfying(
            RunEvent.Failed.class,
            failed -> assertThat(failed.code()).isEqualTo(FailureCode.CANCELLED));
    assertThat(events.stream().filter(RunEvent.Progress.class::isInstance)).hasSize(stepsBefore);

    events.clear();
    assertThat(JobFixtures.run(kernels, request, events, () -> false)).isEqualTo(undisturbed);
    assertThat(events.getFirst())
        .isEqualTo(new RunEvent.Started(12, undisturbed.model(), stepsBefore / 5 * 5L));
  }

  @Test
  void aSpoiltCheckpointIsPassedOverForTheOneBefore() {
    RunRequest request = request("spoilt");
    AtomicInteger asked = new AtomicInteger();
    JobFixtures.run(kernels, request, new ArrayList<>(), () -> asked.getAndIncrement() > 10);
    Path weights = request.workFolder().resolve("checkpoints/step-000000010/optimizer.safetensors");
    JobFixtures.flip(weights, weights.toFile().length() - 5, 2);

    List<RunEvent> events = new ArrayList<>();
    assertThat(JobFixtures.run(kernels, request, events, () -> false)).isEqualTo(undisturbed);
    assertThat(events.getFirst()).isEqualTo(new RunEvent.Started(12, undisturbed.model(), 5));
  }

  @Test
  void aCheckpointWithoutItsRecordIsNotBelieved() throws IOException {
    RunRequest request = request("unrecorded");
    AtomicInteger asked = new AtomicInteger();
    JobFixtures.run(kernels, request, new ArrayList<>(), () -> asked.getAndIncrement() > 10);
    JobFixtures.flip(request.workFolder().resolve("segments/step-000000005"), 60, 0);

    List<RunEvent> events = new ArrayList<>();
    assertThat(JobFixtures.run(kernels, request, events, () -> false)).isEqualTo(undisturbed);
    assertThat(events.getFirst()).isEqualTo(new RunEvent.Started(12, undisturbed.model(), 0));
    assertThat(Files.exists(request.workFolder().resolve("segments/step-000000005"))).isTrue();
  }

  @Test
  void aFinishedJobThatIsRunAgainGivesTheSameAtOnce() {
    List<RunEvent> events = new ArrayList<>();
    assertThat(JobFixtures.run(kernels, undisturbedRequest, events, () -> false))
        .isEqualTo(undisturbed);
    assertThat(events).containsExactly(new RunEvent.Started(12, undisturbed.model(), 12));
  }

  @Test
  void aTrainedModelCanBeTrainedOn() {
    Path model = undisturbedRequest.outputFolder().resolve("model");
    Task.Train more = new Task.Train(3, 2, 16, 0.001f, 1, 0f, 1f, 2, Optional.empty());
    Job next = JobFixtures.job(more, undisturbed.trainedModel().orElseThrow(), input, 8);
    RunEvent.Done done =
        JobFixtures.run(
            kernels, JobFixtures.request(next, Optional.of(model), input, folder.resolve("more")));
    assertThat(done.model()).isEqualTo(next.model());
    assertThat(((Evidence.Training) done.evidence()).losses().getFirst())
        .isLessThan(((Evidence.Training) undisturbed.evidence()).losses().getFirst());
  }

  @Test
  void anotherInputThanTheJobsIsRefused() {
    RunRequest request = request("input");
    Path other = JobFixtures.write(folder.resolve("other.txt"), "other");
    RunRequest wrong =
        new RunRequest(job, Optional.empty(), other, request.workFolder(), request.outputFolder());
    assertThat(JobFixtures.run(kernels, wrong, new ArrayList<>(), () -> false))
        .isInstanceOfSatisfying(
            RunEvent.Failed.class,
            failed -> {
              assertThat(failed.code()).isEqualTo(FailureCode.INVALID_INPUT);
              assertThat(failed.message()).contains(job.input().hex());
            });
  }

  @Test
  void aTextTooShortForOneWindowIsRefusedInWords() {
    Path tiny = JobFixtures.write(folder.resolve("tiny.txt"), "a b");
    Job tooShort = JobFixtures.job(TRAIN, Hash.ZERO, tiny, 9);
    assertThat(
            JobFixtures.run(
                kernels,
                JobFixtures.request(tooShort, Optional.empty(), tiny, folder.resolve("tiny")),
                new ArrayList<>(),
                () -> false))
        .isInstanceOfSatisfying(
            RunEvent.Failed.class,
            failed -> {
              assertThat(failed.code()).isEqualTo(FailureCode.INVALID_INPUT);
              assertThat(failed.message()).contains("give more text");
            });
  }

  @Test
  void aModelWhoseNumbersOverflowFailsLoudlyAndNamesTheOperation() {
    Path model = folder.resolve("overflowing");
    Folders.link(undisturbedRequest.outputFolder().resolve("model"), model);
    LlamaParameters parameters = TrainingRun.parameters(model);
    parameters.layers().getFirst().up().fill(3e38f);
    parameters.write(model);
    Task.Train more = new Task.Train(3, 2, 16, 0.001f, 1, 0f, 1f, 2, Optional.empty());
    Job next = JobFixtures.job(more, Folders.manifest(model).root(), input, 10);
    assertThat(
            JobFixtures.run(
                kernels,
                JobFixtures.request(next, Optional.of(model), input, folder.resolve("loud")),
                new ArrayList<>(),
                () -> false))
        .isInstanceOfSatisfying(
            RunEvent.Failed.class,
            failed -> {
              assertThat(failed.code()).isEqualTo(FailureCode.INVALID_INPUT);
              assertThat(failed.message()).contains("Operation linear");
            });
  }

  @Test
  void aModelTooLargeForTheHeapIsRefusedBeforeMemoryIsTaken() {
    Task.Train huge =
        new Task.Train(
            12,
            64,
            1024,
            0.003f,
            2,
            0.1f,
            1f,
            5,
            Optional.of(new Task.Architecture(64, 256, 4, 2, 4096, 300)));
    Job big = JobFixtures.job(huge, Hash.ZERO, input, 11);
    assertThat(
            JobFixtures.run(
                kernels,
                JobFixtures.request(big, Optional.empty(), input, folder.resolve("big")),
                new ArrayList<>(),
                () -> false))
        .isInstanceOfSatisfying(
            RunEvent.Failed.class,
            failed -> {
              assertThat(failed.code()).isEqualTo(FailureCode.OUT_OF_MEMORY);
              assertThat(failed.message()).contains("MiB").contains("larger heap");
            });
  }
}
