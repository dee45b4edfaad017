package io.rigmesh.worker.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.embed.MiniLm;
import io.rigmesh.worker.task.Folders;
import io.rigmesh.worker.task.JobFixtures;
import io.rigmesh.worker.task.RunEvent;
import io.rigmesh.worker.task.RunRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

/// Jobs in a real worker process that go no further than they are allowed.
@TestInstance(Lifecycle.PER_CLASS)
class WorkerAllowanceIT {
  private static final int TOKENS = 60;
  private static final int SENTENCES = 70;

  private Path home;
  private WorkerProcess worker;
  private Path prompt;
  private Optional<Path> model;
  private Hash modelRoot;

  @BeforeAll
  void trainAModel(@TempDir Path folder) {
    home = folder;
    worker =
        WorkerProcess.start(
            WorkerLaunch.likeThisProcess(
                home.resolve("s").resolve("0.sock"), "cpu", 1, 768L << 20, home.resolve("worker")),
            _ -> {},
            Duration.ofSeconds(60));
    Path text = JobFixtures.write(home.resolve("text"), JobFixtures.text());
    Task.Train wide =
        new Task.Train(1, 1, 256, 0.003f, 1, 0.1f, 1f, 1, JobFixtures.TRAIN.architecture());
    RunRequest trained =
        JobFixtures.request(
            JobFixtures.job(wide, Hash.ZERO, text, 5),
            Optional.empty(),
            text,
            home.resolve("model"));
    RunEvent.Done done = (RunEvent.Done) worker.client().run(trained, _ -> {});
    model = Optional.of(trained.outputFolder().resolve("model"));
    modelRoot = done.trainedModel().orElseThrow();
    prompt = JobFixtures.write(home.resolve("prompt"), "The mill");
  }

  @AfterAll
  void close() {
    worker.close();
  }

  private Job generation(int seed) {
    return JobFixtures.job(new Task.Generate(TOKENS, 0.9f, 0, 1f), modelRoot, prompt, seed);
  }

  private RunRequest request(Job job, String name) {
    return JobFixtures.request(job, model, prompt, home.resolve(name));
  }

  @Test
  void aGenerationMakesNoTokenBeforeItIsAllowedAndTheSameTokensAtAnyPaceOfAllowing() {
    Job job = generation(7);
    RunEvent.Done undisturbed =
        (RunEvent.Done) worker.client().run(request(job, "undisturbed"), _ -> {});
    for (int seed = 0; seed < 6; seed++) {
      Random random = new Random(seed);
      List<RunEvent.Token> tokens = new ArrayList<>();
      long[] allowed = {random.nextInt(2)};
      Consumer<RunEvent> payer =
          event -> {
            if (event instanceof RunEvent.Started started) {
              assertThat(started.promptTokens())
                  .isEqualTo(((Evidence.Generation) undisturbed.evidence()).promptTokens().size());
            }
            if (event instanceof RunEvent.Token token) {
              tokens.add(token);
              // What is allowed at once comes at once; what is not, never before.
              assertThat((long) tokens.size()).isLessThanOrEqualTo(allowed[0]);
            }
            if (tokens.size() >= allowed[0]) {
              allowed[0] += 1 + random.nextInt(12);
              worker.client().allow(job.id(), allowed[0]);
            }
          };
      RunRequest request = request(job, "paced-" + seed).allowed(allowed[0]);
      assertThat(worker.client().run(request, payer)).isEqualTo(undisturbed);
      assertThat(tokens)
          .extracting(RunEvent.Token::link)
          .isEqualTo(((Evidence.Generation) undisturbed.evidence()).links());
    }
  }

  @Test
  void aGenerationThatWaitsIsConcludedWithWhatItWasAllowedAndGoesOnFromThereElsewhere()
      throws Exception {
    Job job = generation(8);
    RunEvent.Done undisturbed = (RunEvent.Done) worker.client().run(request(job, "whole"), _ -> {});
    List<RunEvent.Token> tokens = new ArrayList<>();
    CompletableFuture<Boolean> waits = new CompletableFuture<>();
    CompletableFuture<RunEvent.End> end =
        CompletableFuture.supplyAsync(() ->
            worker
                .client()
                .run(
                    request(job, "concluded").allowed(5),
                    event -> {
                      if (event instanceof RunEvent.Token token) {
                        tokens.add(token);
                        if (tokens.size() == 5) {
                          waits.complete(true);
                        }
                      }
                    }));
    waits.get(60, TimeUnit.SECONDS);
    // Another goes to its end meanwhile: who waits holds nobody up.
    assertThat(worker.client().run(request(generation(9), "neighbour"), _ -> {}))
        .isInstanceOf(RunEvent.Done.class);
    assertThat(worker.client().conclude(job.id())).isTrue();
    RunEvent.Done part = (RunEvent.Done) end.get(60, TimeUnit.SECONDS);
    assertThat(part.meter().tokensOut()).isEqualTo(5);
    Evidence.Generation whole = (Evidence.Generation) undisturbed.evidence();
    assertThat(((Evidence.Generation) part.evidence()).links())
        .isEqualTo(whole.links().subList(0, 5));
    // The work folder has its tokens: a run that goes on with them is allowed them one by one, too.
    List<RunEvent.Token> again = new ArrayList<>();
    long[] allowed = {2};
    RunEvent.End resumed =
        worker
            .client()
            .run(
                request(job, "concluded").allowed(2),
                event -> {
                  if (event instanceof RunEvent.Token token) {
                    again.add(token);
                    assertThat((long) again.size()).isLessThanOrEqualTo(allowed[0]);
                    if (again.size() == 2) {
                      allowed[0] = TOKENS;
                      worker.client().allow(job.id(), TOKENS);
                    }
                  }
                });
    assertThat(resumed).isEqualTo(undisturbed);
    assertThat(again.subList(0, 5)).isEqualTo(tokens);
  }

  @Test
  void anEmbeddingBeginsNoSentenceBeyondItsAllowance() {
    String lines =
        IntStream.range(0, SENTENCES)
            .mapToObj(i -> "Line " + i + (i % 3 == 0 ? " is longer than the others." : "."))
            .collect(Collectors.joining("\n"));
    Path input = JobFixtures.write(home.resolve("lines"), lines);
    Path miniLm = MiniLm.folder();
    Job job = JobFixtures.job(new Task.Embed(), Folders.manifest(miniLm).root(), input, 1);
    RunEvent.End undisturbed =
        worker
            .client()
            .run(
                JobFixtures.request(job, Optional.of(miniLm), input, home.resolve("embed")),
                _ -> {});
    Random random = new Random(3);
    long[] allowed = {0};
    long[] longest = {12};
    List<Long> steps = new ArrayList<>();
    RunEvent.End paced =
        worker
            .client()
            .run(
                JobFixtures.request(job, Optional.of(miniLm), input, home.resolve("paced"))
                    .allowed(0),
                event -> {
                  if (event instanceof RunEvent.Progress progress) {
                    steps.add(progress.step());
                    assertThat(progress.tokensIn()).isLessThan(allowed[0] + longest[0]);
                    assertThat(progress.tokensIn()).isGreaterThanOrEqualTo(1);
                  }
                  allowed[0] += 1 + random.nextInt(200);
                  worker.client().allow(job.id(), allowed[0]);
                });
    assertThat(paced).isEqualTo(undisturbed);
    assertThat(steps.getLast()).isEqualTo(SENTENCES);
    assertThat(steps.size()).as("more steps than whole batches").isGreaterThan(3);
  }
}
