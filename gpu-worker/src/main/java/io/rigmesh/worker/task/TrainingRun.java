package io.rigmesh.worker.task;

import io.rigmesh.protocol.CommitmentChain;
import io.rigmesh.protocol.Evidence;
import io.rigmesh.protocol.Hash;
import io.rigmesh.protocol.Meter;
import io.rigmesh.worker.format.ModelFolder;
import io.rigmesh.worker.format.ModelFormatException;
import io.rigmesh.worker.llama.LlamaConfig;
import io.rigmesh.worker.llama.LlamaParameters;
import io.rigmesh.worker.tokenizer.Tokenizer;
import io.rigmesh.worker.train.Checkpoint;
import io.rigmesh.worker.train.Trainer;
import io.rigmesh.worker.train.TrainingState;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Runs a training job.
///
/// The work folder holds `initial` (a new model's first folder), and for every committed state a
/// [SegmentRecord] in `segments` and a [Checkpoint] in `checkpoints`, written in this order, so
/// that a checkpoint never lacks its record. A process that goes on rebuilds the chain from the
/// records, takes the last checkpoint whose state has the root in its record, and repeats the steps
/// after it.
///
/// The output folder holds `model`, the trained model, and `checkpoints` with every committed state
/// but the first, which follows from the job. What there is to deliver at a milestone is laid out
/// in the same way below `milestones` in the work folder.
final class TrainingRun {
  private static final Logger LOG = LoggerFactory.getLogger(TrainingRun.class);

  private final RunContext context;
  private final RunRequest request;
  private final TrainingJob job;
  private final Path initialFolder;
  private final Path segmentsFolder;
  private final Path checkpointsFolder;
  private final Path milestonesFolder;

  private final List<Float> losses = new ArrayList<>();
  private final List<Evidence.Checkpoint> checkpoints = new ArrayList<>();

  TrainingRun(RunContext context, RunRequest request, TrainingJob job) {
    this.context = context;
    this.request = request;
    this.job = job;
    this.initialFolder = request.workFolder().resolve("initial");
    this.segmentsFolder = request.workFolder().resolve("segments");
    this.checkpointsFolder = request.workFolder().resolve("checkpoints");
    this.milestonesFolder = request.workFolder().resolve("milestones");
  }

  RunEvent.Done run() {
    String text = JobInput.text(request.inputFile(), job.job(), JobInput.TEXT_BYTES_MAX);
    context.refuseIfCancelled();
    Path start = startFolder(text);
    Hash model = job.job().model().isZero() ? Folders.manifest(start).root() : job.job().model();
    LlamaParameters initial = parameters(start);
    LlamaConfig config = initial.config();
    int[] tokens = tokens(start, config, text);
    requireMemory(config, tokens.length);

    Hash digest = CommitmentChain.tokenDigest(List.of(tokens));
    CommitmentChain chain =
        CommitmentChain.start(job.job().id(), model, job.job().profile(), digest);
    TrainingState state = TrainingState.from(initial);
    checkpoints.add(new Evidence.Checkpoint(0, StateRoot.of(state)));
    Optional<TrainingState> kept = resume(chain);
    if (kept.isPresent()) {
      state = kept.get();
    }
    context.send(new RunEvent.Started(job.task().steps(), model, state.stepsDone()));
    Delivered delivered = new Delivered(start, config, model, chain);
    for (int number = 1;
        number < job.task().milestones() && job.task().milestoneStep(number) <= state.stepsDone();
        number++) {
      // Whoever heard it in an earlier process may not have had the time to write it down.
      tellMilestone(number, delivered);
    }
    train(state, tokens, delivered);
    return finish(delivered);
  }

