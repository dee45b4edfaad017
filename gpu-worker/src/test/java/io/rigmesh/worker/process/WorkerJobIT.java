package io.rigmesh.worker.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.ProtocolJson;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.embed.MiniLm;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.process.WorkerException.Reason;
import io.rigmesh.worker.task.FailureCode;
import io.rigmesh.worker.task.Folders;
import io.rigmesh.worker.task.JobFixtures;
import io.rigmesh.worker.task.RunEvent;
import io.rigmesh.worker.task.RunRequest;
import io.rigmesh.worker.verify.Samples;
import io.rigmesh.worker.verify.Verdict;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Jobs in a real worker process, killed where it hurts.
class WorkerJobIT {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /// Long enough to be killed in its middle, with checkpoints that the kill falls between.
  private static final Task.Train TRAIN =
      new Task.Train(
          120,
          2,
          16,
          0.003f,
          2,
          0.1f,
          1f,
          25,
          Optional.of(new Task.Architecture(2, 32, 4, 2, 64, 300)));

  @TempDir Path home;

  private final List<String> log = new ArrayList<>();
  private final List<WorkerProcess> workers = new ArrayList<>();
  private Path text;
  private Job train;

  @BeforeEach
  void writeTheText() {
    text = JobFixtures.write(home.resolve("text"), JobFixtures.text());
    train = JobFixtures.job(TRAIN, Hash.ZERO, text, 5);
  }

  @AfterEach
  void endWorkers() {
    workers.forEach(WorkerProcess::close);
  }

  private WorkerProcess worker(long heapBytes) {
    WorkerProcess worker =
        WorkerProcess.start(
            WorkerLaunch.likeThisProcess(
                home.resolve("s").resolve("0.sock"), "cpu", 1, heapBytes, home.resolve("worker")),
            line -> {
              synchronized (log) {
                log.add(line);
              }
            },
            PATIENCE);
    workers.add(worker);
    return worker;
  }

  private WorkerProcess worker() {
    return worker(384L << 20);
  }

  /// A run whose worker was killed.
  ///
  /// @param events what came of it
  private record Killed(RunRequest request, List<RunEvent> events) {}

  /// Runs a job and kills the worker with SIGKILL when an event comes. A worker that was done
  /// before this machine came to kill it is given the job again, in other folders.
  private Killed runAndKill(IntFunction<RunRequest> requests, Predicate<RunEvent> when) {
    for (int attempt = 0; attempt < 12; attempt++) {
      RunRequest request = requests.apply(attempt);
      WorkerProcess worker = worker();
      List<RunEvent> events = new ArrayList<>();
      try {
        RunEvent.End end =
            worker
                .client()
                .run(
                    request,
                    event -> {
                      events.add(event);
                      if (when.test(event)) {
                        worker.handle().destroyForcibly();
                      }
                    });
        assertThat(end).isInstanceOf(RunEvent.Done.class);
      } catch (WorkerException e) {
        assertThat(e.reason()).isEqualTo(Reason.LOST);
      }
      assertThat(worker.ended().join()).as("128 + SIGKILL").isEqualTo(137);
      if (!Files.exists(request.outputFolder())) {
        return new Killed(request, events);
      }
    }
    throw new AssertionError("the worker is too fast to be killed in the middle of its job");
  }

