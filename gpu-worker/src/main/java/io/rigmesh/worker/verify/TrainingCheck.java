package io.rigmesh.worker.verify;

import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Meter;
import io.rigmesh.protocol.Receipt;
import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.kernels.Kernels;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.task.Folders;
import io.rigmesh.worker.task.InvalidJobException;
import io.rigmesh.worker.task.JobInput;
import io.rigmesh.worker.task.LanguageModelFolder;
import io.rigmesh.worker.task.RunEvent;
import io.rigmesh.worker.task.StateRoot;
import io.rigmesh.worker.task.TrainingJob;
import io.rigmesh.worker.task.TrainingText;
import io.rigmesh.worker.tokenizer.Tokenizer;
import io.rigmesh.worker.train.Checkpoint;
import io.rigmesh.worker.train.Trainer;
import io.rigmesh.worker.train.TrainingState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.function.Consumer;

/// Checks a training. The chain follows from the losses and state roots of the evidence, and every
/// delivered checkpoint must have its root; both are checked whole. A sample is a segment: from one
/// checkpoint, or the initial state, its steps are taken again, and every loss and the state at the
/// end compared.
///
/// What training starts from, tokenizer and weights, is never taken from the provider: it is made
/// again from the job's seed and text, or read from the job's model.
///
/// A receipt for the steps up to a milestone is checked in the same way, as if the job ended there.
final class TrainingCheck {
  private final Kernels kernels;
  private final TrainingJob job;
  private final Receipt receipt;
  private final Evidence.Training evidence;
  private final Materials materials;
  private final Path checkpointsFolder;
  private final Path trainedFolder;

  /// How many steps the receipt is for.
  private final int steps;

  TrainingCheck(
      Kernels kernels,
      TrainingJob job,
      Receipt receipt,
      Evidence.Training evidence,
      Materials materials) {
    this.kernels = kernels;
    this.job = job;
    this.receipt = receipt;
    this.evidence = evidence;
    this.materials = materials;
    this.checkpointsFolder = materials.outputFolder().resolve("checkpoints");
    this.trainedFolder = materials.outputFolder().resolve("model");
    this.steps = stepsOf(job, receipt);
  }

  private static int stepsOf(TrainingJob job, Receipt receipt) {
    long steps = receipt.meter().steps();
    boolean ends =
        steps == job.task().steps()
            || (steps > 0
                && steps < job.task().steps()
                && job.milestoneAt((int) steps).isPresent());
    Finding.require(
        ends,
        "The receipt is for %d steps, with which neither the job of %d steps ends nor one of its %d milestones."
            .formatted(steps, job.task().steps(), job.task().milestones()));
    return (int) steps;
  }

  Recomputed run(Selection selection, Consumer<RunEvent.Progress> progress) {
    requireCounts();
    String text = JobInput.text(materials.inputFile(), job.job(), JobInput.TEXT_BYTES_MAX);
    if (job.task().architecture().isEmpty()) {
      return run(JobInput.model(materials.modelFolder(), job.job()), text, selection, progress);
    }
    Path made = temporaryFolder();
    try {
      LanguageModelFolder.writeInitial(
          job.task().architecture().get(), job.task().context(), job.job().seed(), text, made);
      Hash root = Folders.manifest(made).root();
      if (!root.equals(receipt.model())) {
        throw Finding.differs(
            0,
            "The initial model differs: the job's seed and text give the root %s, but the receipt says %s."
                .formatted(root, receipt.model()));
      }
      return run(made, text, selection, progress);
    } finally {
      Folders.delete(made);
    }
  }

  private Recomputed run(
      Path start, String text, Selection selection, Consumer<RunEvent.Progress> progress) {
    TrainingState initial = TrainingState.from(read(start));
    LlamaConfig config = initial.parameters().config();
    requireSameState(initial, 0);
    int[] tokens;
    try (Tokenizer tokenizer = LanguageModelFolder.tokenizer(start, config)) {
      tokens = TrainingText.tokens(tokenizer, text);
    }
    requireChain(tokens);
    requireCheckpoints(config);
    requireTrainedModel(start);
    return recompute(initial, tokens, selection, progress);
  }

  private void requireCounts() {
    Finding.require(
        receipt.meter().equals(new Meter(job.cursor(steps), 0, steps)),
        "The receipt's meter is %s, but %d steps read %d tokens and make none."
            .formatted(receipt.meter(), steps, job.cursor(steps)));
    Finding.require(
        evidence.links().size() == steps && evidence.losses().size() == steps,
        "The evidence has %d links and %d losses, but the receipt is for %d steps."
            .formatted(evidence.links().size(), evidence.losses().size(), steps));
    List<Long> expected = new ArrayList<>(List.of(0L));
    job.checkpoints(steps).forEach(step -> expected.add((long) step));
    Finding.require(
        evidence.checkpoints().stream().map(Evidence.Checkpoint::step).toList().equals(expected),
        "The evidence's checkpoints are not those of the job, which are at the steps " + expected);
  }

  private void requireChain(int[] tokens) {
    CommitmentChain chain =
        CommitmentChain.start(
            job.job().id(),
            receipt.model(),
            job.job().profile(),
            CommitmentChain.tokenDigest(List.of(tokens)));
    int checkpoint = 1;
    for (int step = 1; step <= steps; step++) {
      Hash root = Hash.ZERO;
      if (job.isCheckpoint(step)) {
        root = evidence.checkpoints().get(checkpoint++).state();
      }
      Hash link = chain.step(step, evidence.losses().get(step - 1), job.cursor(step), root);
      if (!link.equals(evidence.links().get(step - 1))) {
        throw Finding.differs(
            step,
            "Step %d differs: its link is not the hash of the link before it, its loss, its cursor and its state root."
                .formatted(step));
      }
    }
  }