  /// The folder of the model that training starts from, made now for a new model.
  private Path startFolder(String text) {
    if (job.task().architecture().isEmpty()) {
      return JobInput.model(request.modelFolder(), job.job());
    }
    // Made again in a process that goes on: it is quick, and then nothing of it need be trusted.
    Folders.delete(initialFolder);
    requireMemory(
        LanguageModelFolder.configMax(job.task().architecture().get(), job.task().context()),
        text.length());
    LanguageModelFolder.writeInitial(
        job.task().architecture().get(),
        job.task().context(),
        job.job().seed(),
        text,
        initialFolder);
    return initialFolder;
  }

  static LlamaParameters parameters(Path folder) {
    try (ModelFolder opened = ModelFolder.open(folder)) {
      return LlamaParameters.read(opened);
    }
  }

  static int[] tokens(Path folder, LlamaConfig config, String text) {
    try (Tokenizer tokenizer = LanguageModelFolder.tokenizer(folder, config)) {
      return TrainingText.tokens(tokenizer, text);
    }
  }

  private void requireMemory(LlamaConfig config, int tokens) {
    long needed = Trainer.bytes(config, job.plan()) + (long) Integer.BYTES * tokens;
    long there = Runtime.getRuntime().maxMemory();
    if (needed > there) {
      throw new OutOfMemoryError(
          "this training needs about %d MiB, and this worker's heap may grow to %d MiB"
              .formatted(needed >> 20, there >> 20));
    }
  }

  /// Rebuilds the chain up to the last whole checkpoint of an earlier process, if there is one.
  private Optional<TrainingState> resume(CommitmentChain chain) {
    List<SegmentRecord> records = records();
    while (!records.isEmpty()) {
      SegmentRecord last = records.getLast();
      Optional<TrainingState> state = load(last);
      if (state.isPresent()) {
        records.forEach(record -> add(record, chain));
        return state;
      }
      // Torn or spoilt: the one before it is good, or the one before that.
      Folders.delete(checkpointFolder(last.lastStep()));
      records.removeLast();
    }
    return Optional.empty();
  }

  /// The records from the first on, as far as they go without a gap.
  private List<SegmentRecord> records() {
    List<SegmentRecord> records = new ArrayList<>();
    int before = 0;
    for (int step : job.checkpoints()) {
      Optional<SegmentRecord> record =
          SegmentRecord.read(segmentsFolder, job.job().id(), step, step - before);
      if (record.isEmpty()) {
        break;
      }
      records.add(record.get());
      before = step;
    }
    return records;
  }

  private Optional<TrainingState> load(SegmentRecord record) {
    Path folder = checkpointFolder(record.lastStep());
    try {
      TrainingState state = Checkpoint.load(folder);
      if (state.stepsDone() == record.lastStep() && StateRoot.of(state).equals(record.state())) {
        return Optional.of(state);
      }
      LOG.warn("the checkpoint {} is not the state that was written; going back one", folder);
    } catch (ModelFormatException e) {
      LOG.warn("the checkpoint {} cannot be read; going back one: {}", folder, e.getMessage());
    }
    return Optional.empty();
  }

  private void add(SegmentRecord record, CommitmentChain chain) {
    int step = record.lastStep() - record.losses().size();
    for (float loss : record.losses()) {
      step++;
      Hash root = step == record.lastStep() ? record.state() : Hash.ZERO;
      addStep(step, loss, root, chain);
    }
  }

  private void addStep(int step, float loss, Hash root, CommitmentChain chain) {
    chain.step(step, loss, job.cursor(step), root);
    losses.add(loss);
    if (!root.isZero()) {
      checkpoints.add(new Evidence.Checkpoint(step, root));
    }
  }

  /// What all that is handed over has in common.
  ///
  /// @param start the folder of the model that training starts from
  /// @param config its shape
  /// @param model its root
  /// @param chain the links
  private record Delivered(Path start, LlamaConfig config, Hash model, CommitmentChain chain) {}