  @Test
  void aTrainingKilledInItsMiddleEndsWithTheBitsOfAnUndisturbedOne() {
    RunEvent.Done undisturbed;
    try (Kernels kernels = new VectorKernels(2)) {
      undisturbed =
          JobFixtures.run(
              kernels,
              JobFixtures.request(train, Optional.empty(), text, home.resolve("undisturbed")));
    }
    Killed killed =
        runAndKill(
            attempt ->
                JobFixtures.request(
                    train, Optional.empty(), text, home.resolve("killed-" + attempt)),
            event -> event instanceof RunEvent.Progress progress && progress.step() == 60);
    RunRequest request = killed.request();
    assertThat(killed.events().getFirst()).isInstanceOf(RunEvent.Started.class);
    assertThat(request.outputFolder()).doesNotExist();

    List<RunEvent> after = new ArrayList<>();
    RunEvent.End end = worker().client().run(request, after::add);

    assertThat(after.getFirst())
        .isInstanceOfSatisfying(
            RunEvent.Started.class,
            started -> assertThat(started.resumedSteps()).isBetween(50L, 119L));
    assertThat(end).isEqualTo(undisturbed);
    assertThat(end)
        .isInstanceOfSatisfying(
            RunEvent.Done.class,
            done ->
                assertThat(done.output())
                    .isEqualTo(Folders.manifest(request.outputFolder()).root()));
    Evidence.Training evidence = (Evidence.Training) undisturbed.evidence();
    assertThat(after.stream().filter(RunEvent.Progress.class::isInstance))
        .allSatisfy(event -> {
          RunEvent.Progress progress = (RunEvent.Progress) event;
          assertThat(progress.loss()).contains(evidence.losses().get((int) progress.step() - 1));
        });
  }

  @Test
  void aGenerationKilledInItsMiddleEndsWithTheSameTokensAndLinks() {
    Path longText = JobFixtures.write(home.resolve("long"), JobFixtures.text().repeat(4));
    Task.Train wide =
        new Task.Train(1, 1, 1_536, 0.003f, 1, 0.1f, 1f, 1, JobFixtures.TRAIN.architecture());
    RunRequest trained =
        JobFixtures.request(
            JobFixtures.job(wide, Hash.ZERO, longText, 5),
            Optional.empty(),
            longText,
            home.resolve("model"));
    Path prompt = JobFixtures.write(home.resolve("prompt"), "The");
    Optional<Path> model = Optional.of(trained.outputFolder().resolve("model"));
    RunEvent.Done undisturbed;
    Job job;
    try (Kernels kernels = new VectorKernels(2)) {
      RunEvent.Done done = JobFixtures.run(kernels, trained);
      Task.Generate task = new Task.Generate(1_400, 0f, 0, 1f);
      job = JobFixtures.job(task, done.trainedModel().orElseThrow(), prompt, 6);
      undisturbed =
          JobFixtures.run(kernels, JobFixtures.request(job, model, prompt, home.resolve("whole")));
    }
    assertThat(undisturbed.meter().tokensOut()).as("long enough to be killed").isEqualTo(1_400);
    Killed killed =
        runAndKill(
            attempt -> JobFixtures.request(job, model, prompt, home.resolve("killed-" + attempt)),
            event -> event instanceof RunEvent.Token token && token.position() >= 40);
    RunRequest request = killed.request();
    List<RunEvent> events = new ArrayList<>();
    assertThat(worker().client().run(request, events::add)).isEqualTo(undisturbed);
    assertThat(events.getFirst())
        .isInstanceOfSatisfying(
            RunEvent.Started.class,
            started -> assertThat(started.resumedSteps()).isBetween(38L, 1_399L));
    assertThat(tokensOf(events))
        .as("sent again from the first")
        .hasSize(1_400)
        .startsWith(tokensOf(killed.events()).toArray(RunEvent[]::new));
  }

  private static List<RunEvent> tokensOf(List<RunEvent> events) {
    return events.stream().filter(RunEvent.Token.class::isInstance).toList();
  }

