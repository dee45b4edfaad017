package io.rigmesh.worker.verify;

import static io.rigmesh.worker.task.JobFixtures.GREEDY;
import static io.rigmesh.worker.task.JobFixtures.TRAIN;
import static io.rigmesh.worker.task.JobFixtures.flip;
import static io.rigmesh.worker.task.JobFixtures.receiptFile;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Digests;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.GenerateOptions;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Job;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.ReceiptFile;
import io.rigmesh.protocol.SignedReceipt;
import io.rigmesh.protocol.Task;
import io.rigmesh.worker.embed.MiniLm;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.kernels.vector.VectorKernels;
import io.rigmesh.worker.task.FailureCode;
import io.rigmesh.worker.task.Folders;
import io.rigmesh.worker.task.JobEngine;
import io.rigmesh.worker.task.JobFixtures;
import io.rigmesh.worker.task.ModelShelf;
import io.rigmesh.worker.task.RunEvent;
import io.rigmesh.worker.task.RunRequest;
import io.rigmesh.worker.task.Wanted;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifierTest {
  private static final Samples ALL = new Samples.All();

  @TempDir Path folder;

  private final Kernels kernels = new VectorKernels(2);
  private final ModelShelf shelf = ModelShelf.onCpu(kernels);
  private Path text;
  private Job trainJob;
  private RunRequest trainRequest;
  private RunEvent.Done trained;

  @BeforeEach
  void train() {
    text = JobFixtures.write(folder.resolve("text"), JobFixtures.text());
    trainJob = JobFixtures.job(TRAIN, Hash.ZERO, text, 7);
    trainRequest = JobFixtures.request(trainJob, Optional.empty(), text, folder.resolve("train"));
    trained = JobFixtures.run(kernels, trainRequest);
  }

  @AfterEach
  void close() {
    shelf.close();
    kernels.close();
  }

  private Verdict verify(ReceiptFile file, RunRequest request, Samples samples) {
    return new Verifier(kernels, shelf)
        .verify(file, JobFixtures.materials(request), samples, progress -> {});
  }

  private void assertDiffers(Verdict verdict, long step) {
    assertThat(verdict)
        .isInstanceOfSatisfying(
            Verdict.Differs.class, differs -> assertThat(differs.firstStep()).isEqualTo(step));
  }

  private static <T> List<T> with(List<T> list, int index, T value) {
    List<T> copy = new ArrayList<>(list);
    copy.set(index, value);
    return copy;
  }

  private static Hash flipped(Hash hash) {
    byte[] bytes = hash.bytes();
    bytes[17] ^= 4;
    return Hash.of(bytes);
  }

  private static float flipped(float value) {
    return Float.intBitsToFloat(Float.floatToRawIntBits(value) ^ 1);
  }

  @Nested
  class OfATraining {
    private Evidence.Training evidence() {
      return (Evidence.Training) trained.evidence();
    }

    /// The chain that fits these losses and checkpoints: what a cheat with care would hand over.
    private Evidence.Training consistent(
        List<Float> losses, List<Evidence.Checkpoint> checkpoints) {
      // The start of the chain is what the first honest link follows from; it is found by running
      // the honest job's own inputs, so here it is rebuilt from the trained tokenizer.
      CommitmentChain chain = JobFixtures.trainingChain(trainJob, trained, trainRequest);
      for (int step = 1; step <= losses.size(); step++) {
        long at = step;
        Hash state =
            checkpoints.stream()
                .filter(c -> c.step() == at)
                .map(Evidence.Checkpoint::state)
                .findFirst()
                .orElse(Hash.ZERO);
        chain.step(step, losses.get(step - 1), step * 32L, state);
      }
      return new Evidence.Training(losses, checkpoints, chain.links());
    }

    @Test
    void anHonestReceiptIsExactInWholeAndInPart() {
      ReceiptFile file = receiptFile(trainJob, trained);
      assertThat(verify(file, trainRequest, ALL))
          .isInstanceOfSatisfying(
              Verdict.Exact.class,
              exact -> {
                assertThat(exact.stepsChecked()).isEqualTo(12);
                assertThat(exact.stepsTotal()).isEqualTo(12);
              });
      for (int seed = 0; seed < 6; seed++) {
        assertThat(verify(file, trainRequest, new Samples.Some(1, seed)))
            .isInstanceOfSatisfying(
                Verdict.Exact.class, exact -> assertThat(exact.stepsChecked()).isIn(2L, 5L));
      }
      assertThat(verify(file, trainRequest, new Samples.Some(0, 1)))
          .isInstanceOfSatisfying(
              Verdict.Exact.class, exact -> assertThat(exact.stepsChecked()).isZero());
    }

    @Test
    void theRebuiltChainIsTheHonestOne() {
      assertThat(consistent(evidence().losses(), evidence().checkpoints())).isEqualTo(evidence());
    }

    @Test
    void progressCountsTheStepsRecomputed() {
      List<Long> steps = new ArrayList<>();
      new Verifier(kernels, shelf)
          .verify(
              receiptFile(trainJob, trained),
              JobFixtures.materials(trainRequest),
              ALL,
              progress -> steps.add(progress.step()));
      assertThat(steps).hasSize(12).endsWith(12L).isSorted();
    }

    @Test
    void aFlippedLinkIsNamed() {
      Evidence.Training changed =
          new Evidence.Training(
              evidence().losses(),
              evidence().checkpoints(),
              with(evidence().links(), 6, flipped(evidence().links().get(6))));
      assertDiffers(
          verify(receiptFile(trainJob, trained, changed), trainRequest, new Samples.Some(0, 0)), 7);
    }

    @Test
    void aFlippedLossIsNamedByTheChainAlone() {
      Evidence.Training changed =
          new Evidence.Training(
              with(evidence().losses(), 3, flipped(evidence().losses().get(3))),
              evidence().checkpoints(),
              evidence().links());
      assertDiffers(
          verify(receiptFile(trainJob, trained, changed), trainRequest, new Samples.Some(0, 0)), 4);
    }

    @Test
    void aLossThatWasForgedTogetherWithTheChainIsNamedByRecomputation() {
      Evidence.Training forged =
          consistent(
              with(evidence().losses(), 7, flipped(evidence().losses().get(7))),
              evidence().checkpoints());
      ReceiptFile file = receiptFile(trainJob, trained, forged);
      assertThat(verify(file, trainRequest, new Samples.Some(0, 0)))
          .as("nothing recomputed, nothing seen")
          .isInstanceOf(Verdict.Exact.class);
      assertDiffers(verify(file, trainRequest, ALL), 8);
    }

    @Test
    void aStateRootThatWasForgedTogetherWithTheChainIsNamedByItsCheckpoint() {
      List<Evidence.Checkpoint> checkpoints =
          with(
              evidence().checkpoints(),
              2,
              new Evidence.Checkpoint(10, flipped(evidence().checkpoints().get(2).state())));
      assertDiffers(
          verify(
              receiptFile(trainJob, trained, consistent(evidence().losses(), checkpoints)),
              trainRequest,
              new Samples.Some(0, 0)),
          10);
    }

    @Test
    void aFlippedWeightInACheckpointIsNamedByItsStep() {
      Path weights =
          trainRequest.outputFolder().resolve("checkpoints/step-000000005/model.safetensors");
      flip(weights, weights.toFile().length() - 400, 0);
      assertDiffers(
          verify(receiptFile(trainJob, trained), trainRequest, new Samples.Some(0, 0)), 5);
    }

    @Test
    void aFlippedMomentInACheckpointIsNamedByItsStep() {
      Path moments =
          trainRequest.outputFolder().resolve("checkpoints/step-000000010/optimizer.safetensors");
      flip(moments, moments.toFile().length() - 400, 0);
      assertDiffers(
          verify(receiptFile(trainJob, trained), trainRequest, new Samples.Some(0, 0)), 10);
    }

    @Test
    void aFlippedWeightInTheTrainedModelIsNamedByTheLastStep() {
      Path weights = trainRequest.outputFolder().resolve("model/model.safetensors");
      flip(weights, weights.toFile().length() - 400, 0);
      assertDiffers(
          verify(receiptFile(trainJob, trained), trainRequest, new Samples.Some(0, 0)), 12);
    }

    @Test
    void aStateThatWasSpoiltBetweenTwoStepsIsNamedByRecomputation() {
      // A provider whose memory flips a bit of a weight after step 5 commits to everything that
      // follows from it: consistent, signed, and wrong.
      RunEvent.Done wrong = JobFixtures.runSpoilt(kernels, trainRequest, folder.resolve("wrong"));
      RunRequest wrongRequest =
          JobFixtures.request(trainJob, Optional.empty(), text, folder.resolve("wrong"));
      ReceiptFile file = receiptFile(trainJob, wrong);
      assertThat(verify(file, wrongRequest, new Samples.Some(0, 0)))
          .isInstanceOf(Verdict.Exact.class);
      assertDiffers(verify(file, wrongRequest, ALL), 5);
    }

    @Test
    void anotherInitialModelIsNamedAsStepZero() {
      Job otherSeed = JobFixtures.job(TRAIN, Hash.ZERO, text, 8);
      RunEvent.Done done =
          new RunEvent.Done(
              trained.meter(),
              trained.evidence(),
              Digests.sha256(),
              trained.output(),
              Optional.empty());
      assertDiffers(verify(receiptFile(trainJob, done), trainRequest, ALL), 0);
      assertDiffers(verify(receiptFile(otherSeed, trained), trainRequest, ALL), 0);
    }

    @Test
    void aFileTooManyInTheOutputIsSeen() {
      JobFixtures.write(trainRequest.outputFolder().resolve("model/extra.bin"), "x");
      assertThat(verify(receiptFile(trainJob, trained), trainRequest, new Samples.Some(0, 0)))
          .isInstanceOf(Verdict.Invalid.class);
    }

    @Test
    void anotherInputIsRefused() {
      RunRequest other =
          JobFixtures.request(
              trainJob,
              Optional.empty(),
              JobFixtures.write(folder.resolve("other"), "other"),
              folder.resolve("train"));
      assertThat(verify(receiptFile(trainJob, trained), other, ALL))
          .isInstanceOfSatisfying(
              Verdict.Invalid.class, v -> assertThat(v.sentence()).contains("root"));
    }

    @Test
    void aSignatureOfSomebodyElseIsRefused() {
      ReceiptFile honest = receiptFile(trainJob, trained);
      ReceiptFile forged =
          new ReceiptFile(
              honest.domain(),
              honest.job(),
              new SignedReceipt(honest.receipt().receipt(), honest.job().signature()),
              honest.evidence());
      assertThat(verify(forged, trainRequest, ALL))
          .isInstanceOfSatisfying(
              Verdict.Invalid.class, v -> assertThat(v.sentence()).contains("provider"));
    }

    @Test
    void aTrainingThatGoesOnFromAModelIsExact() {
      Path model = trainRequest.outputFolder().resolve("model");
      Task.Train more = new Task.Train(3, 2, 16, 0.001f, 1, 0f, 1f, 2, Optional.empty());
      Job next = JobFixtures.job(more, trained.trainedModel().orElseThrow(), text, 8);
      RunRequest request =
          JobFixtures.request(next, Optional.of(model), text, folder.resolve("more"));
      RunEvent.Done done = JobFixtures.run(kernels, request);
      assertThat(verify(receiptFile(next, done), request, ALL)).isInstanceOf(Verdict.Exact.class);
    }
  }

  @Nested
  class OfAGeneration {
    private Job job;
    private RunRequest request;
    private RunEvent.Done done;

    private void generate(Task.Generate task) {
      Path prompt = JobFixtures.write(folder.resolve("prompt"), "The mill");
      Path model = trainRequest.outputFolder().resolve("model");
      job = JobFixtures.job(task, Folders.manifest(model).root(), prompt, 21);
      request = JobFixtures.request(job, Optional.of(model), prompt, folder.resolve("generate"));
      done = JobFixtures.run(kernels, request);
    }

    private Evidence.Generation evidence() {
      return (Evidence.Generation) done.evidence();
    }

    @Test
    void anHonestReceiptIsExactGreedyAndSampled() {
      generate(GREEDY);
      assertThat(verify(receiptFile(job, done), request, ALL))
          .isInstanceOfSatisfying(
              Verdict.Exact.class,
              exact -> assertThat(exact.stepsChecked()).isEqualTo(evidence().tokens().size()));
      generate(new Task.Generate(8, 0.9f, 20, 0.95f));
      assertThat(verify(receiptFile(job, done), request, ALL)).isInstanceOf(Verdict.Exact.class);
      assertThat(verify(receiptFile(job, done), request, new Samples.Some(2, 3)))
          .isInstanceOf(Verdict.Exact.class);
    }

    @Test
    void stopTextsAndLogprobsAreRecomputed() throws IOException {
      generate(new Task.Generate(24, 1.2f, 0, 1f));
      JsonNode free = new ObjectMapper().readTree(Files.readAllBytes(output("output.json")));
      String text = free.path("text").asText();
      String stop = text.substring(text.length() / 2, text.length() / 2 + 2);
      GenerateOptions options =
          new GenerateOptions(
              false, 0f, 1f, 0f, 0f, new TreeMap<>(), List.of(stop), OptionalInt.of(3));
      generate(new Task.Generate(24, 1.2f, 0, 1f, options));
      JsonNode stopped = new ObjectMapper().readTree(Files.readAllBytes(output("output.json")));
      assertThat(stopped.path("text").asText()).isEqualTo(text.substring(0, text.indexOf(stop)));
      assertThat(stopped.path("finish").asText()).isEqualTo("stop-text");
      assertThat(evidence().tokens().size()).isBetween(2, 23);
      assertThat(Files.readAllLines(output("logprobs.jsonl"))).hasSameSizeAs(evidence().tokens());
      assertThat(verify(receiptFile(job, done), request, ALL)).isInstanceOf(Verdict.Exact.class);
      List<String> lines = Files.readAllLines(output("logprobs.jsonl"));
      Files.write(
          output("logprobs.jsonl"),
          with(lines, 1, lines.get(1).replace("\"logprob\":-", "\"logprob\":")));
      assertDiffers(verify(receiptFile(job, done), request, ALL), 2);
      Files.write(output("logprobs.jsonl"), lines.subList(0, lines.size() - 1));
      assertThat(verify(receiptFile(job, done), request, new Samples.Some(0, 1)))
          .isInstanceOfSatisfying(
              Verdict.Invalid.class, v -> assertThat(v.sentence()).contains("one line for each"));
    }

    private Path output(String name) {
      return request.outputFolder().resolve(name);
    }

    @Test
    void aFlippedTokenIsNamed() {
      generate(GREEDY);
      int at = evidence().tokens().size() / 2;
      Evidence.Generation changed =
          new Evidence.Generation(
              evidence().promptTokens(),
              with(evidence().tokens(), at, evidence().tokens().get(at) ^ 1),
              evidence().links());
      assertDiffers(verify(receiptFile(job, done, changed), request, ALL), at + 1);
    }

    @Test
    void aFlippedLinkIsNamed() {
      generate(GREEDY);
      for (int at = 0; at < evidence().links().size(); at++) {
        Evidence.Generation changed =
            new Evidence.Generation(
                evidence().promptTokens(),
                evidence().tokens(),
                with(evidence().links(), at, flipped(evidence().links().get(at))));
        assertDiffers(verify(receiptFile(job, done, changed), request, ALL), at + 1);
      }
    }

    @Test
    void tokensThatAreLeftOutAtTheEndAreMissed() {
      generate(GREEDY);
      int fewer = evidence().tokens().size() - 1;
      Evidence.Generation cut =
          new Evidence.Generation(
              evidence().promptTokens(),
              evidence().tokens().subList(0, fewer),
              evidence().links().subList(0, fewer));
      RunEvent.Done claimed =
          new RunEvent.Done(
              new Meter(evidence().promptTokens().size(), fewer, fewer),
              cut,
              done.model(),
              done.output(),
              Optional.empty());
      assertDiffers(verify(receiptFile(job, claimed), request, ALL), fewer + 1);
    }

    @Test
    void aGenerationThatWasCalledOffIsExactAsTheBeginningThatItIs() throws IOException {
      generate(new Task.Generate(24, 0.9f, 20, 0.95f));
      List<Integer> whole = evidence().tokens();
      int kept = whole.size() / 2;
      RunRequest fresh =
          JobFixtures.request(
              job, request.modelFolder(), request.inputFile(), folder.resolve("called-off"));
      List<RunEvent> events = new ArrayList<>();
      RunEvent.End end = concludedAfter(kept, fresh, events);
      request = fresh;
      done = (RunEvent.Done) end;
      assertThat(evidence().tokens()).isEqualTo(whole.subList(0, kept));
      assertThat(done.meter().tokensOut()).isEqualTo(kept);
      JsonNode output = new ObjectMapper().readTree(Files.readAllBytes(output("output.json")));
      assertThat(output.path("finish").asText()).isEqualTo("cancelled");
      assertThat(verify(receiptFile(job, done), request, ALL)).isInstanceOf(Verdict.Exact.class);

      // A run that goes on from its journal ends with what somebody may have paid for, not before.
      RunEvent.End again = concludedAfter(1, fresh, new ArrayList<>());
      assertThat(((RunEvent.Done) again).evidence()).isEqualTo(done.evidence());

      RunRequest none =
          JobFixtures.request(
              job, request.modelFolder(), request.inputFile(), folder.resolve("at-once"));
      assertThat(concludedAfter(0, none, new ArrayList<>()))
          .isInstanceOfSatisfying(
              RunEvent.Failed.class,
              failed -> assertThat(failed.code()).isEqualTo(FailureCode.CANCELLED));
    }

    private RunEvent.End concludedAfter(int tokens, RunRequest request, List<RunEvent> events) {
      try (JobEngine engine = JobEngine.onCpu(kernels)) {
        return engine.run(
            request,
            events::add,
            () ->
                events.stream().filter(RunEvent.Token.class::isInstance).count() >= tokens
                    ? Wanted.CONCLUDED
                    : Wanted.WHOLE);
      }
    }

    @Test
    void anotherTextInTheOutputIsSeen() {
      generate(GREEDY);
      flip(request.outputFolder().resolve("output.json"), 12, 0);
      assertThat(verify(receiptFile(job, done), request, ALL))
          .isInstanceOfSatisfying(
              Verdict.Invalid.class, v -> assertThat(v.sentence()).contains("output.json"));
    }

    @Test
    void aFlippedWeightInTheModelIsSeen() {
      generate(GREEDY);
      Path weights = trainRequest.outputFolder().resolve("model/model.safetensors");
      flip(weights, weights.toFile().length() - 400, 0);
      assertThat(verify(receiptFile(job, done), request, ALL))
          .isInstanceOfSatisfying(
              Verdict.Invalid.class, v -> assertThat(v.sentence()).contains("model"));
    }
  }

  @Nested
  class OfAnEmbedding {
    private Job job;
    private RunRequest request;
    private RunEvent.Done done;

    @BeforeEach
    void embed() {
      Path sentences =
          JobFixtures.write(
              folder.resolve("sentences"), "A cat.\r\n\nEin Haus am See\n日本語のテキスト\nno end");
      Path model = MiniLm.folder();
      job = JobFixtures.job(new Task.Embed(), Folders.manifest(model).root(), sentences, 3);
      request = JobFixtures.request(job, Optional.of(model), sentences, folder.resolve("embed"));
      done = JobFixtures.run(kernels, request);
    }

    private Path vectors() {
      return request.outputFolder().resolve("vectors.safetensors");
    }

    @Test
    void anHonestReceiptIsExact() {
      assertThat(done.meter().steps()).isEqualTo(5);
      assertThat(verify(receiptFile(job, done), request, ALL))
          .isInstanceOfSatisfying(
              Verdict.Exact.class, exact -> assertThat(exact.stepsChecked()).isEqualTo(5));
      assertThat(verify(receiptFile(job, done), request, new Samples.Some(2, 9)))
          .isInstanceOfSatisfying(
              Verdict.Exact.class, exact -> assertThat(exact.stepsChecked()).isEqualTo(2));
    }

    @Test
    void aFlippedVectorIsNamedByItsSentence() {
      long row = 384 * 4;
      flip(vectors(), vectors().toFile().length() - 2 * row - 8, 0);
      assertDiffers(verify(receiptFile(job, done), request, new Samples.Some(0, 0)), 3);
    }

    @Test
    void aVectorThatWasForgedTogetherWithTheChainIsNamedByRecomputation() {
      RunEvent.Done forged = JobFixtures.forgeVector(job, request, done, 3);
      ReceiptFile file = receiptFile(job, forged);
      assertThat(verify(file, request, new Samples.Some(0, 0))).isInstanceOf(Verdict.Exact.class);
      assertDiffers(verify(file, request, ALL), 4);
    }

    @Test
    void aFlippedLinkIsNamed() {
      Evidence.Embedding changed =
          new Evidence.Embedding(
              with(done.evidence().links(), 1, flipped(done.evidence().links().get(1))));
      assertDiffers(verify(receiptFile(job, done, changed), request, ALL), 2);
    }
  }

  @Test
  void aSeedChoosesTheSameSamplesEverywhere() {
    assertThat(new Selection(new Samples.Some(4, 42)).of(1000)).containsExactly(130, 248, 763, 884);
  }
}