  private void requireCheckpoints(LlamaConfig config) {
    for (int step : job.checkpoints(steps)) {
      Finding.require(
          Files.isDirectory(folder(step)),
          "The checkpoint of step %d is missing from the output.".formatted(step));
    }
    for (int index = 1; index < evidence.checkpoints().size(); index++) {
      Evidence.Checkpoint claim = evidence.checkpoints().get(index);
      TrainingState state = load((int) claim.step(), config);
      if (!StateRoot.of(state).equals(claim.state())) {
        throw Finding.differs(
            claim.step(),
            "Step %d differs: the delivered checkpoint is not the state whose root was committed."
                .formatted(claim.step()));
      }
    }
  }

  private void requireTrainedModel(Path start) {
    Path last = folder(steps);
    for (String file : List.of("config.json", LanguageModelFolder.WEIGHTS)) {
      if (!sameFile(file, last, trainedFolder)) {
        throw Finding.differs(
            steps,
            "Step %d differs: the trained model's %s is not that of the last checkpoint."
                .formatted(steps, file));
      }
    }
    Finding.require(
        sameFile(LanguageModelFolder.TOKENIZER, start, trainedFolder),
        "The trained model's tokenizer.json is not that of the model that training started from.");
  }

  private Recomputed recompute(
      TrainingState initial,
      int[] tokens,
      Selection selection,
      Consumer<RunEvent.Progress> progress) {
    List<Integer> ends = job.checkpoints(steps);
    SortedSet<Integer> chosen = selection.of(ends.size());
    long toCheck = chosen.stream().mapToLong(segment -> ends.get(segment) - startOf(segment)).sum();
    long checked = 0;
    long startNanos = System.nanoTime();
    // One trainer for all: its state goes on from segment to segment where they adjoin.
    Trainer trainer = trainer(initial, tokens);
    for (int segment : chosen) {
      int start = startOf(segment);
      if (trainer.state().stepsDone() != start) {
        trainer = trainer(load(start, initial.parameters().config()), tokens);
      }
      while (trainer.state().stepsDone() < ends.get(segment)) {
        requireSameStep(trainer);
        checked++;
        progress.accept(new RunEvent.Progress(checked, toCheck, Optional.empty(), 0.0));
      }
      requireSameState(trainer.state(), segment + 1);
    }
    return new Recomputed(checked, steps, "steps", Recomputed.secondsSince(startNanos));
  }

  private int startOf(int segment) {
    return segment == 0 ? 0 : job.checkpoints(steps).get(segment - 1);
  }

  private Trainer trainer(TrainingState state, int[] tokens) {
    try {
      return new Trainer(kernels, job.plan(), state, tokens);
    } catch (IllegalArgumentException e) {
      throw Finding.invalid("This job cannot have been run: " + e.getMessage());
    }
  }

  private void requireSameStep(Trainer trainer) {
    float loss = trainer.step().loss();
    int step = trainer.state().stepsDone();
    float claimed = evidence.losses().get(step - 1);
    if (Float.floatToRawIntBits(loss) != Float.floatToRawIntBits(claimed)) {
      throw Finding.differs(
          step,
          "Step %d differs: its loss is %s (bits %08x), but the evidence says %s (bits %08x)."
              .formatted(
                  step,
                  loss,
                  Float.floatToRawIntBits(loss),
                  claimed,
                  Float.floatToRawIntBits(claimed)));
    }
  }

  private void requireSameState(TrainingState state, int checkpoint) {
    Evidence.Checkpoint claim = evidence.checkpoints().get(checkpoint);
    Hash root = StateRoot.of(state);
    if (!root.equals(claim.state())) {
      throw Finding.differs(
          claim.step(),
          "Step %d differs: the state after it has the root %s, but %s was committed."
              .formatted(claim.step(), root, claim.state()));
    }
  }

  private LlamaParameters read(Path folder) {
    try (ModelFolder opened = ModelFolder.open(folder)) {
      return LlamaParameters.read(opened);
    }
  }

  private TrainingState load(int step, LlamaConfig config) {
    TrainingState state;
    try {
      state = Checkpoint.load(folder(step));
    } catch (ModelFormatException e) {
      throw Finding.differs(
          step,
          "Step %d differs: the delivered checkpoint cannot be read: %s"
              .formatted(step, e.getMessage()));
    }
    if (state.stepsDone() != step || !state.parameters().config().equals(config)) {
      throw Finding.differs(
          step,
          "Step %d differs: the delivered checkpoint is of another step or model.".formatted(step));
    }
    return state;
  }

  private Path folder(int step) {
    return checkpointsFolder.resolve("step-%09d".formatted(step));
  }

  private static boolean sameFile(String name, Path one, Path other) {
    Path first = one.resolve(name);
    Path second = other.resolve(name);
    try {
      return Files.isRegularFile(first)
          && Files.isRegularFile(second)
          && Files.mismatch(first, second) < 0;
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot compare " + first + " and " + second + ": " + e.getMessage(), e);
    }
  }

  private static Path temporaryFolder() {
    try {
      return Files.createTempDirectory("rigmesh-verify-");
    } catch (IOException e) {
      throw new InvalidJobException("no temporary folder can be made: " + e.getMessage(), e);
    }
  }
}