  @Test
  void generationsRunAtOnceWithTheResultsThatEachHasAloneAndATrainingIsRefusedBesideThem()
      throws Exception {
    RunRequest trained = JobFixtures.request(train, Optional.empty(), text, home.resolve("model"));
    WorkerProcess worker = worker();
    RunEvent.Done done = (RunEvent.Done) worker.client().run(trained, event -> {});
    Optional<Path> model = Optional.of(trained.outputFolder().resolve("model"));
    Path prompt = JobFixtures.write(home.resolve("prompt"), "The mill");
    CountDownLatch bothRun = new CountDownLatch(2);
    List<CompletableFuture<RunEvent.End>> ends = new ArrayList<>();
    List<Job> jobs = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      Job job =
          JobFixtures.job(
              new Task.Generate(8, 0.9f, 0, 1f), done.trainedModel().orElseThrow(), prompt, 50 + i);
      RunRequest request = JobFixtures.request(job, model, prompt, home.resolve("at-once-" + i));
      jobs.add(job);
      ends.add(
          CompletableFuture.supplyAsync(() ->
              worker
                  .client()
                  .run(
                      request,
                      event -> {
                        if (event instanceof RunEvent.Started) {
                          // Neither goes on before the other has started, too.
                          bothRun.countDown();
                          await(bothRun);
                          assertThatThrownBy(() -> worker.client().run(trained, _ -> {}))
                              .isInstanceOfSatisfying(
                                  WorkerException.class,
                                  e -> assertThat(e.reason()).isEqualTo(Reason.BUSY));
                        }
                      })));
    }
    try (Kernels kernels = new VectorKernels(1)) {
      for (int i = 0; i < 2; i++) {
        assertThat(ends.get(i).get())
            .isEqualTo(
                JobFixtures.run(
                    kernels,
                    JobFixtures.request(jobs.get(i), model, prompt, home.resolve("alone-" + i))));
      }
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void tokensStreamOutAndTheirTextsJoinedAreTheOutput() throws IOException {
    RunRequest trained =
        JobFixtures.request(
            JobFixtures.job(JobFixtures.TRAIN, Hash.ZERO, text, 5),
            Optional.empty(),
            text,
            home.resolve("model"));
    WorkerProcess worker = worker();
    RunEvent.Done done = (RunEvent.Done) worker.client().run(trained, event -> {});
    Path prompt = JobFixtures.write(home.resolve("prompt"), "The");
    Job job =
        JobFixtures.job(
            new Task.Generate(40, 1.2f, 0, 1f), done.trainedModel().orElseThrow(), prompt, 2);
    RunRequest request =
        JobFixtures.request(
            job,
            Optional.of(trained.outputFolder().resolve("model")),
            prompt,
            home.resolve("generate"));
    List<RunEvent> events = new ArrayList<>();
    RunEvent.Done generated = (RunEvent.Done) worker.client().run(request, events::add);

    Evidence.Generation evidence = (Evidence.Generation) generated.evidence();
    List<RunEvent.Token> tokens =
        events.stream()
            .filter(RunEvent.Token.class::isInstance)
            .map(RunEvent.Token.class::cast)
            .toList();
    assertThat(tokens).extracting(RunEvent.Token::id).isEqualTo(evidence.tokens());
    assertThat(tokens).extracting(RunEvent.Token::link).isEqualTo(evidence.links());
    var output =
        ProtocolJson.parse(
            Files.readAllBytes(request.outputFolder().resolve("output.json")), "output");
    assertThat(tokens.stream().map(RunEvent.Token::text).collect(Collectors.joining()))
        .isEqualTo(output.get("text").textValue());
  }

  @Test
  void anEmbeddingOfTheRealModelRunsAndVerifiesInTheWorker() throws IOException {
    Path sentences = JobFixtures.write(home.resolve("sentences"), "A cat.\nA feline.\nA GPU.\n");
    Path model = MiniLm.folder();
    Job job = JobFixtures.job(new Task.Embed(), Folders.manifest(model).root(), sentences, 3);
    RunRequest request =
        JobFixtures.request(job, Optional.of(model), sentences, home.resolve("embed"));
    WorkerProcess worker = worker(768L << 20);
    RunEvent.Done done = (RunEvent.Done) worker.client().run(request, event -> {});
    Path receipt = home.resolve("receipt.json");
    Files.write(receipt, ProtocolJson.write(JobFixtures.receiptFile(job, done)));

    List<Long> steps = new ArrayList<>();
    assertThat(
            worker
                .client()
                .verify(
                    receipt,
                    JobFixtures.materials(request),
                    new Samples.All(),
                    progress -> steps.add(progress.step())))
        .isInstanceOfSatisfying(
            Verdict.Exact.class, exact -> assertThat(exact.stepsChecked()).isEqualTo(3));
    assertThat(steps).containsExactly(1L, 2L, 3L);

    JobFixtures.flip(request.outputFolder().resolve("vectors.safetensors"), 400, 1);
    assertThat(
            worker
                .client()
                .verify(receipt, JobFixtures.materials(request), new Samples.Some(0, 1), p -> {}))
        .isInstanceOfSatisfying(
            Verdict.Differs.class, differs -> assertThat(differs.firstStep()).isEqualTo(1));
  }

  @Test
  void aCancelledJobEndsAndTheWorkerTakesTheNext() throws Exception {
    Task.Train endless =
        new Task.Train(1_000_000, 2, 16, 0.003f, 2, 0.1f, 1f, 100_000, TRAIN.architecture());
    Job job = JobFixtures.job(endless, Hash.ZERO, text, 9);
    WorkerProcess worker = worker();
    CountDownLatch running = new CountDownLatch(1);
    CompletableFuture<RunEvent.End> end =
        CompletableFuture.supplyAsync(() ->
            worker
                .client()
                .run(
                    JobFixtures.request(job, Optional.empty(), text, home.resolve("endless")),
                    event -> {
                      if (event instanceof RunEvent.Progress) {
                        running.countDown();
                      }
                    }));
    assertThat(running.await(60, TimeUnit.SECONDS)).isTrue();

    RunRequest next = JobFixtures.request(train, Optional.empty(), text, home.resolve("next"));
    assertThatThrownBy(() -> worker.client().run(next, event -> {}))
        .isInstanceOfSatisfying(
            WorkerException.class, e -> assertThat(e.reason()).isEqualTo(Reason.BUSY));
    assertThat(worker.client().cancel(train.id())).as("another job").isFalse();
    assertThat(worker.client().cancel(job.id())).isTrue();
    assertThat(end.get(120, TimeUnit.SECONDS))
        .isInstanceOfSatisfying(
            RunEvent.Failed.class,
            failed -> assertThat(failed.code()).isEqualTo(FailureCode.CANCELLED));
    assertThat(worker.client().run(next, event -> {})).isInstanceOf(RunEvent.Done.class);
  }

  @Test
  void anObserverThatThrowsCancelsTheJob() {
    Task.Train endless =
        new Task.Train(1_000_000, 2, 16, 0.003f, 2, 0.1f, 1f, 100_000, TRAIN.architecture());
    Job job = JobFixtures.job(endless, Hash.ZERO, text, 9);
    WorkerProcess worker = worker();
    assertThatThrownBy(() ->
            worker
                .client()
                .run(
                    JobFixtures.request(job, Optional.empty(), text, home.resolve("endless")),
                    event -> {
                      throw new IllegalStateException("no more");
                    }))
        .hasMessage("no more");
    RunRequest next = JobFixtures.request(train, Optional.empty(), text, home.resolve("next"));
    assertThat(runWhenFree(worker, next)).isInstanceOf(RunEvent.Done.class);
  }

  private static RunEvent.End runWhenFree(WorkerProcess worker, RunRequest request) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (true) {
      try {
        return worker.client().run(request, event -> {});
      } catch (WorkerException e) {
        if (e.reason() != Reason.BUSY || System.nanoTime() > deadline) {
          throw e;
        }
        Thread.onSpinWait();
      }
    }
  }

  @Test
  void aJobThatNeedsMoreMemoryThanThereIsEndsTheWorkerWithItsOwnStatus() throws Exception {
    Path large = home.resolve("large");
    Files.write(large, new byte[60 << 20]);
    Job job = JobFixtures.job(TRAIN, Hash.ZERO, large, 9);
    WorkerProcess worker = worker(64L << 20);
    assertThat(
            worker
                .client()
                .run(
                    JobFixtures.request(job, Optional.empty(), large, home.resolve("oom")),
                    event -> {}))
        .isInstanceOfSatisfying(
            RunEvent.Failed.class,
            failed -> assertThat(failed.code()).isEqualTo(FailureCode.OUT_OF_MEMORY));
    assertThat(worker.ended().get(120, TimeUnit.SECONDS)).isEqualTo(WorkerMain.EXIT_OUT_OF_MEMORY);
  }
}