  private void train(TrainingState state, int[] tokens, Delivered delivered) {
    Folders.make(segmentsFolder);
    Folders.make(checkpointsFolder);
    Trainer trainer = trainer(state, tokens);
    Throughput throughput = new Throughput();
    int segmentStart = state.stepsDone();
    while (!trainer.finished()) {
      context.refuseIfCancelled();
      float loss = trainer.step().loss();
      int step = state.stepsDone();
      Hash root = Hash.ZERO;
      if (job.isCheckpoint(step)) {
        root = StateRoot.of(state);
      }
      addStep(step, loss, root, delivered.chain());
      if (!root.isZero()) {
        keep(state, segmentStart, root);
        segmentStart = step;
      }
      throughput.add(job.plan().tokensPerStep());
      context.send(
          new RunEvent.Progress(
              step, job.task().steps(), Optional.of(loss), throughput.tokensPerSecond()));
      job.milestoneAt(step).ifPresent(number -> tellMilestone(number, delivered));
    }
  }

  private Trainer trainer(TrainingState state, int[] tokens) {
    try {
      return new Trainer(context.kernels(), job.plan(), state, tokens);
    } catch (IllegalArgumentException e) {
      // A text too short for one window, or a context longer than the model's.
      throw new InvalidJobException(String.valueOf(e.getMessage()), e);
    }
  }

  private void keep(TrainingState state, int segmentStart, Hash root) {
    int step = state.stepsDone();
    new SegmentRecord(job.job().id(), step, losses.subList(segmentStart, step), root)
        .write(segmentsFolder);
    Checkpoint.save(checkpointsFolder, state);
  }

  private void tellMilestone(int number, Delivered delivered) {
    int step = job.task().milestoneStep(number);
    Path folder = milestonesFolder.resolve("milestone-%02d".formatted(number));
    if (!Files.isDirectory(folder)) {
      // Under another name first: one of this name is whole, and may be being read by now.
      Path partial = milestonesFolder.resolve(folder.getFileName() + ".part");
      deliver(step, delivered, partial);
      Folders.rename(partial, folder);
    }
    context.send(
        new RunEvent.Milestone(
            number, meter(step), evidence(step, delivered.chain()), delivered.model(), folder));
  }

  private RunEvent.Done finish(Delivered delivered) {
    int steps = job.task().steps();
    Path trained = deliver(steps, delivered, request.outputFolder());
    return new RunEvent.Done(
        meter(steps),
        evidence(steps, delivered.chain()),
        delivered.model(),
        Folders.manifest(request.outputFolder()).root(),
        Optional.of(Folders.manifest(trained).root()));
  }

  private Meter meter(int steps) {
    return new Meter(job.cursor(steps), 0, steps);
  }

  private Evidence.Training evidence(int steps, CommitmentChain chain) {
    return new Evidence.Training(
        losses.subList(0, steps),
        checkpoints.stream().filter(checkpoint -> checkpoint.step() <= steps).toList(),
        chain.links().subList(0, steps));
  }

  /// Lays out what there is after a checkpoint's step.
  ///
  /// @return the folder of the model in it
  private Path deliver(int step, Delivered delivered, Path output) {
    Folders.delete(output);
    Path trained = Folders.make(output.resolve("model"));
    Path last = checkpointFolder(step);
    Folders.linkFile(last.resolve("config.json"), trained.resolve("config.json"));
    Folders.linkFile(
        last.resolve(LanguageModelFolder.WEIGHTS), trained.resolve(LanguageModelFolder.WEIGHTS));
    Folders.linkFile(
        delivered.start().resolve(LanguageModelFolder.TOKENIZER),
        trained.resolve(LanguageModelFolder.TOKENIZER));
    LanguageModelFolder.writeGenerationConfig(delivered.config(), trained);
    for (int checkpoint : job.checkpoints(step)) {
      Path folder = checkpointFolder(checkpoint);
      Folders.link(folder, output.resolve("checkpoints").resolve(folder.getFileName()));
    }
    return trained;
  }

  private Path checkpointFolder(int step) {
    return checkpointFolder(checkpointsFolder, step);
  }

  static Path checkpointFolder(Path checkpoints, int step) {
    return checkpoints.resolve("step-%09d".formatted(step));
  }
}
